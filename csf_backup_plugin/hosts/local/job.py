"""A running osbackup or osrestore, below a guardian: see `hosts.guardian`."""

from __future__ import annotations

import contextlib
import os
import subprocess
import time
from typing import IO, TYPE_CHECKING

from csf_backup_plugin.hosts import common, guardian, quiescing
from csf_backup_plugin.hosts.local import process_table
from csf_backup_plugin.hosts.local.kinds import kind_of
from csf_backup_plugin.hosts.local.process_group import Child, Group, wait
from csf_backup_plugin.hosts.local.run_record import Record
from csf_backup_plugin.hosts.protocol.values import UNKNOWN, Completed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from csf_backup_plugin.cancellation import Cancellation
    from csf_backup_plugin.hosts.local.lock_file import LockFile
    from csf_backup_plugin.hosts.protocol.programs import Quiesce

_POLL = 0.1  # seconds
_BEGINNING = 10.0  # seconds until a guardian has started the utility
_LAST_WORDS = 1.0  # seconds until the keeper has what an ended utility has printed


class Job:
    """A running utility.

    Args:
        argv: its command.
        record: the record of its run.
        watched: the file whose growth `poll` reports.
        watch: its guardian.
        keeper: the program that keeps its output.
        kept: the file that the keeper writes to.
        cancellation: ends the wait for it.
        quiesce: what makes the repository quiet meanwhile, if anything.
    """

    def __init__(
        self,
        argv: Sequence[str],
        record: Record,
        watched: str,
        watch: Child,
        keeper: Child,
        kept: int,
        cancellation: Cancellation,
        quiesce: Quiesce | None = None,
    ) -> None:
        self._argv = argv
        self._record = record
        self._watched = watched
        self._guardian = watch
        self._keeper = keeper
        self._kept = kept
        self._cancellation = cancellation
        self._quiesce = quiesce
        self._group: int | None = None

    @property
    def is_quiesced(self) -> bool:
        """Whether the guardian has something to call after the utility."""
        return self._quiesce is not None

    def begin(self, timeout: float) -> None:
        """Wait until the utility begins, so that it can be ended."""
        if self._quiesce:
            self._wait_until_quiet(self._quiesce.limit + _BEGINNING)
        deadline = time.monotonic() + min(_BEGINNING, timeout)
        # On a slower machine the guardian begins later, and `stop` asks it then.
        while time.monotonic() < deadline:  # pragma: no branch
            self._group = self._record.group()
            if self._group is not None or self._has_ended():
                return
            time.sleep(0.001)

    def _wait_until_quiet(self, seconds: float) -> None:
        """Wait until it is decided whether the utility begins, for a number of seconds at most."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self._record.report():
            self._cancellation.check()
            if self._has_ended() or self._guardian.ended() is not None:
                return
            time.sleep(0.01)

    def _has_ended(self) -> bool:
        return self._ended() not in (None, UNKNOWN) or self._record.status() == guardian.UNHELD

    def poll(self) -> tuple[Completed | None, int]:
        """Wait a little; return how it ended, once it has, and the watched file's size so far."""
        self._cancellation.check()
        wait(self._ended, _POLL)
        return self._completed(self._status()), kind_of(self._watched)[1]

    def stop(self) -> bool:
        """End what still runs of the utility; return whether all of it is gone.

        What is called after it has then ended, too, unless it cannot be ended. The record may have
        been moved, or be on a dead disk.
        """
        if self._quiesce:
            self._record.stop()
        try:
            group = self._record.group()
        except OSError:
            if self._group is None:
                return False
            group = self._group
        is_gone = group is None or Group(group, self._ended).close()
        return is_gone and self._has_parted()

    def _has_parted(self) -> bool:
        """Wait until the guardian has made all its calls; return whether it has."""
        if not self._quiesce:
            return True
        limit = quiescing.longest(self._quiesce.limit)
        return wait(lambda: 1 if self._is_parted() else None, limit) is not None

    def _is_parted(self) -> bool:
        if self._guardian.ended() is not None:
            return True
        return self._ended() is not None and self._record.is_released()

    def _completed(self, status: int | None) -> Completed | None:
        return None if status is None else Completed(status, self._said())

    def _said(self) -> bytes:
        wait(
            self._keeper.ended, _LAST_WORDS
        )  # this waits in vain if the utility has left processes behind
        start = max(0, os.fstat(self._kept).st_size - common.LAST_SAID)
        return os.pread(self._kept, common.LAST_SAID, start).replace(b"\0", b"")

    def _status(self) -> int | None:
        """Return how the utility ended, once it has; that is unknown if its guardian is gone.

        Raises:
            OSError: it could not be executed, or the record cannot be read.
        """
        is_guarded = self._guardian.ended() is None  # first: it writes, then exits
        word = self._record.status()
        if word == guardian.RUNNING and is_guarded:
            return None
        return guardian.status(word, self._argv[0], self._said)

    def _ended(self) -> int | None:
        try:
            return self._status()
        except OSError:
            return UNKNOWN


@contextlib.contextmanager
def started(
    argv: Sequence[str],
    watched: str,
    lock: LockFile | None,
    path: str,
    cancellation: Cancellation,
    timeout: float = common.BEGINNING,
    *,
    note: bytes = b"",
    readings: Sequence[str] = (),
    quiesce: Quiesce | None = None,
) -> Iterator[Job]:
    """Run a utility while the block runs; see `Host.start`.

    The utility prints into a pipe. The process at its other end goes on if we are killed, as the
    guardian does: otherwise the utility would fail at its next output.
    """
    cancellation.check()
    record = Record(path)
    record.make(note)
    if lock:
        lock.sign_for(path, argv)
    with contextlib.ExitStack() as stack:
        kept = record.open_output()
        stack.callback(os.close, kept)
        keep = _start(["sh", "-c", common.KEEP], subprocess.PIPE, kept)
        keeper = Child(keep)
        stack.callback(keeper.kill)
        assert keep.stdin is not None
        with keep.stdin as pipe:
            cancellation.check()
            command = guardian.command(path, process_table.itself(), argv, readings, quiesce)
            watch = Child(_start(command, lock.descriptor if lock else subprocess.DEVNULL, pipe))
        job = Job(argv, record, watched, watch, keeper, kept, cancellation, quiesce)
        stack.callback(_end, job, watch, lock)
        job.begin(timeout)
        yield job


def _start(argv: Sequence[str], stdin: int, stdout: int | IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a process that may outlive us, and keeps no directory in use."""
    return subprocess.Popen(
        argv,
        stdin=stdin,
        stdout=stdout,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )


def _end(job: Job, watch: Child, lock: LockFile | None) -> None:
    """End the utility; end its guardian, which only holds the lock, when the lock is released.

    If the utility cannot be ended, its guardian keeps the lock.
    """
    is_gone = job.stop()
    if lock is None and (is_gone or not job.is_quiesced):
        watch.kill()
    elif lock and is_gone:
        lock.on_release.callback(watch.kill)
    elif lock:
        lock.is_left = True
