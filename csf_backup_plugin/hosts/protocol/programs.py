"""The part of the host protocol that finds, runs and starts programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.hosts.protocol.values import Completed


class Quiesce(NamedTuple):
    """A program on the host that makes a repository quiet; see `hosts.quiescing`.

    Attributes:
        program: its absolute path. It is called with ``begin`` or ``end``, and the master database.
        master: the master database.
        debt: the file that says that ``end`` is owed.
        owed: the contents of that file.
        limit: how long each call may take, in seconds.
        ask: the path of ossvrstat, which must report after ``begin`` that the Server has no
            clients; empty if it is not to be called.
        server: the machine of the Server that ossvrstat asks.
    """

    program: str
    master: str
    debt: str
    owed: str
    limit: float
    ask: str = ""
    server: str = ""


class Running(Protocol):
    """A running osbackup or osrestore."""

    def poll(self) -> tuple[Completed | None, int]:
        """Wait a little; return how it ended, once it has, and the watched file's size so far.

        The size that is returned with its end was taken after its end.

        `Completed.output` is the last part of what it printed, both streams in their order. It may
        print any amount: neither memory nor disk fills up.

        Raises:
            LockBusy: it has ended; the lock was lost in a cut, and another holder has it now.
            OSError: it could not be executed, or its record cannot be read.
            FileNotFoundError: it was not executed, since what is held by `Host.reading` has been
                withdrawn during a cut.
        """
        ...


class Programs(Protocol):
    """Find, run and start programs."""

    def find(self, utility: str, variable: str) -> str:
        """Return the path of an ObjectStore utility.

        Args:
            utility: its name.
            variable: the environment variable that names it. It is looked at first, then
                ``$OS_ROOTDIR/bin``, then ``PATH``.

        Raises:
            UtilityMissing: it is in none of those places, which the message lists.
        """
        ...

    def find_program(self, path: str, variable: str) -> str:
        """Return the path of a program of the user's, or an empty string if none is named.

        Args:
            path: the program, if the user has named it.
            variable: the environment variable that names it if `path` does not.

        Raises:
            UtilityMissing: what is named is not the absolute path of an executable file.
        """
        ...

    def run(self, argv: Sequence[str], timeout: float) -> Completed:
        """Run a program to its end; its standard input is empty.

        A program that prints more than 100 MB on a stream is stopped: its status is `ENDLESS`.

        Raises:
            TimeoutError: it was still running after `timeout` seconds, and was stopped.
        """
        ...

    def run_each(
        self, argv: Sequence[str], operands: Iterable[str], timeout: float
    ) -> Iterator[Completed]:
        """Run a program once for each operand, one after another; yield how each ended.

        `Completed.output` has both streams, in their order. The status of a program that printed
        more than 16 MiB is `ENDLESS`; the rest is lost.

        Raises:
            TimeoutError: one was still running after `timeout` seconds, and was stopped.
        """
        ...

    def start(
        self,
        argv: Sequence[str],
        watched: str,
        lock: Lock | None,
        record: str,
        timeout: float = ...,
        *,
        note: bytes = b"",
        quiesce: Quiesce | None = None,
    ) -> AbstractContextManager[Running]:
        """Start a utility, which inherits the lock; stop it if it still runs at the block's end.

        The utility also holds the files that `reading` holds, and is not run if one of them has
        been withdrawn. None is started once a signal has asked the command to end. It runs below a
        guardian (see `hosts.guardian`): if we are killed, the lock is held until the utility ends,
        and no longer.

        Args:
            argv: the command.
            watched: the file whose growth `poll` reports.
            lock: the lock that it must hold as long as it lives.
            record: the path of the run record to be created, a directory, which is also the
                utility's working directory. The caller removes it.
            timeout: within how many seconds the utility must begin.
            note: the contents of a file `note` in the record, which is on the disk before the
                utility begins; empty for no such file.
            quiesce: the program that is called before the utility begins, and again when it has
                ended, also if we are killed. The block begins after the first call, and ends after
                the last one; if the last call does not end, the lock is kept. `hosts.quiescing`
                says where the record has the result of each call.

        Raises:
            Interrupted: a signal came first.
            TimeoutError: it had not begun by then; it may still begin.
            ValueError: the lock is held on another host.
            FileExistsError: something exists at `record`.
            OSError: the directory cannot be made.
        """
        ...
