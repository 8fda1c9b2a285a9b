"""Give each scenario two databases to work on."""

from __future__ import annotations

import os
import shutil
import tempfile
from types import TracebackType

from contract.installed import Outcome, Utilities, lines


class NotPossible(Exception):
    """A scenario could not be run: the utilities did not do what it needs."""


class Bench:
    """A directory to work in, with copies of two databases; removed at the end.

    Args:
        utilities: What is tried.

    Attributes:
        path: The directory; utilities run in it, and relative names are names in it.
        repository: The directory in it that holds the databases.
        large: A database that needs several volumes of 80k.
        small: Another one.
    """

    def __init__(self, utilities: Utilities) -> None:
        self._utilities = utilities
        self.path = tempfile.mkdtemp(prefix="conformance-", dir=utilities.databases)
        self.repository = self.at("repository")
        self.large = os.path.join(self.repository, os.path.basename(utilities.large))
        self.small = os.path.join(self.repository, os.path.basename(utilities.small))

    def __enter__(self) -> Bench:
        os.mkdir(self.repository)
        shutil.copy2(self._utilities.large, self.large)
        shutil.copy2(self._utilities.small, self.small)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        shutil.rmtree(self.path)

    def osbackup(self, *arguments: str, stdin: bytes | None = b"") -> Outcome:
        """Run osbackup; see `Utilities.run` for `stdin`."""
        return self._utilities.run(["osbackup", *arguments], self.path, stdin)

    def osrestore(self, *arguments: str, stdin: bytes | None = b"") -> Outcome:
        """Run osrestore."""
        return self._utilities.run(["osrestore", *arguments], self.path, stdin)

    def backup(self) -> None:
        """Back both databases up, for a scenario that needs the file `image`.

        Raises:
            NotPossible: There is no image.
        """
        done = self.osbackup("-a", "-f", "image", self.large, self.small)
        if done.ending != "success" or not os.path.exists(self.at("image")):
            raise NotPossible(f"osbackup made no image: {done.words}")

    def listed(self, image: str = "image", *, stdin: bytes = b"") -> list[str]:
        """Return which of the databases `osrestore -t` names, with or without a host, sorted."""
        done = self.osrestore("-t", "-a", "-f", image, stdin=stdin)
        ends = tuple(line.rstrip() for line in lines(done.stdout))
        paths = sorted([self.large, self.small])
        return [path for path in paths if any(end.endswith(path) for end in ends)]

    def at(self, name: str) -> str:
        """Return the absolute path of a name."""
        return os.path.join(self.path, name)

    def exists(self, name: str) -> bool:
        """Tell whether there is a file of that name."""
        return os.path.isfile(self.at(name))

    def read(self, name: str) -> bytes:
        """Return the contents of a file, or nothing if there is none."""
        if not self.exists(name):
            return b""
        with open(self.at(name), "rb") as file:
            return file.read()

    def write(self, name: str, content: bytes) -> None:
        """Write a file."""
        with open(self.at(name), "wb") as file:
            file.write(content)

    def directory(self, name: str) -> str:
        """Make a directory, and return its name."""
        os.mkdir(self.at(name))
        return name

    def remove_databases(self) -> None:
        """Remove both, as the original description does before a restore."""
        os.unlink(self.large)
        os.unlink(self.small)

    def sectors(self, name: str) -> int:
        """Return how many sectors of 512 bytes a file needs; a missing file needs none."""
        return -(-len(self.read(name)) // 512)
