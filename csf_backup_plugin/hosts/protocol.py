"""What a use case may ask of a host: a few file operations, a lock, and ObjectStore's utilities.

Paths are absolute and in the host's own file system. Every operation that writes has reached the
disk when it returns. What the operating system refuses is raised as `OSError`, whose message names
the file.

Two errors may come from every operation, and from what it has returned: at the beginning and the
end of a block, at each step of an iterator, from `Running.poll`.

* `HostUnreachable`: there is no connection to the host, or it was cut and could not be made again.
  Whether the operation was done is not known then. A local host never raises it.
* `Interrupted`: a signal has asked the command to end, as `Host.cancellation` tells. It is raised
  once; the operations that clean up after it are carried out.

Each operation names what else it may raise.
"""

from __future__ import annotations

import errno
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

#: What an append puts behind a last line that has lost its newline; no name has a tab.
CUT_SHORT = b"\t[cut short]"


#: What no program ends with by itself: the status of one that ended, nobody knows how; of one that
#: was stopped because it printed more than there is room for; and of a utility that was not run,
#: since the repository could not be made quiet.
UNKNOWN, ENDLESS, UNQUIET = 256, 257, 258


class Entry(NamedTuple):
    """A name in a directory; a symbolic link is what it leads to, or "other" if to nothing.

    Attributes:
        name: its name there.
        kind: what it is.
        size: in bytes.
        link: whether the name itself is a symbolic link.
        modified: when its contents were last changed, in seconds since the epoch; 0 where a link
            leads to nothing.
    """

    name: str
    kind: Kind
    size: int
    link: bool = False
    modified: float = 0.0


class Stat(NamedTuple):
    """What stands at a path: as much as is cheap, of any number of paths.

    Attributes:
        kind: what stands there; a symbolic link is what it leads to, or "other" if to nothing.
        size: of a file, in bytes.
        link: whether the path itself is a symbolic link; a link in its directory does not count.
        stamp: of a file, an opaque token; changes when the file is modified or replaced.
        allocated: of a file, the bytes its blocks take up; holes take none.
        device: the number of its file system's device; -1 where the path leads nowhere.
        inode: its number in its file system; 0 where the path leads nowhere.
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
        kind: what stands there; a symbolic link to nothing is "other".
        resolved: the path with every symbolic link followed.
        device: the number of its file system's device; -1 where the path leads nowhere.
        inode: its number in its file system; 0 where the path leads nowhere.
        writable: whether we may write there.
        free: bytes we may still write to its file system.
        disks: names of the physical disks below its file system; empty where unknown.
        vital: those of the disks whose failure alone is the loss of the file system; one that only
            a redundant array uses is not.
        mount: the mount point of its file system; empty where the path leads nowhere, and where it
            cannot be told.
        place: where in its file system it is: the same by whatever mount it is reached. Empty as
            `mount`.
        filesystem: the type of its file system, such as ``ext4`` or ``nfs4``; empty as `mount`.
        source: what is mounted there, such as ``filer:/export``; empty as `mount`.
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
        """Return the facts with what the mount tells that the path is on, if it is known."""
        if mount is None:
            return self
        return self._replace(
            mount=mount.point,
            place=mount.place(self.resolved),
            filesystem=mount.type,
            source=mount.source,
        )


class Withdrawal(NamedTuple):
    """A file that is to have another name, unless somebody reads it or it is to be kept.

    Attributes:
        path: the file.
        to: its new name, in the same file system.
        unless: what keeps the file its name, if anything stands there.
    """

    path: str
    to: str
    unless: str


class Create(NamedTuple):
    """A step of `Host.in_turn`: `Host.create`."""

    path: str
    data: bytes


class Absent(NamedTuple):
    """A step of `Host.in_turn`: see that nothing stands at some paths, be it a link to nothing.

    It fails with a `FileExistsError` that names the first one at which something does.
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
    """A step of `Host.in_turn`: give a lock up, whose block then holds it no more."""

    lock: Lock


Step = Create | Absent | Append | Publish | Replace | RemoveTrees | Release


class Machine(NamedTuple):
    """Who a host says it is.

    Attributes:
        id: the machine-id(5); empty where it has none.
        name: what it calls itself, as ``uname -n`` prints it.
        now: its clock, as `timestamps.now` writes it: UTC, ISO 8601, to the second.
        local: the same moment in the time zone of our user there.
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
        errors: what it printed on standard error, where that is kept apart.
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
        owed: what is in that.
        limit: how long each call may take, in seconds.
        ask: the path of ossvrstat, which must tell behind ``begin`` that the Server has no clients;
            empty if nothing is asked.
        server: the machine whose Server that is asked of.
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
        """Return what has come; None if nothing has within a moment, empty behind the last.

        Raises:
            OSError: the file could not be read to its end.
        """
        ...


class Sink(Protocol):
    """A new file on a host, for bytes that are on their way there."""

    def give(self, data: memoryview) -> int:
        """Return how many of the bytes were taken within a moment; give the others again.

        Raises:
            OSError: they cannot be written.
        """
        ...

    def end(self) -> bool:
        """Say that no more bytes follow; return whether all are in the file, within a moment.

        It is called again until they are. What is in the file is on the disk after `Host.sync`.

        Raises:
            OSError: they are not, and never will be.
        """
        ...


class Running(Protocol):
    """osbackup or osrestore at work."""

    def poll(self) -> tuple[Completed | None, int]:
        """Wait a moment; return how it ended, once it has, and the watched file's size so far.

        The size that comes with its end is the one that the file had after that.

        `Completed.output` is the last of what it printed, both streams in their order. It may
        print without end: neither memory nor disk fills up.

        Raises:
            LockBusy: it has ended; the lock was lost in a cut, and another holder has it now.
            OSError: it could not be executed, or its record cannot be read.
            FileNotFoundError: it was not executed, since what is held by `Host.reading` has been
                withdrawn during a cut.
        """
        ...


#: What is said where a file system has no flock(2): NFS without lockd, some FUSE ones.
NO_FLOCK = (errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS)


class Lock(Protocol):
    """A repository's lock, held. It lives as long as any process that inherited it.

    Only the host that has given it can let a utility inherit it.

    Attributes:
        unsupported: why it keeps nobody out: the system's words, where the file system has no
            locks. Empty as a rule.
        is_left: whether a utility that could not be ended is to keep it.
    """

    unsupported: str
    is_left: bool

    @property
    def is_held(self) -> bool:
        """Whether it is held as far as is known: a connection that is cut may take it along."""
        ...

    @property
    def is_freed(self) -> bool:
        """Whether there is a flock(1), to take it from what a utility leaves behind.

        If not, the utility does not hold it, and only its guardian does.
        """
        ...

    def release(self) -> None:
        """Give it up before its block ends; see `Release`."""
        ...


class Host(Protocol):
    """A machine on which databases lie and utilities run.

    Attributes:
        name: what the user calls it; messages say it back.
        cancellation: tells whether the command is to end; operations check it before a step that
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
        """Carry out steps that only look and need nothing of each other.

        Another host is asked for all of them at once, so that they take as many exchanges as the
        one that takes most. Then they run in threads of their own. This machine is asked for one
        after another, and for none after an error; only those that are `long_step.Long` begin at
        once, and run beside the others.

        Args:
            steps: each asks the host, once or several times; it may ask together, too. None locks,
                starts or changes anything, but that one may `sync`, and one carry out steps
                `in_turn` that no other looks at; nor do they share anything that they change.

        Returns:
            What each has returned, in order.

        Raises:
            Exception: whatever the first one in order that failed has raised.
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
            purpose: the command that wants it; others who wait are told.
            wait: how long to wait for another holder, in seconds.
            waiting: called once with a sentence that names the holder, when there is a wait.
            create: if false and there is no lock file, nobody holds it and nothing is made.

        Raises:
            LockBusy: another holder kept it for all of `wait`.
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

        Raises: as for `lock`.
        """
        ...

    def reading(self, path: str) -> AbstractContextManager[None]:
        """Hold a shared flock(2) on a file while the block runs: so nobody withdraws it.

        It is neither made nor written, and need only be readable. Any number may hold it at once.
        Where the file system has no locks, nobody can withdraw under one either. A utility that
        `start` starts within the block holds it too, should we be killed, until it ends. After a
        cut it is taken again as soon as there is a connection, if that can be; nobody is told.

        Args:
            path: the file.

        Raises:
            FileNotFoundError: there is none, or it has lost its name meanwhile.
            LockBusy: somebody held it exclusively for 10 seconds.
            OSError: it cannot be read, or is no file; a symbolic link is none.
        """
        ...

    def list_directory(self, path: str) -> list[Entry]:
        """Return what is in a directory."""
        ...

    def read_directory(
        self, path: str, ending: str
    ) -> tuple[list[Entry], dict[str, bytes | OSError | None]]:
        """Return what is in a directory, and the contents of the files whose names end so.

        Any number of files cost the same number of exchanges with the host.

        Args:
            path: the directory.
            ending: what the names of the files that are read end with.

        Returns:
            What is in it; and what `read_each` returns of each of those files, by name, None for
            one that has been removed meanwhile.
        """
        ...

    def stat(self, paths: Iterable[str]) -> list[Stat]:
        """Return what stands at each path, in order.

        Any number of paths cost the same number of exchanges with the host.

        Raises:
            OSError: of one it cannot be told; what cannot be told is not taken for missing.
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
            OSError: it cannot be read, is too large, or is no file; a symbolic link is none.
        """
        ...

    def read_each(self, paths: Iterable[str]) -> list[bytes | OSError | None]:
        """Return the contents of each file, in order, as `read` does; an error stands in its place.

        Any number of files cost the same number of exchanges with the host.
        """
        ...

    def create(self, path: str, data: bytes) -> None:
        """Make a file that must not exist yet; leave none behind on failure.

        Raises:
            FileExistsError: something stands at `path`.
            HalfDone: here as below: the error tells what was changed all the same.
        """
        ...

    def append(self, path: str, lines: bytes) -> None:
        """Append whole lines.

        A last line without its newline is an append that was cut short. It stays, is ended by
        `CUT_SHORT` and a newline, and the lines follow it.

        Raises:
            FileNotFoundError: there is no file.
            OSError: it is empty, or a symbolic link, or cannot be written.
        """
        ...

    def publish(self, path: str, data: bytes, like: str | None = None) -> str:
        """Let a file that must not exist yet appear all at once; leave none behind on failure.

        Args:
            path: the file.
            data: its contents.
            like: a file whose users, by owner, group, mode and ACL, are to be this one's.

        Returns:
            Who of them may not use it; empty if all may.

        Raises:
            FileExistsError: something stands at `path`.
        """
        ...

    def replace(self, path: str, data: bytes, like: str | None = None) -> str:
        """Let a file have other contents, all at once; on failure it is as it was.

        Args:
            path: the file; it need not exist.
            data: its new contents.
            like: as for `publish`, if there is no file yet; otherwise its users stay.

        Returns:
            Who of them may not use it any more; empty if all may.
        """
        ...

    def sync(self, paths: Iterable[str]) -> list[str]:
        """Bring files and their names to the disk.

        Returns:
            Those of their directories whose file systems cannot bring names to the disk.
        """
        ...

    def remove(self, paths: Iterable[str]) -> None:
        """Delete files, and directories that are empty, in order, as far as they are there."""
        ...

    def remove_trees(self, paths: Iterable[str], *, mine: bool) -> None:
        """Remove what stands at each path, a directory with all that is in it, one after another.

        No link is followed, and no other file system entered. What can be removed is, also where
        something else in it cannot be.

        Args:
            paths: files or directories; they need not be there.
            mine: remove only what belongs to our user.

        Raises:
            OSError: not all of one could be removed, which it names, or that is another user's;
                those after it stay.
        """
        ...

    def make_directories(self, paths: Iterable[str]) -> None:
        """Make directories that must not exist yet, one after another.

        Raises:
            OSError: one cannot be made, which it names; those before it have been, those after it
                have not. It is a `FileExistsError` where something stands there.
        """
        ...

    def move(self, moves: Iterable[tuple[str, str]]) -> None:
        """Give files other names in the same file system, one after another, replacing nothing.

        Args:
            moves: old and new path of each; both directories exist.

        Raises:
            OSError: one cannot be moved, which it names; those before it have been. It is a
                `FileExistsError` where something stands at the new path.
        """
        ...

    def in_turn(self, *steps: Step) -> tuple[Callable[[], str], ...]:
        """Carry out steps, one after another, until one fails.

        Another host is asked for all of them at once, and itself goes on after a success alone.

        Returns:
            For each step, in order, what is to be called for what it has returned, or raises its
            `OSError`. For one behind that, of which nothing was done, it raises the same.

        Raises:
            HostUnreachable: as ever; what files may have been made or changed, the error tells.
            Interrupted: likewise; files that were made are gone again.
        """
        ...

    def withdraw(self, files: Iterable[Withdrawal]) -> list[str]:
        """Give files other names, each under an exclusive lock that is not waited for.

        The lock is flock(2), as for the repository; a file system without it has no readers either.
        Nothing is replaced, and no link is followed. One file that stays does not stop the others.
        Any number of files cost the same number of exchanges with the host.

        Args:
            files: each with its new name, and what keeps it its old one.

        Returns:
            For each, in order, an empty string if it has its new name now, and that is on the
            disk; else why not, in words that follow its name, such as "is being read".
        """
        ...

    def digest(self, path: str, progress: Callable[[int], None]) -> tuple[int, str]:
        """Return a file's bytes and SHA-256; `progress` learns the bytes read so far."""
        ...

    def sending(self, path: str) -> AbstractContextManager[Source]:
        """Have the bytes of a file while the block runs, as they come.

        Args:
            path: the file; a symbolic link is followed.

        Raises:
            OSError: it cannot be opened; or later, from `Source.take`.
        """
        ...

    def receiving(self, path: str) -> AbstractContextManager[Sink]:
        """Have a file that must not exist yet, and is filled while the block runs.

        It is the caller's to remove, also where it was not filled.

        Args:
            path: the file.

        Raises:
            OSError: it cannot be made, or later, from `Sink`: a `FileExistsError` if something
                stands there.
        """
        ...

    def find(self, utility: str, variable: str) -> str:
        """Return the path of an ObjectStore utility.

        Args:
            utility: its name.
            variable: the environment variable that names it, looked at first; then
                ``$OS_ROOTDIR/bin``, then ``PATH``.

        Raises:
            UtilityMissing: it is in none of those places, which the message lists.
        """
        ...

    def find_program(self, path: str, variable: str) -> str:
        """Return the path of a program of the user's, or an empty string if none is named.

        Args:
            path: the program, if the user has named it.
            variable: the environment variable that names it otherwise.

        Raises:
            UtilityMissing: what is named is no absolute path of an executable file.
        """
        ...

    def run(self, argv: Sequence[str], timeout: float) -> Completed:
        """Run a program to its end, nothing on its standard input.

        One that prints more than 100 MB on a stream is stopped: its status is `ENDLESS`.

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
        """Start a utility, which inherits the lock; what of it still runs at the end is stopped.

        It also holds what is held by `reading`, and is not run if that has been withdrawn.

        None is started once a signal has asked the command to end. It runs below a guardian (see
        `hosts.guardian`): should we be killed, it holds the lock until it ends, and no longer.

        Args:
            argv: the command.
            watched: the file whose growth `poll` reports.
            lock: what it must hold as long as it lives.
            record: where a directory about the run is made, which is also the utility's working
                directory. It is the caller's to remove.
            timeout: how long it may take until the utility begins, in seconds.
            note: what is on the disk, in a file `note` of the record, before the utility begins;
                empty for no such file.
            quiesce: what is called before the utility begins, and again when it has ended, whatever
                becomes of us. The block begins behind the first call, and ends behind the last one;
                should that not end, the lock is left. `hosts.quiescing` says where the record tells
                how each has gone.

        Raises:
            Interrupted: a signal came first.
            TimeoutError: it had not begun by then; whether it will, nobody knows.
            ValueError: the lock is held on another host.
            FileExistsError: something stands at `record`.
            OSError: the directory cannot be made.
        """
        ...
