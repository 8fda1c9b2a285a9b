"""One transaction: what it reads, and the changes that its commit will make."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress

from csf_simulator.database.building import build
from csf_simulator.database.changes import Changes
from csf_simulator.database.header import Header
from csf_simulator.database.overlay import Overlay
from csf_simulator.database.unfinished import unfinished_path
from csf_simulator.system.file_errors import FileErrors
from csf_simulator.system.files import remove


class Transaction:
    """Reads and writes sectors of several databases; `Server.transaction` makes it.

    A sector's content is its payload, at most 480 bytes of it. What is written is seen by later
    reads of the same transaction, and by no other before the commit.

    Args:
        require_usable: called with the real path of each database that is touched; it raises if the
            database cannot be used.
        durable: flush what is built to the disk.
    """

    def __init__(self, require_usable: Callable[[str], None], *, durable: bool) -> None:
        self._require_usable = require_usable
        self._durable = durable
        self._real_paths: dict[str, str] = {}
        self._overlays: dict[str, Overlay] = {}
        self._unfinished: dict[str, str] = {}

    def header(self, path: str) -> Header:
        """Return the header of a database.

        Raises:
            FileNotFoundError: there is no such file.
            NotADatabase: the file is not a database.
        """
        return self._overlay(path).header

    def read(self, path: str, number: int) -> bytes:
        """Return the 480 bytes of one data sector, zeros if it was never written.

        Raises:
            DamagedSectorError: the sector is not what belongs there.
            IndexError: the database has no such data sector.
        """
        return self._overlay(path).read(number)

    def write(self, path: str, number: int, payload: bytes) -> None:
        """Give one data sector new content; beyond the end of the database, the database grows.

        Raises:
            IndexError: sector 0 is the header.
            ValueError: the payload is too long.
        """
        self._overlay(path).write(number, payload)

    def append(self, path: str, payload: bytes) -> int:
        """Add one sector at the end of a database and return its number."""
        number = self.header(path).sectors
        self.write(path, number, payload)
        return number

    def create(self, path: str, header: Header, payloads: Iterable[bytes] = ()) -> Header:
        """Build a new database now, under a temporary name; the commit gives it its own name.

        Args:
            path: the name it gets; nothing may be there.
            header: its identity and kind, as `building.build` takes it.
            payloads: the contents of its sectors 1, 2, ...

        Raises:
            FileExistsError: there is something at `path`.
            OSError: it cannot be built, or no file can have that name.
        """
        final = self._usable(path)
        if _exists(path) or final in self._unfinished:
            raise FileExistsError(f"{path} exists already")
        unfinished = unfinished_path(final)
        with FileErrors(final):
            header = build(unfinished, header, payloads, durable=self._durable)
        self._unfinished[final] = unfinished
        return header

    def changes(self) -> Changes:
        """Return all that the commit will do."""
        changed = {path: overlay for path, overlay in self._overlays.items() if overlay.changes}
        sectors = {path: overlay.changes for path, overlay in changed.items()}
        before = {path: overlay.before for path, overlay in changed.items()}
        return Changes(sectors, self._unfinished, before)

    def abandon(self) -> None:
        """Remove the databases that were built and will never get their names."""
        for unfinished in self._unfinished.values():
            remove(unfinished)

    def close(self) -> None:
        """Close every database."""
        for overlay in self._overlays.values():
            overlay.close()

    def _overlay(self, path: str) -> Overlay:
        real_path = self._usable(path)
        if real_path not in self._overlays:
            self._overlays[real_path] = Overlay(real_path)
        return self._overlays[real_path]

    def _usable(self, path: str) -> str:
        """Return the real path of a database, which must not be in the middle of a restore."""
        if path not in self._real_paths:
            real_path = os.path.realpath(path)
            self._require_usable(real_path)
            self._real_paths[path] = real_path
        return self._real_paths[path]


def _exists(path: str) -> bool:
    """Tell whether a path names something; `os.path.lexists` also denies a name too long.

    Raises:
        OSError: the path cannot name anything.
    """
    with suppress(FileNotFoundError):
        os.lstat(path)
        return True
    return False
