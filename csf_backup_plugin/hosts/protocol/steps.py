"""Steps that a host carries out in turn, and files that it is to rename."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.locking import Lock


class Withdrawal(NamedTuple):
    """A file that is to be renamed, unless somebody reads it or it is to be kept.

    Attributes:
        path: the file.
        to: its new name, in the same file system.
        unless: a path; if anything is there, the file is not renamed.
    """

    path: str
    to: str
    unless: str


class Create(NamedTuple):
    """A step of `Host.in_turn`: `Host.create`."""

    path: str
    data: bytes


class Absent(NamedTuple):
    """A step of `Host.in_turn`: check that nothing exists at some paths.

    It fails with a `FileExistsError` that names the first path at which something exists, be it a
    link to nothing.
    """

    paths: tuple[str, ...]


class Append(NamedTuple):
    """A step of `Host.in_turn`: `Host.append`."""

    path: str
    lines: bytes


class Publish(NamedTuple):
    """A step of `Host.in_turn`: `Host.publish`."""

    path: str
    data: bytes
    like: str | None = None


class Replace(NamedTuple):
    """A step of `Host.in_turn`: `Host.replace`."""

    path: str
    data: bytes
    like: str | None = None


class RemoveTrees(NamedTuple):
    """A step of `Host.in_turn`: `Host.remove_trees`, also of another user's."""

    paths: tuple[str, ...]


class Release(NamedTuple):
    """A step of `Host.in_turn`: release a lock before its block ends."""

    lock: Lock


Step = Create | Absent | Append | Publish | Replace | RemoveTrees | Release
