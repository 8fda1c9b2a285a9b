"""The part of the host protocol that makes, changes and removes files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from csf_backup_plugin.hosts.protocol.steps import Step, Withdrawal


class Writing(Protocol):
    """Make, change and remove files; when a method returns, its data is on the disk."""

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
