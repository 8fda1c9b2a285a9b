"""osbackup running detached on the host: a cut connection neither ends nor repeats it.

It runs below a guardian (see `hosts.guardian`), in a session of its own; `job.sh` is the host's
side. Disk space for the whole record is allocated before the start, so that the record can be
written even if the disk becomes full.
"""

from __future__ import annotations

import contextlib
import secrets
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import BackupError, HostUnreachable, LockBusy
from csf_backup_plugin.hosts import common, guardian, quiescing
from csf_backup_plugin.hosts.protocol.values import Completed
from csf_backup_plugin.hosts.ssh.errors import Status, check
from csf_backup_plugin.hosts.ssh.login import Cut
from csf_backup_plugin.hosts.ssh.request import GRACE
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from csf_backup_plugin.hosts.protocol.programs import Quiesce
    from csf_backup_plugin.hosts.ssh.connection import Connection
    from csf_backup_plugin.hosts.ssh.errors import Answer
    from csf_backup_plugin.hosts.ssh.lock import SshLock
    from csf_backup_plugin.hosts.ssh.request import Pending

_POLL = 1.0  # seconds after which the caller can report progress and check its time limit
_PARTING = 30.0  # seconds that ending it may take
_WITHOUT = 3.0  # seconds between two attempts to log in


class Job:
    """A utility that is running.

    Args:
        connection: the connection to its host.
        record: the directory of its record.
        watched: the file whose growth `poll` reports.
        lock: the lock that it inherits, if there is one.
        quiesce: the program that quiesces the repository meanwhile, if there is one.
    """

    def __init__(
        self,
        connection: Connection,
        record: str,
        watched: str,
        lock: SshLock | None,
        quiesce: Quiesce | None = None,
    ) -> None:
        self._connection = connection
        self._program = ""
        self._record = record
        self._token = secrets.token_hex(16)
        self._watched = watched
        self._lock = lock
        self._quiesce = quiesce
        self._at_work = False
        self._is_sure = False  # whether the start is known to have reached the host
        self._size = 0
        self._watch: Pending | None = None

    def start(self, argv: Sequence[str], timeout: float, note: bytes = b"") -> None:
        """Start it once; first write the note, unless that is empty, into its record.

        Raises:
            TimeoutError: it had not begun after `timeout` seconds.
            FileExistsError: the record belongs to another run.
            Cut: it was not started.
            Interrupted: a signal came first, and it was not started.
        """
        self._connection.cancellation.check()
        self._program = argv[0]
        descriptor = self._lock.descriptor if self._lock else ""
        work = guardian.work([*self._connection.readings.values()], argv, self._quiesce)
        words = ("job_start", self._record, self._token, descriptor, *work)
        until = time.monotonic() + timeout
        self._at_work = True
        try:
            answer, self._watch = self._connection.run_and_follow(
                words, self._following(""), data=note, grace=GRACE, until=until
            )
        except Cut as cut:
            self._connection.link.reconnect(cut, until)
            answer = self._connection.ask("job_resume", self._record, self._token, until=until)
            if answer.status == Status.NOT_STARTED:
                self._at_work = False
                raise
        self._is_sure = True
        self._at_work = answer.status in (0, Status.NOT_BEGUN)
        if answer.status != Status.NOT_BEGUN:
            check(answer, self._record)
        if self._quiesce:
            self._wait_until_quiet(self._quiesce.limit + _PARTING)

    def poll(self) -> tuple[Completed | None, int]:
        """Wait a moment; return how it ended, or None if it has not, and the watched file's size.

        While there is no connection, try to connect again; what the utility does is not known then.
        """
        self._connection.cancellation.check()
        try:
            answer = self._look()
        except TimeoutError:  # the lock's disk does not answer
            return None, self._size
        except HostUnreachable as error:
            self._connection.link.trial.lasts(error)
            self._watch = None
            time.sleep(_WITHOUT)
            return None, self._size
        if answer is None:
            return None, self._size
        self._watch = None
        if answer.status > common.LAST_STATUS:  # the call that follows the run was killed
            time.sleep(_POLL)
            return None, self._size
        if answer.status == Status.ANOTHERS_RUN:
            raise self._anothers()
        size, status, gone, output = check(answer, self._record).output.split(b"\n", 3)
        self._size = int(size)
        self._at_work = not gone
        if not status:
            return None, self._size
        if self._lock:
            self._part()
            self._lock.regain()
        ended = guardian.status(status.decode("ascii"), self._program, lambda: output)
        return Completed(ended, output), self._size

    def stop(self) -> None:
        """End all of it that still runs.

        Raises:
            HostUnreachable: whether it still runs is not known.
        """
        if not self._at_work:
            self._part()
            return
        until = time.monotonic() + _PARTING
        try:
            sure = "sure" if self._is_sure else ""
            quiesced = "quiesced" if self._quiesce else ""
            words = ("job_stop", self._record, self._token, sure, quiesced)
            status = self._connection.ask(*words, grace=GRACE, until=until).status
        except TimeoutError:  # the disk of the record does not answer
            status = Status.LEFT
        if status not in (0, Status.ANOTHERS_RUN) and self._lock:  # also if that is not known
            self._lock.is_left = True
        self._part()

    def _wait_until_quiet(self, seconds: float) -> None:
        """Wait until the utility begins, or will not begin, but no longer than `seconds`."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            self._connection.cancellation.check()
            if not self._connection.ask("job_is_quiet", self._record).status:
                return

    def _part(self) -> None:
        """Wait until the guardian has made its last call; if it does not, leave the lock to it."""
        if not self._quiesce or not self._is_sure or (self._lock and self._lock.is_left):
            return
        until = time.monotonic() + quiescing.longest(self._quiesce.limit)
        words = ("job_is_parted", self._record, self._token)
        while self._connection.ask(*words, grace=GRACE).status:
            if time.monotonic() >= until:
                if self._lock:
                    self._lock.is_left = True
                return

    def _look(self) -> Answer | None:
        """Wait a moment for the answer of the call that follows the run; return it, or None."""
        if not self._watch:
            waited = ""
            if self._lock and not self._lock.is_held:  # the utility has it, and we take it next
                self._lock.try_once(_POLL)
                waited = "" if self._lock.is_held else self._lock.descriptor
            self._watch = self._connection.begin(*self._following(waited))
        answer = self._connection.look_in(self._watch, _POLL)
        self._size = self._watch.shell.progress or self._size
        return answer

    def _following(self, waited: str) -> tuple[str, ...]:
        """Return the call that follows the run, and waits for the lock `waited`, if any."""
        last = str(common.LAST_SAID)
        return ("job_watch", self._record, self._token, self._watched, last, waited)

    def _anothers(self) -> LockBusy:
        return LockBusy(
            f"How {self._program} ended on {self._connection.host} is not known: while the "
            f"connection was cut, another command has begun, and {shown(self._record)} is its own.",
            "Wait until that command has ended, and run the same command again.",
        )


@contextlib.contextmanager
def started(
    connection: Connection,
    argv: Sequence[str],
    watched: str,
    lock: SshLock | None,
    record: str,
    timeout: float,
    note: bytes,
    quiesce: Quiesce | None = None,
) -> Iterator[Job]:
    """Run a utility while the block runs; see `Host.start`."""
    job = Job(connection, record, watched, lock, quiesce)
    try:
        job.start(argv, timeout, note)
        yield job
    except BackupError as error:
        try:
            job.stop()
        except HostUnreachable as gone:
            if lock:
                lock.is_left = True  # even if there is a connection again
            error.what += f" {gone.what} What was started there may still be running."
        raise
    except BaseException:
        job.stop()
        raise
    job.stop()
