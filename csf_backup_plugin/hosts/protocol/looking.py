"""The part of the host protocol that looks and reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from csf_backup_plugin.hosts.protocol.values import Entry, Facts, Machine, Stat


class Looking(Protocol):
    """Look at a host and at what is on it; nothing is changed."""

    def machine(self) -> Machine:
        """Return who the host says it is, and what its clock says."""
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

    def digest(self, path: str, progress: Callable[[int], None]) -> tuple[int, str]:
        """Return a file's size in bytes and its SHA-256; `progress` gets the bytes read so far."""
        ...
