"""What drills that were killed have left in a scratch directory: whole copies of repositories.

A copy is removed if its lock is free: neither the drill nor its osrestore runs any more. What is
not certainly such a copy stays, and is named.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin.command_names import DRILL
from csf_backup_plugin.errors import LockBusy
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.aftermath import Left, preceded
from csf_backup_plugin.operations.drill.scratch import LOCK, PREFIX, is_of
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from csf_backup_plugin.hosts.protocol import Entry, Host


class Leftovers:
    """What other drills of this machine and user may have left.

    Args:
        directory: where drills make their scratch directories.
        machine: the name of the host's machine.
        host: the host to work on.
    """

    def __init__(self, directory: str, machine: str, host: Host) -> None:
        self._directory = directory
        self._machine = machine
        self._host = host
        self._changed: dict[str, str] = {}  # the results for directories whose lock was free
        self._kept: list[str] = []

    @property
    def warnings(self) -> tuple[str, ...]:
        """The result for each, with the reason."""
        return (*self._changed.values(), *self._kept)

    def left(self, said: str) -> Left:
        """Return what a failed drill has left, including the leftovers that were removed."""
        return preceded(". ".join(self._changed.values()), said)

    @property
    def changed(self) -> bool:
        """Whether any was removed, or may have been removed in part."""
        return bool(self._changed)

    def clear(self, found: Iterable[Entry]) -> None:
        """Remove every directory that a killed drill has left.

        Args:
            found: what is in the directory where drills make theirs.
        """
        entries = {entry.name: entry for entry in found}
        drills = {
            name.removesuffix(LOCK)
            for name, entry in entries.items()
            if name.startswith(PREFIX) and (name.endswith(LOCK) or entry.kind == "directory")
        }
        for name in sorted(drills):
            path = posixpath.join(self._directory, name)
            if not is_of(self._machine, name):
                self._kept.append(_unknown(path, "by its name was not made on this machine"))
            elif name + LOCK not in entries:
                self._kept.append(_unknown(path, "has no lock file beside it"))
            else:
                self._clear(path, path if name in entries else path + LOCK)

    def _clear(self, path: str, there: str) -> None:
        """Remove a directory, unless its lock is held; `there` is its path for messages."""
        try:
            with self._host.lock(path + LOCK, DRILL, 0, lambda _holder: None, create=False) as held:
                if held and held.unsupported:
                    self._kept.append(_unknown(path, f"has no lock ({held.unsupported})"))
                elif held:
                    self._remove(path, f"{shown(there)}, left by a drill that was killed,")
        except LockBusy:
            self._kept.append(
                f"{shown(path)} is in use, by another drill or by the osrestore of one that was "
                "killed; when that has ended, the next drill removes it"
            )
        except OSError as error:
            why = f"has a lock that cannot be taken ({reason(error)})"
            self._kept.append(_unknown(path, why))

    def _remove(self, path: str, left: str) -> None:
        self._changed[path] = f"{left} may be removed in part"  # if the host is lost
        try:
            self._host.remove_trees([path, path + LOCK], mine=True)
        except OSError as error:
            problem = f"could not be removed: {reason(error)}; its owner may remove it"
            self._changed[path] = f"{left} {problem}"
        else:
            self._changed[path] = f"{left} was removed"


def _unknown(path: str, why: str) -> str:
    return (
        f"{shown(path)} is another drill's and {why}, so that nobody knows whether that is at "
        "work; if it is not, remove it"
    )
