"""A scratch directory, which is removed with all its contents when the run ends or fails.

A lock file beside it is created before it and removed after it. The lock is held as long as the run
or its osrestore lives. So the next run can recognize what a killed run has left.
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
from csf_backup_plugin.operations.aftermath import Left, left_told, preceded
from csf_backup_plugin.system_errors import is_about, reason, translated

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from csf_backup_plugin.hosts.protocol import Host, Lock
    from csf_backup_plugin.image.path import ImagePath

PREFIX = "csf-drill-"
#: The suffix of the lock file's name, after the name of the scratch directory.
LOCK = ".lock"
_ROOM = "Make room there, or name another directory with -scratch-dir."
_NAME_KEPT = 30  # characters of the image's name; a file's name may have 255 bytes


def name_of(image: str, machine: str) -> str:
    """Return the name of a scratch directory; it has the image, the machine and the time.

    A machine's name has no @ in it, so the @ always separates it from the rest.

    Args:
        image: the image's path.
        machine: the name of the machine it is made on: a file system may be another's too.
    """
    now = datetime.datetime.now(datetime.timezone.utc)
    kept = posixpath.basename(image)[:_NAME_KEPT]
    return f"{PREFIX}{kept}@{machine}-{now:%Y%m%dT%H%M%S.%fZ}"


def is_of(machine: str, name: str) -> bool:
    """Tell from its name whether a scratch directory was made on a machine."""
    return bool(re.fullmatch(rf"{PREFIX}.*@{re.escape(machine)}-[0-9T.]+Z", name, re.DOTALL))


class Scratch:
    """A scratch directory.

    Args:
        path: its path.
        host: its host.

    Attributes:
        lock: its lock, which osrestore inherits.
        kept: what could not be removed, and why; empty if all was removed.
        is_ours: whether we have created it, or may have.
    """

    def __init__(self, path: str, host: Host) -> None:
        self.path = path
        self.lock: Lock | None = None
        self.kept = ""
        self.is_ours = False
        self._host = host

    @property
    def record(self) -> str:
        """The path of the run record of its utility."""
        return f"{self.path}/run"

    def place(self, path: str) -> str:
        """Return the path in it to which another path of the host is restored."""
        return f"{self.path}/restored{path}"

    def make(self, paths: Iterable[str]) -> None:
        """Create it, with subdirectories for other directories.

        Args:
            paths: those directories.

        Raises:
            FileExistsError: something exists there already that is not ours.
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
        """Remove it with all its contents, and its lock file; `kept` says what could not go."""
        self.kept = ""
        try:
            itself = [self.path] if self.is_ours else []
            self._host.remove_trees([*itself, self.path + LOCK], mine=False)
        except (OSError, HostUnreachable) as error:
            self.kept = f"{shown(self.path)} could not be removed: {reason(error)}"

    def left(self, said: str) -> Left:
        """Return what is left if a drill fails after this was removed, or was to be."""
        return preceded(self.kept, said)

    def left_inside(self, said: str) -> Left:
        """Return what is left if a drill fails while it uses this."""
        if not self.is_ours:
            return Left(said)
        if self.kept:
            return Left(f"What this run had created could not all be removed: {self.kept}.")
        return Left("What this run had created was removed; nothing else was changed.")


@contextlib.contextmanager
def scratch(
    directory: str, image: ImagePath, paths: Iterable[str], machine: str, host: Host
) -> Iterator[Scratch]:
    """Have a scratch directory while the block runs.

    Args:
        directory: where it is created.
        image: the image; the directory gets its name, for those who find it after a crash.
        paths: the directories that get a subdirectory in it.
        machine: the name of the host's machine.
        host: the host to work on.
    """
    made = Scratch(posixpath.join(directory, name_of(image.path, machine)), host)
    failure: BaseException | None = None
    # If the block failed, the lock file would be removed, even if the directory cannot be.
    with host.lock(made.path + LOCK, DRILL, 0, lambda _holder: None) as made.lock:
        try:
            with translated(host.name, _ROOM):
                made.make(paths)
                yield made
            made.remove()
        except BaseException as error:
            failure = error
            made.remove()  # a signal is raised only once, so this is not interrupted
    if failure:
        with left_told(made.left_inside):
            raise failure
