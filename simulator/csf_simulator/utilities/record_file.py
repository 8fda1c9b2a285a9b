"""The file named with osbackup's -i: read before the image is opened, replaced once it is whole."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable

from csf_simulator.image.record_format import (
    RecordedState,
    RecordError,
    pack_entries,
    unpack_entries,
)
from csf_simulator.program.errors import MISC, UtilityError, explain
from csf_simulator.system.file_errors import FileErrors
from csf_simulator.system.files import sync_directory
from csf_simulator.utilities.selection import Identity

State = tuple[int, int, int, int]  # device, inode, size, time of the last change


class RecordFile:
    """A record file.

    Args:
        path: its name; a file that does not exist is a record of nothing.

    Attributes:
        path: its absolute path, links resolved.
        entries: what it holds, oldest first.

    Raises:
        UtilityError: it cannot be read, is damaged, is no record file, or could not be replaced.
    """

    def __init__(self, path: str) -> None:
        self.path = os.path.realpath(path)
        self.entries: list[RecordedState] = []
        self._state: State | None = None
        try:
            self._read()
        except (OSError, RecordError) as error:
            raise explain(_naming(self.path, error), missing=MISC) from None
        if not os.access(os.path.dirname(self.path), os.W_OK):
            raise UtilityError(f"{self.path}: no record can be written into this directory")

    def identity(self) -> list[Identity]:
        """Return device and inode of the file, if it exists."""
        return [] if self._state is None else [self._state[:2]]

    def replace(self, entries: Iterable[RecordedState]) -> None:
        """Replace the record file, atomically and durably.

        Raises:
            OSError: it cannot be written; the old one stays.
            UtilityError: another program wrote a record meanwhile, which stays.
        """
        temporary = f"{self.path}.{os.urandom(8).hex()}~"
        try:
            _write(temporary, pack_entries(entries))
            if _state(self.path) != self._state:
                raise UtilityError(
                    f"{self.path}: changed while the image was written; the image is whole, but "
                    "no later backup can be built upon it"
                )
            os.rename(temporary, self.path)
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(temporary)
        sync_directory(os.path.dirname(self.path))

    def _read(self) -> None:
        """Read the file, if there is one."""
        self._state = _state(self.path)
        if self._state is None:
            return
        if not os.path.isfile(self.path):
            raise RecordError("not an incremental record file")
        with open(self.path, "rb") as file:
            self.entries = unpack_entries(file.read())


def _naming(path: str, error: OSError | RecordError) -> OSError | UtilityError:
    """Return an error that names the file."""
    return error if isinstance(error, OSError) else UtilityError(f"{path}: {error}")


def _state(path: str) -> State | None:
    """Return a token that changes when the file is modified or replaced; None without a file."""
    try:
        status = os.stat(path)
    except FileNotFoundError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _write(path: str, contents: bytes) -> None:
    """Create a file, and wait until it is on its disk."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    with open(fd, "wb") as file, FileErrors(path):
        file.write(contents)
        file.flush()
        os.fsync(fd)
