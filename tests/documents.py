"""The documents: what they show, and where their links lead."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.glob("**/*.md"), *ROOT.glob("simulator/*.md")])

_FENCED = re.compile(r"^( *)```.*?^\1```$", re.MULTILINE | re.DOTALL)
_INDENTED = re.compile(r"^ {4}.*$", re.MULTILINE)
_CODE = re.compile(r"`[^`]*`")
_LINK = re.compile(r"\[[^][]*\]\(([^()\s]+)\)")
_HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def block(mark: str) -> str:
    """Return the contents of the only fenced block of all pages after a mark."""
    pattern = re.compile(rf"<!-- {re.escape(mark)} -->\n```\w*\n(.*?)```", re.DOTALL)
    found = [text for page in PAGES for text in pattern.findall(page.read_text())]
    assert len(found) == 1, f"{len(found)} blocks are marked {mark}"
    return str(found[0])


def links(page: Path) -> list[str]:
    """Return the targets of a page's links, as written; links in code do not count."""
    text = _CODE.sub("CODE", _without_blocks(page))
    return [target for target in _LINK.findall(text) if "://" not in target]


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as Sphinx and GitHub make them."""
    return {_slug(heading) for heading in _HEADING.findall(_without_blocks(page))}


def is_there(page: Path, target: str) -> bool:
    """Tell whether a link leads to a file, and to a heading in it if it names one."""
    path, _, anchor = target.partition("#")
    file = (page.parent / path) if path else page
    return file.exists() and (not anchor or anchor in anchors(file))


def _without_blocks(page: Path) -> str:
    return _INDENTED.sub("", _FENCED.sub("", page.read_text()))


def _slug(heading: str) -> str:
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
