"""Errors of the operating system that say which file they are about."""

from __future__ import annotations

from types import TracebackType


class FileErrors:
    """A context in which an OSError that names no file is given a name.

    A class, because a generator would cost more at every read and write.

    Args:
        path: The file that everything inside is about.
    """

    __slots__ = ("_path",)

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        _: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if isinstance(error, OSError) and error.filename is None:
            error.filename = self._path
