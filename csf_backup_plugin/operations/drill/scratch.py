"""A directory of a run's own, which goes with all that is in it when the run ends, however.

A lock file beside it, made before it and removed after it, is held as long as the run or its
osrestore lives. So the next run can tell what was left by one that was killed.
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
#: What a scratch directory's name has behind it in the name of its lock file.
LOCK = ".lock"
_ROOM = "Make room there, or name another directory with -scratch-dir."
_NAME_KEPT = 30  # characters of the image's name; 255 bytes are all that a name may have


def name_of(image: str, machine: str) -> str:
    """Return the name of a scratch directory; it says for whose image, where and when.

    No machine's name has an @ in it, so that one never looks like the end of another.

    Args:
        image: the image's path.
        machine: the name of the machine it is made on: a file system may be another's too.
    """
    now = datetime.datetime.now(datetime.timezone.utc)
    kept = posixpath.basename(image)[:_NAME_KEPT]
    return f"{PREFIX}{kept}@{machine}-{now:%Y%m%dT%H%M%S.%fZ}"


def is_of(machine: str, name: str) -> bool:
    """Return whether a scratch directory of that name was made on a machine."""
    return bool(re.fullmatch(rf"{PREFIX}.*@{re.escape(machine)}-[0-9T.]+Z", name, re.DOTALL))


class Scratch:
    """A directory that did not exist before.

    Args:
        path: where.
        host: on which host.

    Attributes:
        lock: its lock, which osrestore is to inherit.
        kept: what could not be removed, and why; empty if all was.
        is_ours: whether it was made here, or may have been.
    """

    def __init__(self, path: str, host: Host) -> None:
        self.path = path
        self.lock: Lock | None = None
        self.kept = ""
        self.is_ours = False
        self._host = host

    @property
    def record(self) -> str:
        """Where the host may keep a record of the utility it runs."""
        return f"{self.path}/run"

    def place(self, path: str) -> str:
        """Return where in it another path of the host is to be copied."""
        return f"{self.path}/restored{path}"

    def make(self, paths: Iterable[str]) -> None:
        """Make it, and the places of other directories in it.

        Args:
            paths: those directories.

        Raises:
            FileExistsError: something stands there already, and is not ours.
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
        """Remove it with all that is in it, and its lock file; `kept` tells what cannot be."""
        self.kept = ""
        try:
            itself = [self.path] if self.is_ours else []
            self._host.remove_trees([*itself, self.path + LOCK], mine=False)
        except (OSError, HostUnreachable) as error:
            self.kept = f"{shown(self.path)} could not be removed: {reason(error)}"

    def left(self, said: str) -> Left:
        """Return what a drill has left that failed once this was removed, or was to be."""
        return preceded(self.kept, said)

    def left_inside(self, said: str) -> Left:
        """Return what a drill has left that failed while it used this."""
        if not self.is_ours:
            return Left(said)
        if self.kept:
            return Left(f"What this run had created could not all be removed: {self.kept}.")
        return Left("What this run had created was removed; nothing else was changed.")


@contextlib.contextmanager
def scratch(
    directory: str, image: ImagePath, paths: Iterable[str], machine: str, host: Host
) -> Iterator[Scratch]:
    """Have a directory while the block runs.

    Args:
        directory: where it is made.
        image: whose name it gets, for those who find it after a crash.
        paths: the directories that are to have a place in it.
        machine: the name of the host's machine.
        host: the host.
    """
    made = Scratch(posixpath.join(directory, name_of(image.path, machine)), host)
    failure: BaseException | None = None
    # The lock file of a block that fails would go, also where the directory cannot.
    with host.lock(made.path + LOCK, DRILL, 0, lambda _holder: None) as made.lock:
        try:
            with translated(host.name, _ROOM):
                made.make(paths)
                yield made
            made.remove()
        except BaseException as error:
            failure = error
            made.remove()  # a signal is answered once, so this is not cut short
    if failure:
        with left_told(made.left_inside):
            raise failure
