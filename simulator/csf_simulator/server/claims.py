"""The claims of running processes, such as a restore: files that their owners keep locked.

The kernel releases the lock when the owner ends, in whatever way. The next process that looks finds
the claim void and removes it, so a dead process blocks nobody. Invented here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from csf_simulator.server.locks import acquire, is_held

RESTORE = "restore"
SNAPSHOT = "snapshot"
CLIENT = "client"


class Claims:
    """The claims of one home.

    Claims are made and listed while the Server is locked: no process sees half a claim.

    Args:
        directory: where the files lie; `create` makes it.
    """

    def __init__(self, directory: str) -> None:
        self._directory = directory

    def create(self) -> None:
        """Make the directory if it is missing."""
        os.makedirs(self._directory, exist_ok=True)

    @contextmanager
    def hold(self, kind: str) -> Iterator[int]:
        """Make a claim that ends with the block.

        Args:
            kind: RESTORE, SNAPSHOT or CLIENT.

        Yields:
            The empty file of the claim, open for reading and writing, for its particulars.
        """
        name = f"{kind}-{os.getpid()}-{os.urandom(4).hex()}"
        path = os.path.join(self._directory, name)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            acquire(fd)
            yield fd
        finally:
            void(path)
            os.close(fd)

    def living(self) -> dict[str, list[str]]:
        """Return the files of all valid claims by their kind; void ones are removed."""
        found: dict[str, list[str]] = {RESTORE: [], SNAPSHOT: [], CLIENT: []}
        for name in os.listdir(self._directory):
            path = os.path.join(self._directory, name)
            if _is_living(path):
                found[name.partition("-")[0]].append(path)
        return found


def owner(path: str) -> str:
    """Return the number of the process that a claim is of."""
    return os.path.basename(path).split("-")[1]


def void(path: str) -> None:
    """End a claim, also that of another process."""
    with suppress(FileNotFoundError):
        os.unlink(path)


def _is_living(path: str) -> bool:
    """Tell whether the owner of a claim still runs; if not, remove the claim."""
    try:
        fd = os.open(path, os.O_RDONLY)
    except FileNotFoundError:  # it ended just now
        return False
    try:
        living = is_held(fd)
    finally:
        os.close(fd)
    if not living:
        void(path)
    return living
