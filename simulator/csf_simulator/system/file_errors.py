"""Operating system errors that name their file."""

from __future__ import annotations

from types import TracebackType


class FileErrors:
    """A context manager that adds the file's name to an OSError that has none.

    A class, because a generator would cost more at every read and write.

    Args:
        path: the file that everything inside is about.
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
