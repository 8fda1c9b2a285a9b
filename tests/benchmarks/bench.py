"""A simulated repository, a directory for images, and the commands that are measured on both."""

from __future__ import annotations

import contextlib
import functools
import os
import shlex
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from csf_simulator.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


class Bench:
    """A repository and a directory in which commands are measured.

    Args:
        sim: the simulator of the repository.
        root: an empty directory.
        master: the repository's master database.
    """

    def __init__(self, sim: Simulator, root: Path, master: str) -> None:
        self.root = root
        self.master = master
        self.repository = os.path.dirname(master)
        self.environment = sim.home.environment(os.environ)
        self.names = root / "names"
        paths = sorted(entry.path for entry in os.scandir(self.repository))
        self.names.write_bytes(b"".join(os.fsencode(path) + b"\n" for path in paths))

    def emptied(self, name: str) -> Callable[[], None]:
        """Return a function that empties a directory of the root, for `Case.prepare`."""
        return functools.partial(_empty, self.root / name)

    def osbackup(self, image: str) -> list[str]:
        """Return the osbackup of the repository into an image of the root."""
        return ["osbackup", "-a", "-I", str(self.names), "-f", str(self.root / image)]

    def osrestore(self, image: str, directory: str) -> list[str]:
        """Return the osrestore of an image into a directory of the root."""
        to = str(self.root / directory)
        return ["osrestore", "-f", str(self.root / image), self.repository, to]

    def csf(self, command: str, image: str, *options: str, host: str = "localhost") -> list[str]:
        """Return a command of the plugin about an image of the root."""
        named = ("-image-file", f"{host}:{self.root / image}")
        return ["csf", f"admin_database_{command}", *named, *options]

    def csf_of_all(self, command: str, image: str, *options: str) -> list[str]:
        """Return a command of the plugin about an image of the root, and the repository."""
        return self.csf(command, image, "-database", self.master, *options)


@contextlib.contextmanager
def bench(classes: int, size: int = 0) -> Iterator[Bench]:
    """Yield a bench while the block runs.

    Args:
        classes: how many classes the repository has.
        size: bytes in each class's database.
    """
    with tempfile.TemporaryDirectory() as root, Simulator() as sim:
        yield Bench(sim, Path(root), sim.repository(classes=classes, size=size))


def then(argv: list[str], *following: str) -> list[str]:
    """Return a command that runs another one after it, if it succeeds."""
    return ["sh", "-c", f"{shlex.join(argv)} && {shlex.join(following)}"]


def _empty(directory: Path) -> None:
    if directory.exists():
        shutil.rmtree(directory)
    directory.mkdir()
