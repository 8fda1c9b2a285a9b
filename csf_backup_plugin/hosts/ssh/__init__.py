"""Another machine as a host, by the OpenSSH client; nothing of ours needs to be installed there."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any

from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.ssh import (
    directory,
    entries,
    files,
    find_utility,
    job,
    listing,
    looking,
    machine,
    programs,
    reading,
)
from csf_backup_plugin.hosts.ssh.connection import Connection
from csf_backup_plugin.hosts.ssh.lock import SshLock, held
from csf_backup_plugin.hosts.ssh.login import VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from csf_backup_plugin.cancellation import Cancellation
    from csf_backup_plugin.hosts.protocol import (
        Completed,
        Entry,
        Facts,
        Lock,
        Machine,
        Running,
        Stat,
    )


@contextlib.contextmanager
def connected(name: str, cancellation: Cancellation) -> Iterator[SshHost]:
    """Work with a host while the block runs; the connection is made when it is first needed."""
    connection = Connection(name, os.environ.get(VARIABLE) or "ssh", cancellation)
    try:
        yield SshHost(name, connection)
    finally:
        connection.close()


class SshHost:
    """A machine that ssh reaches.

    Args:
        name: what ssh knows it by; messages say it back.
        connection: to it.
    """

    def __init__(self, name: str, connection: Connection) -> None:
        self.name = name
        self.cancellation = connection.cancellation
        self._connection = connection

    def machine(self) -> Machine:
        """Return who the host says it is, and what its clock says."""
        return machine.machine(self._connection)

    def together(self, *steps: Callable[[], Any]) -> tuple[Any, ...]:
        """Carry out steps that only look, one after another; see `Host.together`."""
        return tuple(step() for step in steps)

    def lock(
        self,
        path: str,
        purpose: str,
        wait: float,
        waiting: Callable[[str], None],
        *,
        create: bool = True,
    ) -> AbstractContextManager[SshLock | None]:
        """Hold the lock file at `path`; see `Host.lock`."""
        return held(self._connection, path, purpose, wait, waiting, create=create)

    def list_directory(self, path: str) -> list[Entry]:
        """Return what is in a directory."""
        return listing.list_directory(self._connection, path)

    def read_directory(
        self, path: str, ending: str
    ) -> tuple[list[Entry], dict[str, bytes | OSError | None]]:
        """Return what is in a directory, and the contents of the files whose names end so."""
        return directory.read_directory(self._connection, path, ending)

    def stat(self, paths: Iterable[str]) -> list[Stat]:
        """Return what stands at each path, in order."""
        return looking.stat(self._connection, list(paths))

    def look(self, paths: Iterable[str]) -> list[Facts]:
        """Return the facts on each path, in order."""
        return looking.look(self._connection, list(paths))

    def read(self, path: str) -> bytes | None:
        """Return a file's contents, or None where there is no file."""
        return reading.read(self._connection, path)

    def read_each(self, paths: Iterable[str]) -> list[bytes | OSError | None]:
        """Return the contents of each file, in order; an error stands in its place."""
        return reading.read_each(self._connection, list(paths))

    def create(self, path: str, data: bytes) -> None:
        """Make a file that must not exist yet; leave none behind on failure."""
        files.publish(self._connection, path, data)

    def append(self, path: str, lines: bytes) -> None:
        """Append whole lines; see `Host.append`."""
        files.append(self._connection, path, lines)

    def publish(self, path: str, data: bytes, like: str | None = None) -> str:
        """Let a file that must not exist yet appear all at once; see `Host.publish`."""
        return files.publish(self._connection, path, data, like)

    def replace(self, path: str, data: bytes, like: str | None = None) -> str:
        """Let a file have other contents, all at once; see `Host.replace`."""
        return files.replace(self._connection, path, data, like)

    def sync(self, paths: Iterable[str]) -> list[str]:
        """Bring files and their names to the disk; see `Host.sync`."""
        return entries.sync(self._connection, paths)

    def remove(self, paths: Iterable[str]) -> None:
        """Delete files, and directories that are empty, in order, as far as they are there."""
        entries.remove(self._connection, paths)

    def remove_trees(self, paths: Iterable[str], *, mine: bool) -> None:
        """Remove files, or directories with all that is in them; see `Host.remove_trees`."""
        entries.remove_trees(self._connection, paths, mine=mine)

    def make_directories(self, paths: Iterable[str]) -> None:
        """Make directories that must not exist yet, one after another."""
        entries.make_directories(self._connection, paths)

    def move(self, moves: Iterable[tuple[str, str]]) -> None:
        """Give files other names in the same file system; see `Host.move`."""
        entries.move(self._connection, moves)

    def digest(self, path: str, progress: Callable[[int], None]) -> tuple[int, str]:
        """Return a file's bytes and SHA-256."""
        return programs.digest(self._connection, path, progress)

    def find(self, utility: str, variable: str) -> str:
        """Return the path of an ObjectStore utility; see `Host.find`."""
        return find_utility.find(self._connection, utility, variable)

    def run(self, argv: Sequence[str], timeout: float) -> Completed:
        """Run a program to its end, nothing on its standard input."""
        return programs.run(self._connection, argv, timeout)

    def run_each(
        self, argv: Sequence[str], operands: Iterable[str], timeout: float
    ) -> Iterator[Completed]:
        """Run a program once for each operand; see `Host.run_each`."""
        return programs.run_each(self._connection, argv, operands, timeout)

    def start(
        self, argv: Sequence[str], watched: str, lock: Lock | None, record: str
    ) -> AbstractContextManager[Running]:
        """Start a utility, detached; see `Host.start`."""
        if lock is not None and not (isinstance(lock, SshLock) and lock.is_of(self._connection)):
            raise common.foreign_lock(self.name)
        return job.started(self._connection, argv, watched, lock, record)
