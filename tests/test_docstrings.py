"""Docstrings have one form in both packages; docs/contributing.md shows it."""

from __future__ import annotations

import ast
import inspect
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import csf_backup_plugin
import csf_simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGES = [Path(str(one.__file__)).parent for one in (csf_backup_plugin, csf_simulator)]

#: The sections, in their order. Other headings for the same are not used.
LISTS, TEXTS = ("Args", "Attributes", "Raises"), ("Returns", "Yields")
ORDER = ("Args", "Attributes", "Returns", "Yields", "Raises", "Example")
OTHERS = re.compile(
    r"(Arguments?|Arg|Param(eter)?s?|Attribute|Returned|Return|Yield|Raise|Throws|Exceptions?"
    r"|Examples|Args, \w+|Raises, \w+)(:.*)?"
    rf"|({'|'.join(ORDER)})(: .+| *)|:(param|type|returns?|rtype|raises)\b.*"
)
#: Words that keep their capital letter at the beginning of an entry.
NAMES = ("None", "Server")


def problems(doc: str) -> list[str]:
    """Return what is not of the one form in a docstring."""
    found, section, order = [], "", []
    lines = inspect.cleandoc(doc).split("\n")
    for before, line in zip(["", *lines], lines, strict=False):
        if OTHERS.fullmatch(line):
            found.append(f"no such heading: {line}")
        if line.endswith(":") and line[:-1] in ORDER:
            section = line[:-1]
            order.append(section)
            found += [f"no empty line before {line}"] * bool(before)
        elif line and not line.startswith(" "):
            section = ""
        elif line and section in LISTS and not _is_entry(line):
            found.append(f"not an entry: {line.strip()}")
        elif section in TEXTS and before == f"{section}:" and line.strip()[:1].islower():
            found.append(f"a sentence begins with a capital letter: {line.strip()}")
    if order != sorted(set(order), key=ORDER.index):
        found.append(f"not in the order of {', '.join(ORDER)}: {', '.join(order)}")
    return found


def _is_entry(line: str) -> bool:
    """Tell whether a line in a list is `name: text`, or continues one."""
    if line.startswith(" " * 8):
        return True
    name, _, text = line.strip().partition(": ")
    word = re.split(r"\W", text)[0]
    is_small = word in NAMES or not word.istitle()
    return bool(re.fullmatch(r"[\w.*`, ]+", name)) and bool(text) and is_small


def docstrings(package: Path) -> Iterator[tuple[str, str]]:
    """Yield each docstring of a package, after where it is."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, kinds) and (doc := ast.get_docstring(node)):
                yield f"{path.relative_to(package)}:{getattr(node, 'lineno', 1)}", doc


@pytest.mark.parametrize("package", PACKAGES, ids=lambda path: path.name)
def test_docstrings_have_one_form(package: Path) -> None:
    """Sections have these names, this order, and entries that begin with a small letter."""
    found = [f"{where}: {one}" for where, doc in docstrings(package) for one in problems(doc)]
    assert not found, "\n".join(found)


GOOD = """Do it.

Args:
    path: the file, which may be
        missing.
    size: SHA-256, HOST:PATH and None keep their capital letters.

Returns:
    What was done.

Raises:
    OSError: `path` cannot be read.
"""


def test_the_form_itself_has_no_problem() -> None:
    """Also where an entry has several lines, or begins with a name."""
    assert problems(GOOD) == []


@pytest.mark.parametrize(
    ("form", "other", "problem"),
    [
        ("Args:", "Arguments:", "no such heading: Arguments:"),
        ("Args:", "Args, Raises: as elsewhere.", "no such heading: Args, Raises: as elsewhere."),
        ("Raises:", "Raises: as elsewhere.", "no such heading: Raises: as elsewhere."),
        ("Do it.", ":param path: the file.", "no such heading: :param path: the file."),
        ("the file", "The file", "not an entry: path: The file, which may be"),
        ("path: the", "path - the", "not an entry: path - the file, which may be"),
        ("What", "what", "a sentence begins with a capital letter: what was done."),
        ("done.\n\n", "done.\n", "no empty line before Raises:"),
        ("Args:", "Yields:", "not in the order of"),
    ],
)
def test_any_other_form_is_a_problem(form: str, other: str, problem: str) -> None:
    """It is reported with the line."""
    found = problems(GOOD.replace(form, other, 1))
    assert any(one.startswith(problem) for one in found), found
