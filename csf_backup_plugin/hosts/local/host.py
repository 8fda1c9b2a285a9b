"""This machine as a host, whole."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING, Any, TypeVar

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.local import (
    appending,
    entries,
    facts,
    find_utility,
    job,
    lock,
    machine,
    process,
    read_lock,
    reading,
    removal,
    status,
    streaming,
    syncing,
    withdrawal,
    writing,
)
from csf_backup_plugin.hosts.local.lock_file import LockFile
from csf_backup_plugin.hosts.long_step import overlapped
from csf_backup_plugin.hosts.turns import carried_out

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.hosts.protocol.programs import Quiesce, Running
    from csf_backup_plugin.hosts.protocol.steps import Step, Withdrawal
    from csf_backup_plugin.hosts.protocol.values import Completed, Entry, Facts, Machine, Stat

T = TypeVar("T")


class LocalHost:
    """The machine csf runs on.

    Args:
        name: what the user calls it; messages say it back.
        cancellation: what asks its work to end; without one, nothing does.
    """

    def __init__(self, name: str = "localhost", cancellation: Cancellation | None = None) -> None:
        self.name = name
        self.cancellation = cancellation or Cancellation()
        self._readings: list[str] = []  # the files that are held for reading

    def machine(self) -> Machine:
        """Return who the machine is, and what its clock says."""
        return machine.machine()

    def together(self, *steps: Callable[[], Any]) -> tuple[Any, ...]:
        """Carry out steps that only look; see `Host.together`."""
        return overlapped(steps)

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
        return lock.held(path, purpose, wait, waiting, self.cancellation, create=create)

    @contextlib.contextmanager
    def lock_and_look(
        self,
        path: str,
        purpose: str,
        wait: float,
        waiting: Callable[[str], None],
        look: Callable[[], T],
        *,
        create: bool = True,
        beside: str = "",
    ) -> Iterator[tuple[LockFile | None, T]]:
        """Hold the lock file at `path`, and look; see `Host.lock_and_look`."""
        if beside and not (os.path.isfile(beside) and os.path.realpath(beside) == beside):
            yield None, look()
            return
        with self.lock(path, purpose, wait, waiting, create=create) as lock:
            yield lock, look()

    @contextlib.contextmanager
    def reading(self, path: str) -> Iterator[None]:
        """Hold a shared lock on a file while the block runs; see `Host.reading`."""
        with read_lock.held(path, self.name, self.cancellation):
            self._readings.append(path)
            try:
                yield
            finally:
                self._readings.remove(path)

    def list_directory(self, path: str) -> list[Entry]:
        """Return what is in a directory."""
        return reading.list_directory(path)

    def read_directory(
        self, path: str, ending: str
    ) -> tuple[list[Entry], dict[str, bytes | OSError | None]]:
        """Return what is in a directory, and the contents of the files with one ending."""
        return reading.read_directory(path, ending)

    def stat(self, paths: Iterable[str]) -> list[Stat]:
        """Return what is at each path, in order."""
        return status.stat(paths)

    def look(self, paths: Iterable[str]) -> list[Facts]:
        """Return the facts on each path, in order."""
        return facts.look(paths)

    def read(self, path: str) -> bytes | None:
        """Return a file's contents, or None where there is no file."""
        return reading.read(path)

    def read_each(self, paths: Iterable[str]) -> list[bytes | OSError | None]:
        """Return the contents of each file, in order; an error stands in its place."""
        return reading.read_each(paths)

    def create(self, path: str, data: bytes) -> None:
        """Make a file that must not exist yet; leave none behind on failure."""
        writing.create(path, data)

    def append(self, path: str, lines: bytes) -> None:
        """Append whole lines; see `Host.append`."""
        appending.append(path, lines)

    def publish(self, path: str, data: bytes, like: str | None = None) -> str:
        """Create a file atomically that must not exist yet; see `Host.publish`."""
        return writing.publish(path, data, like)

    def replace(self, path: str, data: bytes, like: str | None = None) -> str:
        """Replace a file's contents atomically; see `Host.replace`."""
        return writing.replace(path, data, like)

    def sync(self, paths: Iterable[str]) -> list[str]:
        """Flush files and their names to the disk; see `Host.sync`."""
        return syncing.sync_each(paths)

    def remove(self, paths: Iterable[str]) -> None:
        """Delete files and empty directories, in order; those that are missing are skipped."""
        for path in paths:
            entries.remove(path)

    def remove_trees(self, paths: Iterable[str], *, mine: bool) -> None:
        """Remove files, or directories with all that is in them; see `Host.remove_trees`."""
        for path in paths:
            removal.remove_tree(path, mine=mine)

    def make_directories(self, paths: Iterable[str]) -> None:
        """Make directories that must not exist yet, one after another."""
        for path in paths:
            entries.make_directory(path)

    def move(self, moves: Iterable[tuple[str, str]]) -> None:
        """Rename files within their file system; see `Host.move`."""
        for old, new in moves:
            entries.move(old, new)

    def in_turn(self, *steps: Step) -> tuple[Callable[[], str], ...]:
        """Carry out steps until one fails; see `Host.in_turn`."""
        return carried_out(self, steps)

    def withdraw(self, files: Iterable[Withdrawal]) -> list[str]:
        """Rename files that nobody reads; see `Host.withdraw`."""
        return [withdrawal.withdraw(one) for one in files]

    def digest(self, path: str, progress: Callable[[int], None]) -> tuple[int, str]:
        """Return a file's size in bytes and its SHA-256."""
        return reading.digest(path, progress, self.cancellation)

    def sending(self, path: str) -> AbstractContextManager[streaming.FileSource]:
        """Open a file for reading while the block runs; see `Host.sending`."""
        return streaming.sending(path)

    def receiving(self, path: str) -> AbstractContextManager[streaming.FileSink]:
        """Create a file that is filled while the block runs; see `Host.receiving`."""
        return streaming.receiving(path)

    def find(self, utility: str, variable: str) -> str:
        """Return the path of an ObjectStore utility; see `Host.find`."""
        return find_utility.find(utility, variable, os.environ, self.name)

    def find_program(self, path: str, variable: str) -> str:
        """Return the path of a program of the user's; see `Host.find_program`."""
        return find_utility.find_program(path, variable, os.environ, self.name)

    def run(self, argv: Sequence[str], timeout: float) -> Completed:
        """Run a program to its end; its standard input is empty."""
        return process.run(argv, timeout, self.cancellation)

    def run_each(
        self, argv: Sequence[str], operands: Iterable[str], timeout: float
    ) -> Iterator[Completed]:
        """Run a program once for each operand; see `Host.run_each`."""
        return (
            process.run(
                [*argv, operand],
                timeout,
                self.cancellation,
                room=common.OUTPUT_OF_EACH,
                merged=True,
            )
            for operand in operands
        )

    def start(
        self,
        argv: Sequence[str],
        watched: str,
        lock: Lock | None,
        record: str,
        timeout: float = common.BEGINNING,
        *,
        note: bytes = b"",
        quiesce: Quiesce | None = None,
    ) -> AbstractContextManager[Running]:
        """Start a utility, below a guardian; see `Host.start`.

        A process that waits for a dead disk cannot be ended, by the timeout or otherwise.
        """
        if lock is not None and not isinstance(lock, LockFile):
            raise common.foreign_lock(self.name)
        return job.started(
            argv,
            watched,
            lock,
            record,
            self.cancellation,
            timeout,
            note=note,
            quiesce=quiesce,
            readings=tuple(self._readings),
        )
