"""The part of the host protocol that keeps others out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


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


_A = TypeVar("_A")


class Locking(Protocol):
    """Hold locks on files."""

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
        beside: str = "",
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
            beside: a file, or empty. Unless it is there and no part of its path is a link, no lock
                is taken, no lock file is made, and the block runs unlocked.

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
