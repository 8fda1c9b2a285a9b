"""A host in memory and a listener that remembers, for tests that need no real files."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import posixpath
import zlib
from typing import TYPE_CHECKING, Any, TypeVar

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.errors import LockBusy, UtilityMissing
from csf_backup_plugin.hosts.common import BEING_READ, CUT_SHORT, GONE, foreign_lock, kept
from csf_backup_plugin.hosts.local.find_utility import checked_program
from csf_backup_plugin.hosts.protocol.values import Completed, Entry, Facts, Machine, Stat
from csf_backup_plugin.hosts.turns import carried_out
from csf_backup_plugin.progress_listener import Listener
from memory_tree import MemoryTree, system_error

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.hosts.protocol.programs import Quiesce
    from csf_backup_plugin.hosts.protocol.steps import Step, Withdrawal

T = TypeVar("T")


class MemoryLock:
    """A lock that is held on a host in memory.

    Attributes:
        host: which.
    """

    unsupported = ""
    is_freed = True
    is_left = False
    is_held = True

    def __init__(self, host: MemoryHost, name: str = "") -> None:
        self.host = host
        self._name = name

    def release(self) -> None:
        self.host.locked.pop(self._name, None)


class MemorySource:
    """A file of a host in memory that is sent, in two parts.

    Args:
        data: what is in it.
    """

    def __init__(self, data: bytes) -> None:
        half = len(data) // 2
        self._parts = [part for part in (data[half:], data[:half]) if part]

    def take(self) -> bytes | None:
        return self._parts.pop() if self._parts else b""


class MemorySink:
    """A file of a host in memory that is filled.

    Args:
        host: the host.
        name: the file.
    """

    def __init__(self, host: MemoryHost, name: str) -> None:
        self._host = host
        self._name = name

    def give(self, data: memoryview) -> int:
        self._host.files[self._name] += bytes(data)
        return len(data)

    def end(self) -> bool:
        return True


class MemoryHost(MemoryTree):
    """Files are a dictionary; what a test wants to be different it sets.

    It has no users, disks or processes of its own: what a host tells of those, a test sets.

    Attributes:
        facts: what `stat` and `look` tell otherwise of a path.
        modified: when something was changed, if that matters.
        unreadable: the errors that reading meets.
        locked: paths of the locks that are held, and by whom.
        variables: its environment variables.
        being_read: paths of the files that are held for reading, as often as they are.
    """

    name = "db1"

    def __init__(self, files: dict[str, bytes], directories: Iterable[str] = ()) -> None:
        super().__init__(files, directories)
        self.cancellation = Cancellation()
        self.facts: dict[str, dict[str, Any]] = {}
        self.modified: dict[str, float] = {}
        self.unreadable: dict[str, OSError] = {}
        self.locked: dict[str, str] = {}
        self.variables: dict[str, str] = {}
        self.being_read: list[str] = []
        self.itself = Machine("a" * 32, "db1", "2026-11-25T12:00:00+00:00")
        self.listing = Completed(0, b"")
        self.utilities = {"osbackup": "/os/bin/osbackup", "osrestore": "/os/bin/osrestore"}

    def machine(self) -> Machine:
        return self.itself

    def together(self, *steps: Callable[[], Any]) -> tuple[Any, ...]:
        return tuple(step() for step in steps)

    def lock(
        self,
        path: str,
        purpose: str,
        wait: float,
        waiting: Callable[[str], None],
        *,
        create: bool = True,
    ) -> AbstractContextManager[MemoryLock | None]:
        return self._held(path, purpose, wait, waiting, create=create)

    @contextlib.contextmanager
    def _held(
        self, path: str, purpose: str, wait: float, waiting: Callable[[str], None], *, create: bool
    ) -> Iterator[MemoryLock | None]:
        name = self._place(path)
        if name in self.links:
            raise system_error(errno.ELOOP, path)
        kind = self._kind(name)
        if kind not in ("file", "missing"):
            raise OSError(errno.EINVAL, "Not a file", path)
        if kind == "missing" and not create:
            yield None
            return
        if holder := self.locked.get(name):
            if wait:
                waiting(f"waiting up to {wait:g} s for csf {holder}")
            raise LockBusy(f"The repository is locked: {path} is held by csf {holder}.", "Wait.")
        self.files.setdefault(name, b"")
        self.locked[name] = purpose
        try:
            yield MemoryLock(self, name)
        except BaseException:
            if kind == "missing":
                self.files.pop(name, None)
            raise
        finally:
            self.locked.pop(name, None)

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
    ) -> Iterator[tuple[MemoryLock | None, T]]:
        if beside and (self._kind(beside) != "file" or self._led(beside) != beside):
            yield None, look()
            return
        with self.lock(path, purpose, wait, waiting, create=create) as lock:
            yield lock, look()

    @contextlib.contextmanager
    def reading(self, path: str) -> Iterator[None]:
        name = self._file(path, errno.EINVAL, "Not a file")
        self.being_read.append(name)
        try:
            yield
        finally:
            self.being_read.remove(name)

    def list_directory(self, path: str) -> list[Entry]:
        led = self._led(path)
        if led not in self.directories:
            raise system_error(
                errno.ENOENT if self._kind(led) == "missing" else errno.ENOTDIR, path
            )
        inside = [name for name in self._names() if posixpath.dirname(name) == led != name]
        return [
            Entry(posixpath.basename(name), at.kind, at.size, at.link, self._modified(name))
            for name, at in zip(inside, self.stat(inside), strict=True)
        ]

    def read_directory(
        self, path: str, ending: str
    ) -> tuple[list[Entry], dict[str, bytes | OSError | None]]:
        entries = self.list_directory(path)
        names = [entry.name for entry in entries if entry.name.endswith(ending)]
        contents = self.read_each(posixpath.join(path, name) for name in names)
        return entries, dict(zip(names, contents, strict=True))

    def _modified(self, name: str) -> float:
        return self.modified.get(self._led(name), 0.0) if self._is_there(name) else 0.0

    def stat(self, paths: Iterable[str]) -> list[Stat]:
        return [self._stat(path)._replace(**self._told(path, Stat)) for path in paths]

    def _stat(self, path: str) -> Stat:
        kind, link = self._kind(path), self._is_link(path)
        if not self._is_there(path):
            return Stat(kind, link=link)
        led = self._led(path)
        found = Stat(kind, link=link, device=1, inode=zlib.crc32(os.fsencode(led)), readable=True)
        if kind != "file":
            return found
        data = self.files[led]
        return found._replace(
            size=len(data),
            stamp=f"{found.inode}-{len(data)}-{zlib.crc32(data)}",
            allocated=-(-len(data) // 4096) * 4096,
        )

    def look(self, paths: Iterable[str]) -> list[Facts]:
        return [self._look(path)._replace(**self._told(path, Facts)) for path in paths]

    def _look(self, path: str) -> Facts:
        at = self._stat(path)
        try:
            facts = Facts(at.kind, self._led(path), at.device, at.inode)
        except OSError:
            return Facts(at.kind, path)
        if at.kind == "directory":
            facts = facts._replace(writable=True, free=10**9)
        return facts._replace(mount="/") if at.inode else facts

    def _told(self, path: str, of: type[Stat | Facts]) -> dict[str, Any]:
        return {key: one for key, one in self.facts.get(path, {}).items() if key in of._fields}

    def read(self, path: str) -> bytes | None:
        (found,) = self.read_each([path])
        if isinstance(found, OSError):
            raise found
        return found

    def read_each(self, paths: Iterable[str]) -> list[bytes | OSError | None]:
        return [self.unreadable.get(path) or self._read(path) for path in paths]

    def _read(self, path: str) -> bytes | OSError | None:
        try:
            return self.files[self._file(path, errno.EINVAL, "Not a file")]
        except FileNotFoundError:
            return None
        except OSError as error:
            return error

    def create(self, path: str, data: bytes) -> None:
        self.files[self._unused(path)] = data

    def append(self, path: str, lines: bytes) -> None:
        name = self._file(path, errno.EISDIR, os.strerror(errno.EISDIR))
        data = self.files[name]
        if b"\n" not in data:
            raise OSError(errno.EINVAL, "Not one whole line in it", path)
        self.files[name] = data + (b"" if data.endswith(b"\n") else CUT_SHORT + b"\n") + lines

    def publish(self, path: str, data: bytes, like: str | None = None) -> str:
        self.create(path, data)
        return ""

    def replace(self, path: str, data: bytes, like: str | None = None) -> str:
        name = self._place(path)
        self.links.pop(name, None)
        self.files[name] = data
        return ""

    def sync(self, paths: Iterable[str]) -> list[str]:
        for path in paths:
            if not self._is_there(path):
                raise system_error(errno.ENOENT, path)
        return []

    def remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            name = self._name(path)
            if any(posixpath.dirname(one) == name for one in self._names()):
                raise system_error(errno.ENOTEMPTY, path)
            self._forget(name)

    def remove_trees(self, paths: Iterable[str], *, mine: bool) -> None:
        for name in map(self._name, paths):
            for one in [one for one in self._names() if f"{one}/".startswith(f"{name}/")]:
                self._forget(one)

    def make_directories(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.directories.add(self._unused(path))

    def move(self, moves: Iterable[tuple[str, str]]) -> None:
        for old, new in moves:
            name, free = self._name(old), self._unused(new)
            if name in self.links:
                self.links[free] = self.links.pop(name)
            elif name in self.files:
                self.files[free] = self.files.pop(name)
            else:
                raise system_error(errno.ENOENT, old)

    def in_turn(self, *steps: Step) -> tuple[Callable[[], str], ...]:
        return carried_out(self, steps)

    def withdraw(self, files: Iterable[Withdrawal]) -> list[str]:
        return [self._withdraw(one) for one in files]

    def _withdraw(self, one: Withdrawal) -> str:
        try:
            name = self._file(one.path, errno.EINVAL, "Not a file")
            if name in self.being_read:
                return BEING_READ
            if self._kind(one.unless) != "missing":
                return kept(one.unless)
            self.files[self._unused(one.to)] = self.files[name]
        except FileNotFoundError:
            return GONE
        except OSError as error:
            return str(error.strerror)
        del self.files[name]
        return ""

    def digest(self, path: str, progress: Callable[[int], None]) -> tuple[int, str]:
        led = self._led(path)
        if led not in self.files:
            raise system_error(errno.ENOENT, path)
        progress(len(self.files[led]))
        return len(self.files[led]), hashlib.sha256(self.files[led]).hexdigest()

    def sending(self, path: str) -> AbstractContextManager[MemorySource]:
        led = self._led(path)
        if led not in self.files:
            raise system_error(errno.ENOENT, path)
        return contextlib.nullcontext(MemorySource(self.files[led]))

    def receiving(self, path: str) -> AbstractContextManager[MemorySink]:
        name = self._unused(path)
        self.files[name] = b""
        return contextlib.nullcontext(MemorySink(self, name))

    def find(self, utility: str, _variable: str) -> str:
        if utility not in self.utilities:
            raise UtilityMissing(f"{utility} was not found", "Set OS_ROOTDIR.")
        return self.utilities[utility]

    def find_program(self, path: str, variable: str) -> str:
        named = path or self.variables.get(variable, "")
        is_program = named in self.utilities.values()
        return checked_program(named, "" if path else variable, self.name, is_program=is_program)

    def run(self, _argv: Sequence[str], _timeout: float) -> Completed:
        return self.listing

    def run_each(
        self, _argv: Sequence[str], operands: Iterable[str], _timeout: float
    ) -> Iterator[Completed]:
        return (self.listing for _ in operands)

    def start(
        self,
        _argv: Sequence[str],
        _watched: str,
        lock: Lock | None,
        _record: str,
        timeout: float = 0.0,
        *,
        note: bytes = b"",
        quiesce: Quiesce | None = None,
    ) -> contextlib.nullcontext[MemoryHost]:
        if lock is not None and not (isinstance(lock, MemoryLock) and lock.host is self):
            raise foreign_lock(self.name)
        return contextlib.nullcontext(self)

    def poll(self) -> tuple[Completed | None, int]:
        return Completed(0, b""), 0


def last_first(_host: object, *steps: Callable[[], Any]) -> tuple[Any, ...]:
    """Carry out all steps, the last one first, as another host may; the first error counts."""
    failures: dict[int, Exception] = {}
    found: dict[int, Any] = {}
    for at, step in reversed([*enumerate(steps)]):
        try:
            found[at] = step()
        except Exception as error:
            failures[at] = error
    if failures:
        raise failures[min(failures)]
    return tuple(found[at] for at in range(len(steps)))


class Memory(Listener):
    """A listener that remembers what it was told."""

    def __init__(self) -> None:
        self.notes: list[str] = []
        self.steps: list[tuple[str, int, int]] = []

    def note(self, text: str) -> None:
        self.notes.append(text)

    def advance(self, phase: str, done: int, total: int) -> None:
        self.steps.append((phase, done, total))


def tree(*directories: str) -> dict[str, bytes]:
    """Return every file below the directories, with its contents."""
    import os

    def files() -> Iterator[tuple[str, bytes]]:
        for directory in directories:
            for at, _, names in os.walk(directory):
                for name in names:
                    path = os.path.join(at, name)
                    with open(path, "rb") as file:
                        yield path, file.read()

    return dict(files())
