"""A host in memory and a watcher that remembers, for tests of what needs no real files."""

from __future__ import annotations

import contextlib
import posixpath
from typing import TYPE_CHECKING, Any

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.errors import UtilityMissing
from csf_backup_plugin.hosts.protocol import CUT_SHORT, Completed, Entry, Facts, Machine, Stat
from csf_backup_plugin.listener import Listener

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence


class MemoryHost:
    """Files are a dictionary; what a test wants to be different it sets."""

    name = "db1"

    def __init__(self, files: dict[str, bytes], directories: Iterable[str] = ()) -> None:
        self.cancellation = Cancellation()
        self.files = dict(files)
        self.directories = {*directories, *map(posixpath.dirname, files)}
        self.facts: dict[str, dict[str, Any]] = {}  # what differs from a plain file or directory
        self.modified: dict[str, float] = {}  # when files were changed, if that matters
        self.unreadable: dict[str, OSError] = {}
        self.itself = Machine("a" * 32, "db1", "2026-11-25T12:00:00+00:00")
        self.listing = Completed(0, b"")
        self.utilities = {"osbackup": "/os/bin/osbackup", "osrestore": "/os/bin/osrestore"}

    def machine(self) -> Machine:
        return self.itself

    def lock(self, *_: object, create: bool = True) -> contextlib.nullcontext[Any]:
        return contextlib.nullcontext()

    def list_directory(self, path: str) -> list[Entry]:
        inside = [name for name in self.files if posixpath.dirname(name) == path]
        inside += [name for name in self.directories if posixpath.dirname(name) == path]
        looked = zip(inside, self.stat(inside), strict=True)
        return [
            Entry(
                posixpath.basename(name),
                *(at.kind, at.size, at.link, self.modified.get(name, 0.0)),
            )
            for name, at in looked
        ]

    def stat(self, paths: Iterable[str]) -> list[Stat]:
        return [self._stat(path)._replace(**self._told(path, Stat)) for path in paths]

    def _stat(self, path: str) -> Stat:
        if path in self.files:
            size = len(self.files[path])
            allocated = -(-size // 4096) * 4096
            return Stat("file", size, allocated=allocated, device=1, readable=True)
        if path in self.directories:
            return Stat("directory", device=1, readable=True)
        return Stat("missing")

    def look(self, paths: Iterable[str]) -> list[Facts]:
        return [self._look(path)._replace(**self._told(path, Facts)) for path in paths]

    def _look(self, path: str) -> Facts:
        at = self._stat(path)
        if at.kind == "missing":
            return Facts("missing", path)
        is_directory = at.kind == "directory"
        free = 10**9 if is_directory else 0
        return Facts(at.kind, path, device=1, writable=is_directory, free=free, mount="/")

    def _told(self, path: str, of: type[Stat | Facts]) -> dict[str, Any]:
        return {key: one for key, one in self.facts.get(path, {}).items() if key in of._fields}

    def read(self, path: str) -> bytes | None:
        if path in self.unreadable:
            raise self.unreadable[path]
        return self.files.get(path)

    def read_each(self, paths: Iterable[str]) -> list[bytes | OSError | None]:
        return [self.unreadable.get(path, self.files.get(path)) for path in paths]

    def create(self, path: str, data: bytes) -> None:
        if path in self.files:
            raise FileExistsError(path)
        self.files[path] = data

    def append(self, path: str, lines: bytes) -> None:
        if path not in self.files:
            raise FileNotFoundError(path)
        data = self.files[path]
        self.files[path] = data + (b"" if data.endswith(b"\n") else CUT_SHORT + b"\n") + lines

    def publish(self, path: str, data: bytes, like: str | None = None) -> str:
        self.create(path, data)
        return ""

    def replace(self, path: str, data: bytes, like: str | None = None) -> str:
        self.files[path] = data
        return ""

    def sync(self, paths: Iterable[str]) -> list[str]:
        assert {*paths} <= self.files.keys()
        return []

    def remove(self, paths: Iterable[str]) -> None:
        for path in paths:
            self.files.pop(path, None)
            self.directories.discard(path)

    def remove_tree(self, path: str, *, mine: bool) -> None:
        inside = [name for name in self.files if name.startswith(f"{path}/")]
        self.remove([*inside, path])

    def make_directory(self, path: str) -> None:
        if path in self.directories:
            raise FileExistsError(path)
        self.directories.add(path)

    def move(self, moves: Iterable[tuple[str, str]]) -> None:
        for old, new in moves:
            self.create(new, self.files.pop(old))

    def digest(self, path: str, progress: Callable[[int], None]) -> tuple[int, str]:
        progress(len(self.files[path]))
        return len(self.files[path]), f"digest of {path}"

    def find(self, utility: str, _variable: str) -> str:
        if utility not in self.utilities:
            raise UtilityMissing(f"{utility} was not found", "Set OS_ROOTDIR.")
        return self.utilities[utility]

    def run(self, _argv: Sequence[str], _timeout: float) -> Completed:
        return self.listing

    def run_each(
        self, _argv: Sequence[str], operands: Iterable[str], _timeout: float
    ) -> Iterator[Completed]:
        return (self.listing for _ in operands)

    def start(self, *_: object) -> contextlib.nullcontext[MemoryHost]:
        return contextlib.nullcontext(self)

    def poll(self) -> tuple[Completed | None, int]:
        return Completed(0, b""), 0


class Memory(Listener):
    """A watcher that remembers what it was told."""

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
