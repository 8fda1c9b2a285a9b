"""Restore databases beside their targets; put all in place only once all are sound.

A half-restored set is of no use, so nothing is touched before the whole image is proven.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Mapping, Sequence

from csf_simulator.database.sectors import SECTOR
from csf_simulator.image.catalog import Database
from csf_simulator.program.errors import UtilityError
from csf_simulator.system.file_errors import FileErrors


class Staging:
    """Files with temporary names, one per database.

    Their names end in no suffix a database has, so that no search for databases finds one.

    Args:
        targets: where each database is to go, by its number.
    """

    def __init__(self, targets: Mapping[int, str]) -> None:
        token = os.urandom(8).hex()
        self._changing = threading.Lock()  # held while files are created, removed or renamed
        self._targets = dict(targets)
        self._temporary = {
            number: os.path.join(os.path.dirname(target), f".{number}.osrestore-{token}")
            for number, target in targets.items()
        }

    def create(self, databases: Sequence[Database]) -> None:
        """Create the files, in full length and all holes."""
        with self._changing:
            for number, path in self._temporary.items():
                _create(path, databases[number].sectors * SECTOR, self._targets[number])

    def write(self, number: int, first_sector: int, data: memoryview) -> None:
        """Write sectors of a database; one that is not to be restored is ignored."""
        if number not in self._temporary:
            return
        fd = os.open(self._temporary[number], os.O_WRONLY)
        try:
            with FileErrors(self._targets[number]):
                _write(fd, data, first_sector * SECTOR)
        finally:
            os.close(fd)

    def publish(self) -> None:
        """Put all databases in their places.

        Raises:
            UtilityError: the file system refused half way.
        """
        with self._changing:
            self._rename()

    def discard(self) -> None:
        """Remove what was not put in its place."""
        with self._changing:
            self._remove()

    def abandon(self) -> None:
        """Remove what was not put in its place, and block every other thread that uses the files.

        So a process that a signal is ending does not end in another way before.
        """
        self._changing.acquire()
        self._remove()

    def _remove(self) -> None:
        """Remove the files that are left."""
        for path in self._temporary.values():
            with contextlib.suppress(OSError):
                os.unlink(path)
        self._temporary.clear()

    def _rename(self) -> None:
        """Give each file its database's name, which replaces the old database."""
        for number, path in list(self._temporary.items()):
            try:
                os.rename(path, self._targets[number])
            except OSError as error:
                raise UtilityError(
                    f"{self._targets[number]}: {error.strerror}; "
                    f"{len(self._temporary)} of {len(self._targets)} databases were not replaced: "
                    "restore again before any is used"
                ) from None
            del self._temporary[number]


def _create(path: str, size: int, target: str) -> None:
    """Create a file of holes that is to replace a target."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
    try:
        with FileErrors(target):
            os.ftruncate(fd, size)
        _adopt(fd, target)
    finally:
        os.close(fd)


def _adopt(fd: int, target: str) -> None:
    """Give a new file the owner and permissions of the file it will replace, as far as allowed."""
    with contextlib.suppress(FileNotFoundError):
        status = os.stat(target)
        with contextlib.suppress(OSError):  # EPERM; in a user namespace, EINVAL
            os.fchown(fd, status.st_uid, status.st_gid)
        os.fchmod(fd, status.st_mode & 0o7777)


def _write(fd: int, data: memoryview, offset: int) -> None:
    """Write all the data, however short single writes fall."""
    while data:
        written = os.pwrite(fd, data, offset)
        offset, data = offset + written, data[written:]
