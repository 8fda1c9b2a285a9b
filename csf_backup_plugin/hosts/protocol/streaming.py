"""The part of the host protocol that carries files from host to host, piece by piece."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


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


class Streaming(Protocol):
    """Carry the bytes of files."""

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
