"""What another host tells of a directory that changes while it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from csf_backup_plugin.hosts.ssh.directory import read_directory
from csf_backup_plugin.hosts.ssh.session import Answer

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.ssh.connection import Connection

LISTED = b"a.json\0f\x001\0001.5\0b.json\0f\x001\0001.5\0//\0//\0"


def told(answer: Answer) -> Connection:
    """Return a connection whose host gives an answer."""

    class Told:
        def ask(self, *_arguments: str) -> Answer:
            return answer

    return cast("Connection", Told())


def of(name: bytes, contents: bytes) -> bytes:
    """Return what is told of a file."""
    said = b"0 0+1 records out\n%d bytes copied, 0.1 s" % len(contents)
    return b"%s%s%8d%s%8d" % (contents, said, len(said), name, len(name))


def test_files_that_come_or_go_meanwhile_are_told_apart() -> None:
    """One is gone, and another one was not there when the directory was listed."""
    answer = Answer(0, LISTED + of(b"a.json", b"A") + of(b"new.json", b"N"), b"")
    entries, contents = read_directory(told(answer), "/d", ".json")
    assert [entry.name for entry in entries] == ["a.json", "b.json"]
    assert contents == {"a.json": b"A", "b.json": None}


def test_what_cannot_be_read_is_not_taken_for_gone() -> None:
    """No receipt is passed over because a program fails."""
    answer = Answer(91, LISTED, b"xargs: sh: No such file or directory\n")
    with pytest.raises(OSError, match="No such file"):
        read_directory(told(answer), "/d", ".json")
