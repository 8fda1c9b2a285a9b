"""What a use case may ask of a host: a few file operations, a lock, and ObjectStore's utilities.

Paths are absolute and in the host's own file system. When an operation that writes returns, its
data is on the disk. An error of the operating system is raised as `OSError`, whose message names
the file.

Two errors may come from every operation, and from what it has returned: at the beginning and the
end of a block, at each step of an iterator, and from `Running.poll`.

* `HostUnreachable`: there is no connection to the host, or it was cut and could not be made again.
  Then it is not known whether the operation was done. A local host never raises it.
* `Interrupted`: a signal has asked the command to end; see `Host.cancellation`. It is raised once,
  so that the operations that clean up after it are carried out.

Each operation names the other errors that it may raise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeVar, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from csf_backup_plugin.cancellation import Cancellation
    from csf_backup_plugin.hosts.mountinfo import Mount

_A = TypeVar("_A")
_B = TypeVar("_B")
_C = TypeVar("_C")
_D = TypeVar("_D")
_E = TypeVar("_E")
_F = TypeVar("_F")
_G = TypeVar("_G")
_H = TypeVar("_H")

Kind = Literal["missing", "file", "directory", "other"]

#: Statuses that no program ends with by itself: its exit status is not known; it was stopped
#: because it printed more than the limit; the utility was not run because the repository could not
#: be made quiet.
UNKNOWN, ENDLESS, UNQUIET = 256, 257, 258


class Entry(NamedTuple):
    """A name in a directory; a link is described by its target, or as "other" if it has none.

    Attributes:
        name: its name there.
        kind: what it is.
        size: in bytes.
        link: whether the name itself is a symbolic link.
        modified: when its contents were last changed, in seconds since the epoch; 0 for a link
            without a target.
    """

    name: str
    kind: Kind
    size: int
    link: bool = False
    modified: float = 0.0


class Stat(NamedTuple):
    """What is at a path: only what is cheap to find out for any number of paths.

    Attributes:
        kind: what is there; of a symbolic link, what its target is, or "other" if it has none.
        size: of a file, in bytes.
        link: whether the path itself is a symbolic link; links in its directory's path do not
            count.
        stamp: of a file, an opaque token; changes when the file is modified or replaced.
        allocated: of a file, the bytes its blocks take up; holes take none.
        device: the number of its file system's device; -1 if the path leads to nothing.
        inode: its number in its file system; 0 if the path leads to nothing.
        readable: whether we may read it.
    """

    kind: Kind
    size: int = 0
    link: bool = False
    stamp: str = ""
    allocated: int = 0
    device: int = -1
    inode: int = 0
    readable: bool = False


class Facts(NamedTuple):
    """What is known of a directory, or of another path, and of the file system it is in.

    Attributes:
        kind: what is there; a symbolic link without a target is "other".
        resolved: the path with every symbolic link followed.
        device: the number of its file system's device; -1 if the path leads to nothing.
        inode: its number in its file system; 0 if the path leads to nothing.
        writable: whether we may write there.
        free: the bytes that we may still write to its file system.
        disks: names of the physical disks below its file system; empty where unknown.
        vital: those of the disks whose failure alone loses the file system; a disk that only a
            redundant array uses is not one of them.
        mount: the mount point of its file system; empty if it is not known.
        place: where in its file system it is: the same whichever mount leads to it. Empty as
            `mount` is.
        filesystem: the type of its file system, such as ``ext4`` or ``nfs4``; empty as `mount` is.
        source: what is mounted there, such as ``filer:/export``; empty as `mount` is.
    """

    kind: Kind
    resolved: str
    device: int = -1
    inode: int = 0
    writable: bool = False
    free: int = 0
    disks: frozenset[str] = frozenset()
    vital: frozenset[str] = frozenset()
    mount: str = ""
    place: str = ""
    filesystem: str = ""
    source: str = ""

    def on(self, mount: Mount | None) -> Facts:
        """Return the facts, completed from the mount that the path is on; unchanged without one."""
        if mount is None:
            return self
        return self._replace(
            mount=mount.point,
            place=mount.place(self.resolved),
            filesystem=mount.type,
            source=mount.source,
        )


class Withdrawal(NamedTuple):
    """A file that is to be renamed, unless somebody reads it or it is to be kept.

    Attributes:
        path: the file.
        to: its new name, in the same file system.
        unless: a path; if anything is there, the file is not renamed.
    """

    path: str
    to: str
    unless: str


class Create(NamedTuple):
    """A step of `Host.in_turn`: `Host.create`."""

    path: str
    data: bytes


class Absent(NamedTuple):
    """A step of `Host.in_turn`: check that nothing exists at some paths.

    It fails with a `FileExistsError` that names the first path at which something exists, be it a
    link to nothing.
    """

    paths: tuple[str, ...]


class Append(NamedTuple):
    """A step of `Host.in_turn`: `Host.append`."""

    path: str
    lines: bytes


class Publish(NamedTuple):
    """A step of `Host.in_turn`: `Host.publish`."""

    path: str
    data: bytes
    like: str | None = None


class Replace(NamedTuple):
    """A step of `Host.in_turn`: `Host.replace`."""

    path: str
    data: bytes
    like: str | None = None


class RemoveTrees(NamedTuple):
    """A step of `Host.in_turn`: `Host.remove_trees`, also of another user's."""

    paths: tuple[str, ...]


class Release(NamedTuple):
    """A step of `Host.in_turn`: release a lock before its block ends."""

    lock: Lock


Step = Create | Absent | Append | Publish | Replace | RemoveTrees | Release


class Machine(NamedTuple):
    """Who a host says it is.

    Attributes:
        id: the machine-id(5); empty where it has none.
        name: what it calls itself, as ``uname -n`` prints it.
        now: its clock, as `timestamps.now` writes it: UTC, ISO 8601, to the second.
        local: the same time in the time zone of our user there.
    """

    id: str
    name: str
    now: str
    local: str = ""


class Completed(NamedTuple):
    """How a program ended.

    Attributes:
        status: its exit status, or minus the number of the signal that ended it, or `UNKNOWN` or
            `ENDLESS`.
        output: what it printed on standard output.
        errors: what it printed on standard error, if that is kept separately.
    """

    status: int
    output: bytes
    errors: bytes = b""


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


class Source(Protocol):
    """The bytes of a file, on their way from a host."""

    def take(self) -> bytes | None:
        """Return the next bytes; None if none have come after a short wait, empty at the end.

        Raises:
            OSError: the file could not be read to its end.
        """
        ...


class Sink(Protocol):
    """A new file on a host, for bytes that are on their way there."""

    def give(self, data: memoryview) -> int:
        """Return how many of the bytes were taken during a short wait; give the others again.

        Raises:
            OSError: they cannot be written.
        """
        ...

    def end(self) -> bool:
        """Say that no more bytes follow; wait a little, and return whether all are in the file.

        Call it again until they are. The file's contents are on the disk after `Host.sync`.

        Raises:
            OSError: they are not in the file, and never will be.
        """
        ...


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


class Lock(Protocol):
    """A repository's lock, held. It lives as long as any process that inherited it.

    Only the host that holds it can let a utility inherit it.

    Attributes:
        unsupported: why it has no effect: the system's error, if the file system has no locks.
            Usually empty.
        is_left: whether a utility that could not be ended is to keep it.
    """

    unsupported: str
    is_left: bool

    @property
    def is_held(self) -> bool:
        """Whether it is held, as far as is known: a cut connection may have released it."""
        ...

    @property
    def is_freed(self) -> bool:
        """Whether there is a flock(1), to take the lock from processes that a utility leaves.

        If not, only the guardian holds the lock, and the utility does not.
        """
        ...

    def release(self) -> None:
        """Release it before its block ends; see `Release`."""
        ...


class Host(Protocol):
    """A machine on which databases lie and utilities run.

    Attributes:
        name: what the user calls it; messages use the same name.
        cancellation: says whether the command is to end; operations check it before a step that
            changes much.
    """

    name: str
    cancellation: Cancellation

    def machine(self) -> Machine:
        """Return who the host says it is, and what its clock says."""
        ...

    @overload
    def together(self, a: Callable[[], _A], b: Callable[[], _B], /) -> tuple[_A, _B]: ...

    @overload
    def together(
        self,
        a: Callable[[], _A],
        b: Callable[[], _B],
        c: Callable[[], _C],
        /,
    ) -> tuple[_A, _B, _C]: ...

    @overload
    def together(
        self,
        a: Callable[[], _A],
        b: Callable[[], _B],
        c: Callable[[], _C],
        d: Callable[[], _D],
        /,
    ) -> tuple[_A, _B, _C, _D]: ...

    @overload
    def together(
        self,
        a: Callable[[], _A],
        b: Callable[[], _B],
        c: Callable[[], _C],
        d: Callable[[], _D],
        e: Callable[[], _E],
        /,
    ) -> tuple[_A, _B, _C, _D, _E]: ...

    @overload
    def together(
        self,
        a: Callable[[], _A],
        b: Callable[[], _B],
        c: Callable[[], _C],
        d: Callable[[], _D],
        e: Callable[[], _E],
        f: Callable[[], _F],
        /,
    ) -> tuple[_A, _B, _C, _D, _E, _F]: ...

    @overload
    def together(
        self,
        a: Callable[[], _A],
        b: Callable[[], _B],
        c: Callable[[], _C],
        d: Callable[[], _D],
        e: Callable[[], _E],
        f: Callable[[], _F],
        g: Callable[[], _G],
        /,
    ) -> tuple[_A, _B, _C, _D, _E, _F, _G]: ...

    @overload
    def together(
        self,
        a: Callable[[], _A],
        b: Callable[[], _B],
        c: Callable[[], _C],
        d: Callable[[], _D],
        e: Callable[[], _E],
        f: Callable[[], _F],
        g: Callable[[], _G],
        h: Callable[[], _H],
        /,
    ) -> tuple[_A, _B, _C, _D, _E, _F, _G, _H]: ...

    @overload
    def together(self, *steps: Callable[[], _A]) -> tuple[_A, ...]: ...

    def together(self, *steps: Callable[[], Any]) -> tuple[Any, ...]:
        """Carry out steps that change nothing and do not depend on each other.

        On another host, all steps run at once, each in its own thread, so that together they take
        as many exchanges as the one that takes most. On this machine, they run one after another,
        and none begins after an error; only those that are `long_step.Long` begin at once, and run
        in parallel.

        Args:
            steps: each asks the host, once or several times; it may call `together`, too. None
                locks, starts or changes anything, with two exceptions: one may `sync`, and one may
                carry out steps `in_turn` whose results no other one looks at. They share nothing
                that they change.

        Returns:
            What each step has returned, in the order of the steps.

        Raises:
            Exception: the error of the first step, in their order, that failed.
        """
        ...

    def lock(
        self,
        path: str,
        purpose: str,
        wait: float,
        waiting: Callable[[str], None],
        *,
        create: bool = True,
    ) -> AbstractContextManager[Lock | None]:
        """Hold the lock file at `path`.

        Args:
            path: the lock file. It is made if need be, and removed again if the block fails.
            purpose: the command that wants it, for the messages of others that wait.
            wait: how long to wait for another holder, in seconds.
            waiting: called once with a sentence that names the holder, if the lock is not free.
            create: if false and there is no lock file, nothing is created and the block runs
                unlocked.

        Raises:
            LockBusy: another holder kept it for longer than `wait`.
            FileNotFoundError: its directory does not exist.
            HalfDone: instead of an `OSError` of the block, if the file was made and stays.
        """
        ...

    def lock_and_look(
        self,
        path: str,
        purpose: str,
        wait: float,
        waiting: Callable[[str], None],
        look: Callable[[], _A],
        *,
        create: bool = True,
    ) -> AbstractContextManager[tuple[Lock | None, _A]]:
        """Hold the lock file at `path`, as `lock` does, and look at what it protects.

        Another host is asked for both at once.

        Args:
            path: the lock file.
            purpose: as for `lock`, like all others but `look`.
            wait: likewise.
            waiting: likewise.
            create: likewise.
            look: a step as of `together`. It may be carried out several times: only what it returns
                once the lock is held, or none is to be made, counts. It raises nothing but what
                every operation may.

        It raises what `lock` raises.
        """
        ...

    def reading(self, path: str) -> AbstractContextManager[None]:
        """Hold a shared flock(2) on a file while the block runs, so that it is not withdrawn.

        The file is neither created nor written, and need only be readable. Any number of processes
        may hold the lock at once. If the file system has no locks, `withdraw` cannot lock either. A
        utility that `start` starts within the block holds the lock, too, until it ends, even if we
        are killed. After a cut the lock is taken again, if possible, as soon as there is a
        connection; no message is shown.

        Args:
            path: the file.

        Raises:
            FileNotFoundError: there is no such file, or it was renamed meanwhile.
            LockBusy: somebody held it exclusively for 10 seconds.
            OSError: it cannot be read, or is not a regular file; a symbolic link is not one.
        """
        ...

    def list_directory(self, path: str) -> list[Entry]:
        """Return what is in a directory."""
        ...

    def read_directory(
        self, path: str, ending: str
    ) -> tuple[list[Entry], dict[str, bytes | OSError | None]]:
        """Return what is in a directory, and the contents of the files with one ending.

        Any number of files cost the same number of exchanges with the host.

        Args:
            path: the directory.
            ending: files whose names end with this are read.

        Returns:
            What is in it; and, by name, what `read_each` returns for each file that is read, None
            for one that has been removed meanwhile.
        """
        ...

    def stat(self, paths: Iterable[str]) -> list[Stat]:
        """Return what is at each path, in order.

        Any number of paths cost the same number of exchanges with the host.

        Raises:
            OSError: it cannot be found out for one path; that is not taken for missing.
        """
        ...

    def look(self, paths: Iterable[str]) -> list[Facts]:
        """Return the facts on each path, in order; meant for directories, which are few.

        Raises:
            OSError: as for `stat`.
        """
        ...

    def read(self, path: str) -> bytes | None:
        """Return a file's contents, or None where there is no file.

        Raises:
            OSError: it cannot be read, is too large, or is not a regular file; a symbolic link is
                not one.
        """
        ...

    def read_each(self, paths: Iterable[str]) -> list[bytes | OSError | None]:
        """Return for each file, in order, what `read` returns, or the error that it raises.

        Any number of files cost the same number of exchanges with the host.
        """
        ...

    def create(self, path: str, data: bytes) -> None:
        """Make a file that must not exist yet; leave none behind on failure.

        Raises:
            FileExistsError: something exists at `path`.
            HalfDone: here as below, the operation failed after it had changed something; the error
                says what.
        """
        ...

    def append(self, path: str, lines: bytes) -> None:
        """Append whole lines.

        A last line without its newline is an append that was cut short. It stays: `CUT_SHORT` and a
        newline are added to it, and the new lines follow.

        Raises:
            FileNotFoundError: there is no file.
            OSError: it is empty, or a symbolic link, or cannot be written.
        """
        ...

    def publish(self, path: str, data: bytes, like: str | None = None) -> str:
        """Create a file atomically that must not exist yet; leave none behind on failure.

        Args:
            path: the file.
            data: its contents.
            like: a file; whoever may use it, by owner, group, mode and ACL, may use the new one.

        Returns:
            Those of them who may not use it; empty if all may.

        Raises:
            FileExistsError: something exists at `path`.
        """
        ...

    def replace(self, path: str, data: bytes, like: str | None = None) -> str:
        """Replace a file's contents atomically; on failure it is as it was.

        Args:
            path: the file; it need not exist.
            data: its new contents.
            like: as for `publish`, if there is no file yet; otherwise those who may use it stay the
                same.

        Returns:
            Those who may not use it any more; empty if all may.
        """
        ...

    def sync(self, paths: Iterable[str]) -> list[str]:
        """Flush files and their names to the disk (fsync).

        Returns:
            Those of their directories whose file systems cannot flush names to the disk.
        """
        ...

    def remove(self, paths: Iterable[str]) -> None:
        """Delete files and empty directories, in order; those that are missing are skipped."""
        ...

    def remove_trees(self, paths: Iterable[str], *, mine: bool) -> None:
        """Remove what is at each path, one after another; a directory with all its contents.

        No link is followed, and no other file system entered. If something in a directory cannot be
        removed, everything else in it is still removed.

        Args:
            paths: files or directories; they need not be there.
            mine: remove only what belongs to our user.

        Raises:
            OSError: one, which it names, could not be removed whole, or belongs to another user;
                those after it stay.
        """
        ...

    def make_directories(self, paths: Iterable[str]) -> None:
        """Make directories that must not exist yet, one after another.

        Raises:
            OSError: one, which it names, cannot be made; those before it were made, those after it
                were not. It is a `FileExistsError` if something exists there.
        """
        ...

    def move(self, moves: Iterable[tuple[str, str]]) -> None:
        """Rename files within their file system, one after another; nothing is replaced.

        Args:
            moves: old and new path of each; both directories exist.

        Raises:
            OSError: one, which it names, cannot be moved; those before it were moved. It is a
                `FileExistsError` if something exists at the new path.
        """
        ...

    def in_turn(self, *steps: Step) -> tuple[Callable[[], str], ...]:
        """Carry out steps, one after another, until one fails.

        Another host gets all of them at once, and begins each one only if the one before it
        succeeded.

        Returns:
            For each step, in order, a function that returns the step's result, or raises its
            `OSError`. For the steps after a failed one, which were not begun, it raises the same
            error.

        Raises:
            HostUnreachable: as for every operation; the error names the files that may have been
                made or changed.
            Interrupted: as for every operation; files that were made have been removed again.
        """
        ...

    def withdraw(self, files: Iterable[Withdrawal]) -> list[str]:
        """Rename files, each under an exclusive lock that is not waited for.

        The lock is flock(2), as for the repository; on a file system without it, a file cannot be
        held for reading either. Nothing is replaced, and no link is followed. If one file keeps its
        name, the others are still renamed. Any number of files cost the same number of exchanges
        with the host.

        Args:
            files: the files, each with its new name, and what prevents the renaming.

        Returns:
            For each, in order, an empty string if it was renamed, and that is on the disk; else why
            not, in words that follow its name, such as "is being read".
        """
        ...

    def digest(self, path: str, progress: Callable[[int], None]) -> tuple[int, str]:
        """Return a file's size in bytes and its SHA-256; `progress` gets the bytes read so far."""
        ...

    def sending(self, path: str) -> AbstractContextManager[Source]:
        """Open a file for reading, piece by piece, while the block runs.

        Args:
            path: the file; a symbolic link is followed.

        Raises:
            OSError: it cannot be opened. Errors in reading come from `Source.take`.
        """
        ...

    def receiving(self, path: str) -> AbstractContextManager[Sink]:
        """Create a file that must not exist yet, to be filled while the block runs.

        The caller removes it, also if it was not filled.

        Args:
            path: the file.

        Raises:
            OSError: it cannot be created; a `FileExistsError` if something exists there. Errors in
                writing come from `Sink`.
        """
        ...

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
