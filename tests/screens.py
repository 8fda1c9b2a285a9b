"""What a status prints, as docs/monitoring.md shows it, without what varies."""

from __future__ import annotations

import json
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

_DOCUMENT = Path(__file__).parents[1] / "docs" / "monitoring.md"
_BLOCK = re.compile(r"<!-- day (\d+): (\w+) -->\n```\w*\n(.*?)```", re.DOTALL)
_COLUMNS = 80
_ROWS = 2  # of a table
_FOLDED = "      "
# Numbers that differ each time, and what the document shows instead.
_OTHERS: list[tuple[str, str | Callable[[re.Match[str]], str]]] = [
    (r"-021\d\d\d\.img", "-021000.img"),
    (r"T02:1\d:\d\d", "T02:10:00"),
    (r"takes about [\d.]+ s", "takes about 0.4 s"),
    (r"[\d,]+ bytes free", "24,576 bytes free"),
    (r'repository="\w+"', 'repository="5ae10c3b7f2d4968b1c0e7d35f8a2964"'),
    (r'machine="[^"]+"', 'machine="db1"'),
    (r"size'=\d+B", "size'=2020870B"),
    (r"(image_size_bytes.*}) \d+", r"\1 2020870"),
    (r"(directory_free_bytes.*}) \d+", r"\1 24576"),
    (r"(directory_needed_bytes.*}) \d+", r"\1 3089654"),
    (r"(last_duration_seconds.*}) [\d.]+", r"\1 0.745"),
    (r'version="[^"]+"', 'version="0.1.0"'),
    (r"age'=(-?\d+)s", lambda found: f"age'={round(int(found[1]) / 60) * 60}s"),
    (r"(timestamp_seconds\S*) (\d+)\d\d[\d.]*$", r"\1 \g<2>00"),
]
_FACTS = ("faults", "stale", "notes", "room_for_sets", "last_attempt")
_OF_AN_ATTEMPT = ("began", "outcome", "exit_code", "error")


def documented() -> dict[tuple[int, str], str]:
    """Return each screen in the document, by day and format."""
    found = _BLOCK.findall(_DOCUMENT.read_text())
    return {(int(day), form): text for day, form, text in found}


def documented_alerts() -> dict[str, list[str]]:
    """Return the alerts that fire on each day, according to the document."""
    rows = re.findall(r"^\| (\d+) \| (none|`Csf.*) \|$", _DOCUMENT.read_text(), re.MULTILINE)
    return {day: re.findall(r"`(\w+)`", alerts) for day, alerts in rows}


def screen(form: str, text: str) -> str:
    """Return what the document shows of a status.

    Args:
        form: the format.
        text: what was printed.
    """
    for pattern, instead in _OTHERS:
        text = re.sub(pattern, instead, text, flags=re.MULTILINE)
    return _SHOWN[form](text) if form in _SHOWN else text


def _folded(text: str) -> str:
    """Return a text with folded sentences, and the first rows of its table."""
    told, _, table = text.partition("\n\n")
    lines = [
        textwrap.fill(
            *(line, _COLUMNS),
            subsequent_indent=_FOLDED,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in told.splitlines()
    ]
    rows = table.splitlines()[: _ROWS + 1]
    return "\n".join([*lines, "", *rows, "  ...", ""])


def _chosen(text: str) -> str:
    """Return some of the facts about the only repository, as jq prints them."""
    (one,) = json.loads(text)["repositories"]
    facts = {key: one[key] for key in _FACTS}
    facts["last_attempt"] = {key: facts["last_attempt"][key] for key in _OF_AN_ATTEMPT}
    return json.dumps(facts, indent=2) + "\n"


def _samples(text: str) -> str:
    """Return the samples of a page."""
    return "".join(line for line in text.splitlines(keepends=True) if line[0] != "#")


_SHOWN = {"text": _folded, "json": _chosen, "prometheus": _samples}
