"""Where a copy goes to, as it is before anything is made there."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import ImageExists, NoSpace, UnsafeImagePath
from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.image import copy_record
from csf_backup_plugin.image.location import locate_image
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.receipt_format import decode
from csf_backup_plugin.image.sealed_json import UnusableDocument
from csf_backup_plugin.image.without_receipt import left_behind
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore.room_and_time import space_needed

if TYPE_CHECKING:
    from collections.abc import Collection

    from csf_backup_plugin.hosts.protocol import Facts, Host, Machine
    from csf_backup_plugin.image.receipt import Receipt
    from csf_backup_plugin.operations.copy.original import Original
    from csf_backup_plugin.operations.copy.request import CopyRequest
    from csf_backup_plugin.progress_listener import Listener


class Target(NamedTuple):
    """Where a copy goes to.

    Attributes:
        image: the copy, by the resolved path of its directory.
        machine: its host, and the clock there.
        directory: the facts on its directory.
    """

    image: ImagePath
    machine: Machine
    directory: Facts


def look_at_target(
    request: CopyRequest, original: Original, host: Host, listener: Listener
) -> Target:
    """Return where the copy of a set goes to.

    Args:
        request: to which directory.
        original: the set.
        host: where that directory is.
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
    """Return the receipt of the same set's copy that is there already; None if there is none.

    Args:
        target: where it would be.
        original: the set.
        host: where the copy would be.
    """
    image = target.image
    receipt, (listed,), (at,) = host.together(
        postponed(lambda: host.read(image.receipt)),
        lambda: host.read_each([image.import_file]),
        lambda: host.stat([image.path]),
    )
    try:
        found = decode(receipt() or b"")
    except (OSError, UnusableDocument):  # whatever it is, it stands there
        return None
    is_same = found.copied is not None and found.is_of_backup(original.receipt)
    is_whole = at.kind == "file" and at.size == found.size and listed == original.import_file
    return found if is_same and is_whole else None


def check_free(target: Target, but: Collection[str], host: Host) -> None:
    """Refuse a copy where a file of its set stands.

    Args:
        target: where it goes to.
        but: paths that are the copy's own.
        host: the host to work on.

    Raises:
        ImageExists: it names the file.
    """
    image = target.image
    paths = [path for path in image.whole_set if path not in but]
    for path, at in zip(paths, host.stat(paths), strict=True):
        if at.kind != "missing":
            raise ImageExists(
                f"{image.host}:{shown(path)} exists; a copy never overwrites anything.",
                "Copy to another directory, or move that one away if you no longer need it."
                + left_behind(image, host),
            )


def check_room(target: Target, original: Original, host: Host, left: int = 0) -> None:
    """Refuse a copy for which there is no room.

    Args:
        target: where it goes to.
        original: the set.
        host: where the copy goes to.
        left: the bytes of what a killed copy has left there, which goes before.

    Raises:
        NoSpace: there is none.
    """
    (at,) = host.look([target.image.directory])
    needed = space_needed(original.receipt.size)
    if at.free + left < needed:
        raise NoSpace(
            f"{target.image.host}:{shown(target.image.directory)} has {at.free:,} bytes free; the "
            f"copy may need {needed:,} ({original.receipt.size:,} of the image and a reserve).",
            "Make room there, or copy to another file system.",
        )


def left_by_killed(target: Target, original: Original, host: Host) -> int | None:
    """Return the bytes of what a copy of the same set has left that was killed, or is being made.

    Returns:
        None if there is no record of such a copy.
    """
    record = copy_record.read(target.image, host)
    mine = copy_record.record_of(original.image, original.receipt, "", "")
    if record is None or record.backup != mine.backup:
        return None
    looked = host.stat([target.image.arriving, target.image.path])
    return sum(at.size for at in looked)


def shared_warnings(target: Target, original: Original) -> list[str]:
    """Return a warning if the copy lies on the same disk as its original."""
    here, there = target.machine, original.machine
    if (here.id, here.name) != (there.id, there.name):
        return []
    disks = target.directory.vital & original.directory.vital
    if target.directory.device != original.directory.device and not disks:
        return []
    return [
        f"{target.image} lies on the same disk as {original.image}: if that fails, both are lost"
    ]
