"""The target of a copy, as it is before anything is created there."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import ImageExists, NoSpace, UnsafeImagePath
from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.image.location import locate_image
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.receipt_format import decode
from csf_backup_plugin.image.sealed_json import UnusableDocument
from csf_backup_plugin.image.without_receipt import left_behind
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore.room_and_time import space_needed

if TYPE_CHECKING:
    from collections.abc import Collection

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Facts, Machine
    from csf_backup_plugin.image.receipt import Receipt
    from csf_backup_plugin.operations.copy.original import Original
    from csf_backup_plugin.operations.copy.request import CopyRequest
    from csf_backup_plugin.progress_listener import Listener


class Target(NamedTuple):
    """The target of a copy.

    Attributes:
        image: the copy's path; its directory's path is resolved.
        machine: its host, and the clock there.
        directory: the facts on its directory.
    """

    image: ImagePath
    machine: Machine
    directory: Facts


def look_at_target(
    request: CopyRequest, original: Original, host: Host, listener: Listener
) -> Target:
    """Return the target of a copy.

    Args:
        request: which directory to copy to.
        original: the set to copy.
        host: the host of that directory.
        listener: gets a note if a path resolves to another one.

    Raises:
        UnsafeImagePath: there is no such directory, or it is not writable.
    """
    machine, (at,) = host.together(host.machine, lambda: host.look([request.to.directory]))
    where = f"{host.name}:{shown(request.to.directory)}"
    if at.kind != "directory":
        raise UnsafeImagePath(
            f"{where} {'does not exist' if at.kind == 'missing' else 'is not a directory'}.",
            "Mount its disk or make the directory, and run the same command again.",
        )
    if not at.writable:
        raise UnsafeImagePath(
            f"{where} is not writable for this user.",
            "Give a directory that is, or run the command as another user.",
        )
    top = locate_image(request.to, at, listener.note)
    name = posixpath.basename(original.image.path)
    return Target(ImagePath(top.host, posixpath.join(top.directory, name)), machine, at)


def existing_copy(target: Target, original: Original, host: Host) -> Receipt | None:
    """Return the receipt of an existing copy of the same set; None if there is none.

    Args:
        target: the copy's path and directory.
        original: the set to copy.
        host: the host of that directory.
    """
    image = target.image
    receipt, (listed,), (at,) = host.together(
        postponed(lambda: host.read(image.receipt)),
        lambda: host.read_each([image.import_file]),
        lambda: host.stat([image.path]),
    )
    try:
        found = decode(receipt() or b"")
    except (OSError, UnusableDocument):  # it is no copy of this set
        return None
    is_same = found.copied is not None and found.is_of_backup(original.receipt)
    is_whole = at.kind == "file" and at.size == found.size and listed == original.import_file
    return found if is_same and is_whole else None


def check_free(image: ImagePath, but: Collection[str], host: Host) -> None:
    """Refuse a copy if a file of its set exists.

    Args:
        image: the copy's path.
        but: paths that may exist, since they are the copy's own.
        host: the host to work on.

    Raises:
        ImageExists: the message names the file.
    """
    paths = [path for path in image.whole_set if path not in but]
    for path, at in zip(paths, host.stat(paths), strict=True):
        if at.kind != "missing":
            raise ImageExists(
                f"{image.host}:{shown(path)} exists; a copy never overwrites anything.",
                "Copy to another directory, or move that one away if you no longer need it."
                + left_behind(image, host),
            )


def check_room(target: Target, original: Original, host: Host, left: int = 0) -> None:
    """Refuse a copy if there is not enough space.

    Args:
        target: the copy's path and directory.
        original: the set to copy.
        host: where the copy goes to.
        left: the bytes of a killed copy's leftovers, which are removed first.

    Raises:
        NoSpace: there is not enough space.
    """
    (at,) = host.look([target.image.directory])
    needed = space_needed(original.receipt.size)
    if at.free + left < needed:
        raise NoSpace(
            f"{target.image.host}:{shown(target.image.directory)} has {at.free:,} bytes free; the "
            f"copy may need {needed:,} ({original.receipt.size:,} of the image and a reserve).",
            "Make room there, or copy to another file system.",
        )


def shared_warnings(target: Target, original: Original) -> list[str]:
    """Return a warning if the copy is on the same disk as its original."""
    here, there = target.machine, original.machine
    if (here.id, here.name) != (there.id, there.name):
        return []
    disks = target.directory.vital & original.directory.vital
    if target.directory.device != original.directory.device and not disks:
        return []
    return [
        f"{target.image} lies on the same disk as {original.image}: if that fails, both are lost"
    ]
