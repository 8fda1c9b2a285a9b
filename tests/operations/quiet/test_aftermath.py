"""What is reported about the `end` call after a utility."""

from __future__ import annotations

import pytest

from csf_backup_plugin.errors import HostUnreachable, LockBusy, NotQuiet, OsbackupFailed
from csf_backup_plugin.hosts.protocol.programs import Quiesce
from csf_backup_plugin.objectstore.quiesce_calls import not_quiet, read_calls
from csf_backup_plugin.operations.quiet.aftermath import report_end_call
from csf_backup_plugin.operations.quiet.debt import Debt, encode
from csf_backup_plugin.repository.model import Repository
from doubles import MemoryHost, MemoryLock

REPOSITORY = Repository("/r/lib.db")
QUIESCE = Quiesce("/etc/quiesce", "/r/lib.db", "/r/lib.db.quiesced", "", 60.0)
RUN = "/b/a.img.run"


def host(**files: bytes) -> MemoryHost:
    """Return a host with a record of the calls."""
    return MemoryHost({f"{RUN}/{name}": data for name, data in files.items()})


def after(on: MemoryHost, error: Exception | None = None, *, is_left: bool = False) -> list[str]:
    """Return the warnings after a utility that has succeeded or failed."""
    lock = MemoryLock(on)
    lock.is_left = is_left
    with report_end_call(QUIESCE, REPOSITORY, RUN, lock, on) as warnings:
        if error:
            raise error
    return warnings


def failed(on: MemoryHost, error: OsbackupFailed | NotQuiet | LockBusy, **how: bool) -> str:
    """Return what is added to an error."""
    with pytest.raises(type(error)):
        after(on, error, **how)
    return error.what.removeprefix("It failed.")


def test_an_end_that_went_well_is_not_worth_a_word() -> None:
    """After a failure the message says that the servers run again."""
    good = host(quiesce=b"begin 0\nend 0\n")
    assert after(good) == []
    assert failed(good, OsbackupFailed("It failed.", "")) == ""
    said = failed(host(quiesce=b"begin 3\nend 0\n"), NotQuiet("It failed.", ""))
    assert said == "\nThen /etc/quiesce end /r/lib.db was called, and succeeded."


def test_an_end_that_failed_is_named_to_be_called_by_hand() -> None:
    """The message has the program's output."""
    bad = host(quiesce=b"begin 0\nend 137\n", end=b"\0cannot start\n")
    expected = (
        "/etc/quiesce end /r/lib.db failed on db1: signal 9, and printed:\n"
        "    cannot start\n"
        "  What it should start may still be stopped: run it there, and remove /r/lib.db.quiesced. "
        "While that is there, each backup runs it again"
    )
    assert after(bad) == [expected]
    assert failed(bad, OsbackupFailed("It failed.", "")) == f"\n{expected}."


def test_the_end_is_called_now_if_the_guardian_was_killed() -> None:
    """Its result is reported; if `begin` was never called, nothing is called."""
    killed = host(quiesce=b"begin 0\n")
    owed = Debt("/etc/quiesce", "/r/lib.db", 60.0, "a" * 32, "db1", "2026-11-25T02:10:00+00:00")
    killed.files["/r/lib.db.quiesced"] = encode(owed).encode()
    killed.listing = killed.listing._replace(output=b"0\n")
    assert "It was called on db1 now, and succeeded" in after(killed)[0]
    unbegun = host(quiesce=b"owed 1\n")
    assert after(unbegun) == []
    assert failed(unbegun, NotQuiet("It failed.", "")) == ""


def test_what_cannot_be_known_is_reported() -> None:
    """The lock may be another's, the host gone, or the utility still running."""
    unknown = "hether /etc/quiesce end /r/lib.db was called on db1 is not known: the next command"
    assert unknown in failed(host(), LockBusy("It failed.", ""))
    left = failed(host(), OsbackupFailed("It failed.", ""), is_left=True)
    assert "is called on db1 as soon as what was started there has ended" in left

    class Gone(MemoryHost):
        def read_each(self, _paths: object) -> list[bytes | OSError | None]:
            raise HostUnreachable("It is gone.", "Look.")

    assert unknown in after(Gone({}))[0]


def test_where_nothing_makes_quiet_nothing_is_read() -> None:
    """Nothing is reported either."""
    with report_end_call(None, REPOSITORY, RUN, None, MemoryHost({})) as warnings:
        pass
    assert warnings == []


def test_calls_are_read_as_far_as_they_are_on_record() -> None:
    """A full disk may have cut the record."""
    assert read_calls(RUN, host()) == (None, None)
    begin, end = read_calls(RUN, host(quiesce=b"begin 124\nend \ntorn"))
    assert begin is not None
    assert (begin.status, end and end.status) == (124, 256)


def test_a_record_that_cannot_be_written_is_reported() -> None:
    """The message says that nothing was called."""
    error = not_quiet("osbackup", QUIESCE, RUN, host(quiesce=b"owed 1\n"))
    assert error.what == (
        "/r/lib.db.quiesced could not be written on db1, so /etc/quiesce begin /r/lib.db was not "
        "called there, and osbackup was not run."
    )
