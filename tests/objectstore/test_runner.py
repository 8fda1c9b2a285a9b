"""A utility is run to its end within its time limit, and problems are reported."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, NoReturn

import pytest

from csf_backup_plugin.errors import ImageExists, OsrestoreFailed, TimedOut
from csf_backup_plugin.hosts.protocol.values import Completed
from csf_backup_plugin.objectstore.runner import Utility, run, run_to_success
from doubles import MemoryHost

if TYPE_CHECKING:
    from collections.abc import Callable

    from csf_backup_plugin.objectstore.runner import Watch

OSRESTORE = Utility(
    "osrestore", ["/os/osrestore"], "/r/lib.db", None, "/r/lib.db.run", 600, "Give it longer."
)


class Polled(MemoryHost):
    """A host whose utility ends after some polls.

    Args:
        ends: how each poll goes.
    """

    def __init__(self, *ends: Completed | None) -> None:
        super().__init__({})
        self._ends = iter(ends)

    def poll(self) -> tuple[Completed | None, int]:
        return next(self._ends), 7


def refused(error: OSError) -> Callable[..., NoReturn]:
    """Return an operation that fails."""

    def fail(*_: object, **_options: object) -> NoReturn:
        raise error

    return fail


def silent() -> Watch:
    """Return a listener that shows nothing."""
    return lambda _completed, _size: None


def test_every_poll_is_reported_and_the_last_one_returned() -> None:
    """Each report has the size of the watched file."""
    done, seen = Completed(3, b"words"), list[tuple[Completed | None, int]]()

    def told(completed: Completed | None, size: int) -> None:
        seen.append((completed, size))

    assert run(OSRESTORE, Polled(None, done), lambda: told) == done
    assert seen == [(None, 7), (done, 7)]


def test_a_utility_that_does_not_end_in_time_is_late() -> None:
    """The caller decides what to do."""
    with pytest.raises(TimedOut, match="osrestore did not end within 0 s on db1") as caught:
        run(OSRESTORE._replace(timeout=0), Polled(), silent)
    assert caught.value.next_step == "Give it longer."


def test_a_utility_that_does_not_begin_in_time_is_late() -> None:
    """The disk may not answer; a timeout of the system is an error of its own."""
    host = Polled()
    host.start = refused(TimeoutError())  # type: ignore[method-assign]
    with pytest.raises(TimedOut, match="osrestore did not end within 600 s on db1"):
        run(OSRESTORE, host, silent)
    host.start = refused(TimeoutError(errno.ETIMEDOUT, "Connection timed out"))  # type: ignore[method-assign]
    with pytest.raises(TimeoutError, match="Connection timed out"):
        run(OSRESTORE, host, silent)


def test_a_status_other_than_zero_is_a_failure() -> None:
    """The caller chooses the kind of error."""
    with pytest.raises(OsrestoreFailed, match=r"osrestore failed on db1, at work: exit 3"):
        run_to_success(OSRESTORE, Polled(Completed(3, b"")), silent, OsrestoreFailed, "at work")


@pytest.mark.parametrize(
    ("number", "kind", "said"),
    [
        (errno.ENOENT, OsrestoreFailed, "/os/osrestore could not be run on db1: Bad"),
        (errno.ENOSPC, OSError, "Bad"),
        (errno.EEXIST, ImageExists, "It is there."),
    ],
)
def test_what_keeps_a_utility_from_being_run_is_distinguished(
    monkeypatch: pytest.MonkeyPatch, number: int, kind: type[Exception], said: str
) -> None:
    """A full disk, or a foreign record, is no failure of the utility."""
    host = Polled()

    def start(*_: object, **_options: object) -> None:
        raise OSError(number, "Bad")

    monkeypatch.setattr(host, "start", start)
    taken = ImageExists("It is there.", "Name another.")
    with pytest.raises(kind, match=said):
        run_to_success(OSRESTORE, host, silent, OsrestoreFailed, "at work", taken)
