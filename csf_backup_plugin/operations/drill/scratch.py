"""A scratch directory, which is removed with all its contents when the run ends or fails.

A lock file beside the directory is created before it and removed after it. The lock is held as long
as the run or its osrestore lives. So the next run can recognize the leftovers of a killed run.
"""

from __future__ import annotations

import contextlib
import datetime
import posixpath
import re
from typing import TYPE_CHECKING

from csf_backup_plugin.command_names import DRILL
from csf_backup_plugin.errors import HostUnreachable
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.aftermath import Left, on_failure, preceded
from csf_backup_plugin.system_errors import is_about, reason, translated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.image.path import ImagePath

PREFIX = "csf-drill-"
#: The suffix of the lock file's name, after the name of the scratch directory.
LOCK = ".lock"
_ROOM = "Make room there, or name another directory with -scratch-dir."
_NAME_KEPT = 30  # characters of the image's name, since a file's name has at most 255 bytes


def name_of(image: str, machine: str) -> str:
    """Return a new name for a scratch directory, made of image, machine and time.

    A machine's name contains no @, so the last @ always precedes it.

    Args:
        image: the image's path.
        machine: the name of this machine; other machines may use the same file system.
    """
    now = datetime.datetime.now(datetime.timezone.utc)
    kept = posixpath.basename(image)[:_NAME_KEPT]
    return f"{PREFIX}{kept}@{machine}-{now:%Y%m%dT%H%M%S.%fZ}"


def is_of(machine: str, name: str) -> bool:
    """Return whether a scratch directory was made on a machine, by the directory's name."""
    return bool(re.fullmatch(rf"{PREFIX}.*@{re.escape(machine)}-[0-9T.]+Z", name, re.DOTALL))


class Scratch:
    """A scratch directory.

    Args:
        path: its path.
        host: the host that it is on.

    Attributes:
        lock: its lock, which osrestore inherits.
        kept: the path that could not be removed, and why; empty if all was removed.
        is_ours: whether this run has created the directory, or may have.
    """

    def __init__(self, path: str, host: Host) -> None:
        self.path = path
        self.lock: Lock | None = None
        self.kept = ""
        self.is_ours = False
        self._host = host

    @property
    def record(self) -> str:
        """The path of osrestore's run record."""
        return f"{self.path}/run"

    def place(self, path: str) -> str:
        """Return the path in the scratch directory to which a database path is restored."""
        return f"{self.path}/restored{path}"

    def make(self, paths: Iterable[str]) -> None:
        """Create the scratch directory, with a subdirectory for each directory of databases.

        Args:
            paths: the directories of databases.

        Raises:
            FileExistsError: something exists at its path already.
        """
        made = {self.path: None}
        for path in map(self.place, paths):
            above = [path]
            while (parent := posixpath.dirname(above[-1])) not in made:
                above.append(parent)
            made |= dict.fromkeys(reversed(above))
        self.is_ours = True
        try:
            self._host.make_directories(made)
        except FileExistsError as error:
            self.is_ours = not is_about(error, self.path)
            raise

    def remove(self) -> None:
        """Remove the directory with its contents, and the lock file; set `kept` if that fails."""
        self.kept = ""
        try:
            itself = [self.path] if self.is_ours else []
            self._host.remove_trees([*itself, self.path + LOCK], mine=False)
        except (OSError, HostUnreachable) as error:
            self.kept = f"{shown(self.path)} could not be removed: {reason(error)}"

    def left(self, so_far: str) -> Left:
        """Return what is left if a drill fails after the removal of the directory."""
        return preceded(self.kept, so_far)

    def left_inside(self, so_far: str) -> Left:
        """Return what is left if a drill fails while it uses the directory."""
        if not self.is_ours:
            return Left(so_far)
        if self.kept:
            return Left(f"What this run had created could not all be removed: {self.kept}.")
        return Left("What this run had created was removed; nothing else was changed.")


@contextlib.contextmanager
def scratch(
    directory: str, image: ImagePath, paths: Iterable[str], machine: str, host: Host
) -> Iterator[Scratch]:
    """Create a scratch directory, and remove it after the block.

    Args:
        directory: the directory in which it is created.
        image: the image; its name becomes part of the directory's, so that a leftover can be
            recognized.
        paths: the directories of databases; each gets a subdirectory.
        machine: the name of the host's machine.
        host: the host to work on.
    """
    made = Scratch(posixpath.join(directory, name_of(image.path, machine)), host)
    failure: BaseException | None = None
    # Raise an error only after the lock's block: an error inside it removes the lock file, even if
    # the directory could not be removed.
    with host.lock(made.path + LOCK, DRILL, 0, lambda _holder: None) as made.lock:
        try:
            with translated(host.name, _ROOM):
                made.make(paths)
                yield made
            made.remove()
        except BaseException as error:
            failure = error
            made.remove()  # not interrupted: a signal is raised only once
    if failure:
        with on_failure(made.left_inside):
            raise failure
