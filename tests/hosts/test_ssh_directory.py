"""What another host tells of a directory that changes while it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest

from csf_backup_plugin.hosts.ssh.errors import Answer
from csf_backup_plugin.hosts.ssh.looking import Looking

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.ssh.connection import Connection

LISTED = b"a.json\0f\x001\0001.5\0b.json\0f\x001\0001.5\0//\0//\0"


class Told(Looking):
    """A host that gives one answer, whatever is asked."""

    name = "remote"

    def __init__(self, answer: Answer) -> None:
        class Answers:
            def ask(self, *_arguments: str) -> Answer:
                return answer

        self._connection = cast("Connection", Answers())


def of(name: bytes, contents: bytes) -> bytes:
    """Return what is told of a file."""
    said = b"0 0+1 records out\n%d bytes copied, 0.1 s/%s" % (len(contents), name)
    return b"%s%s%8d" % (contents, said, len(said))


def test_files_that_come_or_go_meanwhile_are_told_apart() -> None:
    """One is gone, and another one was not there when the directory was listed."""
    answer = Answer(0, LISTED + of(b"a.json", b"A") + of(b"new.json", b"N"), b"")
    entries, contents = Told(answer).read_directory("/d", ".json")
    assert [entry.name for entry in entries] == ["a.json", "b.json"]
    assert contents == {"a.json": b"A", "b.json": None}


def test_what_cannot_be_read_is_not_taken_for_gone() -> None:
    """No receipt is passed over because a program fails."""
    answer = Answer(1, LISTED, b"find: '/d/': Input/output error\n")
    with pytest.raises(OSError, match="Input/output error"):
        Told(answer).read_directory("/d", ".json")
