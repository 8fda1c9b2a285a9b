"""The `end` call that a killed run owes: it is made once a command has the lock."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING

import hypothesis
import hypothesis.strategies as st
import pytest

from csf_backup_plugin.errors import HostUnreachable
from csf_backup_plugin.hosts.protocol.values import Completed
from csf_backup_plugin.operations.quiet.debt import Debt, decode, encode, settle_debt
from csf_backup_plugin.repository.model import Repository
from doubles import MemoryHost, MemoryLock

if TYPE_CHECKING:
    from collections.abc import Sequence

REPOSITORY = Repository("/r/lib.db")
DEBT = Debt("/etc/quiesce", "/r/lib.db", 300.0, "a" * 32, "db1", "2026-11-25T02:10:00+00:00")
OWED = "/etc/quiesce end /r/lib.db has been owed since 2026-11-25T02:10:00+00:00"
BY_HAND = "Run it on db1, and remove /r/lib.db.quiesced"


class Called(MemoryHost):
    """A host that runs a program, or fails to do so.

    Args:
        owed: what is on record.
        ended: how the call ends.
    """

    def __init__(self, owed: str, ended: Completed | Exception) -> None:
        super().__init__({"/r/lib.db": b"1", "/r/lib.db.quiesced": owed.encode()})
        self.ended = ended
        self.ran: list[Sequence[str]] = []

    def run(self, argv: Sequence[str], _timeout: float) -> Completed:
        self.ran.append(argv)
        if isinstance(self.ended, Exception):
            raise self.ended
        return self.ended


def told(host: MemoryHost, *, dry_run: bool = False) -> str:
    """Return the messages of a command that has the lock."""
    (warning,) = settle_debt(REPOSITORY, MemoryLock(host), host, dry_run=dry_run)
    return warning


@hypothesis.given(
    st.lists(st.text(st.characters(exclude_categories=["Cc", "Cs"])), min_size=5, max_size=5),
    st.integers(1, 10**5),
)
def test_what_is_on_record_is_read_again(words: list[str], limit: int) -> None:
    """This holds for any legal path."""
    program, master, *rest = words
    debt = Debt(program, master, float(limit), *rest)
    assert decode(encode(debt).encode()) == debt


def test_what_is_not_as_it_was_written_is_not_read() -> None:
    """Truncated, incomplete and other documents are refused."""
    data = encode(DEBT).encode()
    assert [decode(data[:size]) for size in range(len(data))] == [None] * len(data)
    lines = data.splitlines(keepends=True)
    for at in range(len(lines)):
        assert decode(b"".join(lines[:at] + lines[at + 1 :])) is None
    assert decode(data + b"more\n") is None
    assert decode(data.replace(b"limit 300", b"limit long")) is None


def test_where_nothing_is_owed_nothing_is_said() -> None:
    """This is the usual case."""
    host = MemoryHost({"/r/lib.db": b"1"})
    assert settle_debt(REPOSITORY, MemoryLock(host), host) == []


def test_what_is_owed_is_called() -> None:
    """The user learns since when the servers were stopped."""
    host = Called(encode(DEBT), Completed(0, b"0\n"))
    assert told(host) == (
        "/etc/quiesce end /r/lib.db had been owed since 2026-11-25T02:10:00+00:00, by a run that "
        "was killed or whose call failed. It was called on db1 now, and succeeded"
    )
    assert host.ran[0][3:] == [
        *("/r/lib.db.quiesced", "/etc/quiesce", "300", "/r/lib.db", encode(DEBT)),
    ]


@pytest.mark.parametrize(
    ("ended", "how"),
    [
        (Completed(0, b"7\n"), "failed: exit 7, and printed nothing"),
        (Completed(0, b"124\n"), "failed: it did not end within 300 s: exit 124, and printed noth"),
        (Completed(0, b"what\n"), "failed: its exit status is not known"),
        (Completed(0, b""), "was not called, since another user has written that file"),
        (TimeoutError(), "did not end"),
        (OSError(errno.EIO, "Input/output error"), "may not have been called: Input/output error"),
        (HostUnreachable("It is gone.", "Look."), "may not have been called: It is gone."),
    ],
)
def test_what_could_not_be_called_is_named_to_be_called_by_hand(
    ended: Completed | Exception, how: str
) -> None:
    """The command itself continues."""
    text = told(Called(encode(DEBT), ended))
    assert text.startswith(f"{OWED} (/r/lib.db.quiesced), and {how}")
    assert text.endswith(BY_HAND)


def test_nothing_is_called_without_a_lock_that_keeps_others_out() -> None:
    """Another command may be running, for which the servers were stopped."""
    host = Called(encode(DEBT), Completed(0, b"0\n"))
    lock = MemoryLock(host)
    lock.unsupported = "No locks available"
    for held in (None, lock):
        (text,) = settle_debt(REPOSITORY, held, host)
        assert text == (
            f"{OWED} (/r/lib.db.quiesced), and was not called, since the repository cannot be "
            f"locked. {BY_HAND}"
        )
    assert host.ran == []


def test_nothing_is_called_on_another_machine_or_for_a_copy() -> None:
    """Other servers may have that name there."""
    elsewhere = Called(encode(DEBT._replace(machine="db2")), Completed(0, b"0\n"))
    assert "on db2; this is db1. Run it on db2, and remove" in told(elsewhere)
    copied = Called(encode(DEBT._replace(master="/old/lib.db")), Completed(0, b"0\n"))
    assert "/r/lib.db.quiesced on db1 is about /old/lib.db, so the `end`" in told(copied)
    damaged = Called("torn", Completed(0, b"0\n"))
    assert "/r/lib.db.quiesced on db1 cannot be read, so the `end`" in told(damaged)
    assert [*elsewhere.ran, *copied.ran, *damaged.ran] == []


def test_what_cannot_be_read_is_reported() -> None:
    """It does not count as nothing owed."""
    host = Called("", Completed(0, b"0\n"))
    host.unreadable["/r/lib.db.quiesced"] = PermissionError(errno.EACCES, "Permission denied")
    assert told(host).startswith("whether a call with `end` is owed is not known: Permission")


def test_a_dry_run_only_tells() -> None:
    """It says that the program would be called."""
    host = Called(encode(DEBT), Completed(0, b"0\n"))
    assert told(host, dry_run=True) == f"{OWED} (/r/lib.db.quiesced); it would be called"
    assert host.ran == []
