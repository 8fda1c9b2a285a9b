"""This machine as a host."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.local import process, reading, utilities, writing
from csf_backup_plugin.hosts.local.facts import facts
from csf_backup_plugin.hosts.local.lock import held
from csf_backup_plugin.hosts.local.lock_file import LockFile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from contextlib import AbstractContextManager

    from csf_backup_plugin.hosts.protocol import Completed, Entry, Facts, Lock, Running


class LocalHost:
    """The machine csf runs on.

    Args:
        name: what the user calls it; messages say it back.
    """

    def __init__(self, name: str = "localhost") -> None:
        self.name = name

    def lock(
        self,
        path: str,
        purpose: str,
        wait: float,
        waiting: Callable[[str], None],
        *,
        create: bool = True,
    ) -> AbstractContextManager[LockFile | None]:
        """Hold the lock file at `path`; see `Host.lock`."""
        return held(path, purpose, wait, waiting, create=create)

    def list_directory(self, path: str) -> list[Entry]:
        """Return what is in a directory."""
        return reading.list_directory(path)

    def look(self, paths: Iterable[str]) -> list[Facts]:
        """Return the facts on each path, in order."""
        return [facts(path) for path in paths]

    def read(self, path: str) -> bytes | None:
        """Return a file's contents, or None where there is no file."""
        return reading.read(path)

    def create(self, path: str, data: bytes) -> None:
        """Make a file that must not exist yet; leave none behind on failure."""
        writing.create(path, data)

    def append(self, path: str, lines: bytes) -> None:
        """Append whole lines; see `Host.append`."""
        writing.append(path, lines)

    def publish(self, path: str, data: bytes, like: str | None = None) -> None:
        """Let a file that must not exist yet appear all at once; see `Host.publish`."""
        writing.publish(path, data, like)

    def sync(self, path: str) -> None:
        """Bring a file and its name to the disk."""
        writing.sync(path)
        writing.sync(os.path.dirname(path))

    def remove(self, path: str) -> None:
        """Delete a file, if it is there."""
        writing.remove(path)

    def digest(self, path: str, progress: Callable[[int], None]) -> tuple[int, str]:
        """Return a file's bytes and SHA-256."""
        return reading.digest(path, progress)

    def find(self, utility: str, variable: str) -> str:
        """Return the path of an ObjectStore utility; see `Host.find`."""
        return utilities.find(utility, variable, os.environ, self.name)

    def run(self, argv: Sequence[str], timeout: float) -> Completed:
        """Run a program to its end, nothing on its standard input."""
        return process.run(argv, timeout)

    def start(
        self, argv: Sequence[str], image: str, lock: Lock | None
    ) -> AbstractContextManager[Running]:
        """Start osbackup; see `Host.start`."""
        inherited = (lock.descriptor,) if isinstance(lock, LockFile) else ()
        return process.started(argv, image, inherited)
