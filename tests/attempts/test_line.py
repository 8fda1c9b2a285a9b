"""A line of the ledger is read as it was written, or it is refused."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csf_backup_plugin.attempts.line import (
    BEGIN,
    END,
    SCHEMA,
    Line,
    NewerLine,
    UnreadableLine,
    decode,
    encode,
)

BEGUN: dict[str, Any] = {
    "at": "2026-11-30T05:15:35+00:00",
    "driver": "vm",
    "user": "root",
    "pid": 7,
    "command": "csf-backup",
    "run_id": None,
    "host": "db9",
    "image": "db9:/a.img",
    "image_dirs": ["db9:/b"],
    "database": "/lib.db",
}
ENDED: dict[str, Any] = {
    **BEGUN,
    "exit_code": 0,
    "outcome": "done",
    "seconds": 1.5,
    "bytes": 4096,
    "repository_id": "ab",
    "place": "monday",
    "number": 7,
    "drilled": True,
    "warnings": 0,
    "error": None,
}

names = st.binary(max_size=40).map(os.fsdecode)


@given(names, names, st.lists(names, max_size=3))
def test_a_line_has_any_name_and_is_read_as_it_was_written(
    image: str, database: str, directories: list[str]
) -> None:
    """It is one line of ASCII, whatever bytes the names have."""
    facts = {**ENDED, "image": image, "database": database, "image_dirs": directories}
    line = Line(END, "ab12", facts)
    data = encode(line)
    assert decode(data) == line
    assert data.isascii()
    assert (data.count(b"\n"), data[-1:]) == (1, b"\n")


def test_names_are_written_as_in_every_document() -> None:
    """An error is a sentence, in which names are made printable already."""
    facts = {**ENDED, "image": os.fsdecode(b"db9:/a\\x0a\xff"), "error": "\\x0a failed: \udc80"}
    document = json.loads(encode(Line(END, "ab12", facts)))
    assert document["image"] == "db9:/a\\x5cx0a\\xff"
    assert document["error"] == "\\x0a failed: \\udc80"


def test_a_text_that_is_no_name_is_written_all_the_same() -> None:
    """No command fails because of what the user typed."""
    document = json.loads(encode(Line(BEGIN, "ab12", {**BEGUN, "image": "half: \ud800"})))
    assert document["image"] == "half: \\ud800"


@pytest.mark.parametrize("event", [BEGIN, END])
def test_a_key_that_is_not_known_is_ignored(event: str) -> None:
    """A later version may add a key; a key that is missing is empty."""
    line = Line(event, "ab12", BEGUN if event == BEGIN else ENDED)
    document = {**json.loads(encode(line)), "more": {"a": [1]}}
    del document["host"]
    found = decode(json.dumps(document).encode())
    assert found == line._replace(facts={**line.facts, "host": None})


WRONG: list[dict[str, Any]] = [
    {"event": "middle"},
    {"event": ["end"]},
    {"event": None},
    {"attempt": 7},
    {"schema": None},
    {"schema": "csf-backup/receipt/1"},
    {"schema": "csf-backup/attempt/0"},
    {"at": None},
    {"at": 7},
    {"at": "yesterday"},
    {"at": "2026-11-30T05:15:35"},
    {"pid": "7"},
    {"pid": True},
    {"user": None},
    {"image": 7},
    {"image": "\ud800"},
    {"image_dirs": None},
    {"image_dirs": [7]},
    {"image_dirs": "db9:/b"},
    {"exit_code": "0"},
    {"exit_code": False},
    {"outcome": None},
    {"seconds": float("nan")},
    {"seconds": float("inf")},
    {"seconds": "1"},
    {"bytes": 1.5},
    {"drilled": 1},
    {"warnings": True},
    {"error": ["a"]},
]


@pytest.mark.parametrize("wrong", WRONG, ids=str)
def test_a_value_of_another_kind_is_refused(wrong: dict[str, Any]) -> None:
    """So the fields of an attempt have the types that are declared."""
    document = {"schema": SCHEMA, "event": END, "attempt": "ab12", **ENDED}
    assert decode(json.dumps(document).encode()).event == END
    with pytest.raises(UnreadableLine):
        decode(json.dumps({**document, **wrong}).encode())


@pytest.mark.parametrize(
    "data", [b"", b"\n", b"{", b"7", b"[]", b"null", b'{"schema":7}', b"\xff", b"[" * 100_000]
)
def test_what_is_no_line_is_refused(data: bytes) -> None:
    """A line may hold anything."""
    with pytest.raises(UnreadableLine):
        decode(data)


def test_a_newer_version_is_distinguished() -> None:
    """Its lines are whole, but this version does not understand them."""
    with pytest.raises(NewerLine, match="csf-backup/attempt/2"):
        decode(b'{"schema":"csf-backup/attempt/2"}')
