"""Leftovers of killed drills in a scratch directory: whole copies of repositories.

A copy is removed if its lock is free: then neither the drill nor its osrestore is running. If that
is not certain, the copy stays, and a warning names it.
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

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Entry


class Leftovers:
    """The directories that other drills on this machine may have left.

    Args:
        directory: where drills make their scratch directories.
        machine: the name of the host's machine.
        host: the host to work on.
    """

    def __init__(self, directory: str, machine: str, host: Host) -> None:
        self._directory = directory
        self._machine = machine
        self._host = host
        self._changed: dict[str, str] = {}  # by path, what was done where the lock was free
        self._kept: list[str] = []

    @property
    def warnings(self) -> tuple[str, ...]:
        """A sentence about each leftover: that it was removed, or why it stays."""
        return (*self._changed.values(), *self._kept)

    def left(self, so_far: str) -> Left:
        """Return what a failed drill has left, beginning with the leftovers that were removed."""
        return preceded(". ".join(self._changed.values()), so_far)

    @property
    def changed(self) -> bool:
        """Whether any leftover was removed, or may have been removed in part."""
        return bool(self._changed)

    def clear(self, found: Iterable[Entry]) -> None:
        """Remove every directory that certainly belongs to a killed drill.

        Args:
            found: what is in the directory where drills make their scratch directories.
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
        self._changed[path] = f"{left} may be removed in part"  # kept if the host is lost
        try:
            self._host.remove_trees([path, path + LOCK], mine=True)
        except OSError as error:
            problem = f"could not be removed: {reason(error)}; its owner may remove it"
            self._changed[path] = f"{left} {problem}"
        else:
            self._changed[path] = f"{left} was removed"


def _unknown(path: str, why: str) -> str:
    return (
        f"{shown(path)} belongs to another drill and {why}, so whether that drill still runs is "
        "not known; if it does not, remove it"
    )
