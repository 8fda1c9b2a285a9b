"""The page that describes the format is true."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import pytest

from csf_simulator.image import base, catalog, checksums, layout, record_format

PAGE = (Path(__file__).parents[3] / "simulator" / "IMAGE_FORMAT.md").read_text(encoding="utf-8")


def fields(heading: str) -> list[tuple[int, int]]:
    """Return offset and length of each field in the first table after a heading."""
    lines = PAGE[PAGE.index(heading) :].splitlines()
    table = itertools.dropwhile(lambda line: not line.startswith("| offset"), lines)
    rows = itertools.takewhile(lambda line: line.startswith("|"), table)
    found = (re.match(r"\| (\d+) \| (\d+) \|", row) for row in rows)
    return [(int(match[1]), int(match[2])) for match in found if match]


@pytest.mark.parametrize(
    ("heading", "size"),
    [
        ("## Header of a volume", layout.VOLUME_SIZE),
        ("## Record", layout.RECORD_SIZE),
        ("The payload of a `BASE` record", 24),
        ("The payload of an `OVER` record", base.BASE_SIZE),
        ("It begins with", record_format.HEADER_SIZE),
        ("Each entry", record_format.ENTRY_SIZE),
    ],
)
def test_fields_fill_their_header(heading: str, size: int) -> None:
    """Each field begins at the end of the one before, and the last ends the header."""
    end = 0
    for offset, length in fields(heading):
        assert offset == end
        end += length
    assert end == size


def test_page_has_all_kinds_of_records() -> None:
    """The page names the kinds that the program knows, and no others."""
    kinds = (
        layout.INFO,
        layout.DATABASE,
        layout.OVER,
        layout.DATA,
        layout.ZERO,
        layout.SAME,
        layout.NEXT,
        layout.DONE,
    )
    assert re.findall(r"^\| `(\w{4})` \|", PAGE, re.MULTILINE) == [kind.decode() for kind in kinds]


@pytest.mark.parametrize(
    "number",
    [
        layout.PAYLOAD_LIMIT,
        layout.FRAME,
        layout.RUN_LIMIT,
        catalog.SECTORS_LIMIT,
        layout.PIECE,
        checksums.PACKED_PAGE,
        record_format.SEAL,
    ],
)
def test_page_has_all_limits(number: int) -> None:
    """A changed limit must be changed on the page, too."""
    assert str(number) in PAGE
