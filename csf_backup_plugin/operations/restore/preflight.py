"""The checks before a restore: what is at the target paths, and the space there."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin.advised_commands import add_command, drop_command
from csf_backup_plugin.errors import (
    NoSpace,
    NotWritable,
    RepositoryIncomplete,
    UnsafeImagePath,
    WrongRepository,
)
from csf_backup_plugin.names import IN_JSON, listed, shown
from csf_backup_plugin.objectstore.room_and_time import allocated, space_needed
from csf_backup_plugin.operations.shared_disk import is_one, is_same
from csf_backup_plugin.repository.completeness import check_apart
from csf_backup_plugin.repository.location import no_directory

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Facts, Stat
    from csf_backup_plugin.image.receipt import Size
    from csf_backup_plugin.operations.restore.request import RestoreRequest
    from csf_backup_plugin.repository.inventory import Inventory
    from csf_backup_plugin.repository.neighbours import Other


def check_not_anothers(targets: Collection[str], at: Mapping[str, Stat], found: Inventory) -> None:
    """Refuse to overwrite databases of another repository, or dropped ones.

    Args:
        targets: the paths to restore databases to, and the targets of links at these paths.
        at: what is at each path to restore a database to.
        found: the repository's inventory, with other repositories.

    Raises:
        WrongRepository: the message names the databases.
    """
    for other in found.others.known:
        if theirs := [path for path in targets if path in other.listed]:
            raise WrongRepository(
                f"The manifest of another repository, {shown(other.repository.master)} on "
                f"{found.host}, lists {len(theirs):,} of the databases in the image: "
                f"{listed(theirs, IN_JSON)}. The restore would overwrite its later work.",
                _advice(other, theirs, found.host),
                {"databases": theirs},
            )
    check_apart(found)
    names = found.recorded.dropped if found.recorded else ()
    given_up = {*map(found.repository.path_of, names)}
    if dropped := [path for path in targets if path in given_up and _is_file(path, at)]:
        raise WrongRepository(
            f"{len(dropped):,} of the databases in the image were dropped from the manifest of "
            f"{shown(found.repository.master)} on {found.host}, and are on disk: "
            f"{listed(dropped, IN_JSON)}.",
            "Restore into another directory with -into. If they are to be overwritten, add them "
            f"first: {add_command(found.repository.master, found.host, dropped)}",
            {"databases": dropped},
        )


def _is_file(path: str, at: Mapping[str, Stat]) -> bool:
    return path in at and at[path].kind == "file"


def _advice(other: Other, theirs: Sequence[str], host: str) -> str:
    """Return what to do about databases that another repository lists."""
    drops = [path for path in theirs if path != other.repository.master]
    text = "Restore into another directory with -into."
    if drops:
        typed = drop_command(other.repository.master, host, drops)
        text += f" If they are not that repository's, drop them there first: {typed}"
    if len(drops) < len(theirs):
        text += (
            f"\nIf {shown(other.repository.master)} is not a master database, remove "
            f"{shown(other.repository.manifest)}."
        )
    return text


def check_replaceable(
    request: RestoreRequest, at: Mapping[str, Stat], links: Mapping[str, Facts], host: Host
) -> None:
    """Refuse if a database cannot be written at its path: osrestore might fail half way.

    With -into, links are refused, since the user did not ask to overwrite their targets.

    Args:
        request: the command's validated options.
        at: what is at each path to restore a database to.
        links: the facts on each of these paths that is a link.
        host: the host to work on.

    Raises:
        RepositoryIncomplete: the message names what is there.
    """
    blocked = [path for path, one in at.items() if one.kind not in ("file", "missing")]
    if request.into:
        led = ((path, posixpath.dirname(facts.resolved)) for path, facts in links.items())
        blocked += [path for path, directory in led if directory != request.into]
    if blocked:
        raise RepositoryIncomplete(
            f"On {host.name}, a directory or a link is where a database is to be "
            f"restored: {listed(blocked, IN_JSON)}.",
            "Move it away, or mount the disk the link leads to.",
            {"databases": blocked},
        )


def check_image_apart(
    request: RestoreRequest, files: Sequence[Stat], directories: tuple[Facts, Facts]
) -> None:
    """Refuse an image in the repository's directory: the restore could overwrite or move it.

    Args:
        request: the command's validated options.
        files: what is at the image's path, and at each path to restore a database to.
        directories: the facts on the image's directory, and on the repository's.

    Raises:
        UnsafeImagePath: the image is there.
    """
    image, *targets = files
    if is_same(*directories) or any(is_one(image, target) for target in targets):
        raise UnsafeImagePath(
            f"{request.image} lies in the directory that is to be restored to: a database might "
            "overwrite it.",
            "Move the image with all files beside it, or restore into another directory.",
        )


def check_writable(looked: Mapping[str, Facts], host: Host) -> None:
    """Refuse if any of the directories is not writable.

    Args:
        looked: the facts on each directory.
        host: the host to work on.

    Raises:
        NotWritable: the message names the directory.
    """
    for directory, at in looked.items():
        if at.kind == "directory" and not at.writable:
            raise NotWritable(
                f"{shown(directory)} on {host.name} is not writable for this user.",
                "Run the command as the user whose databases they are. If its file system is "
                "mounted read-only, mount it so that it can be written to.",
            )


def check_room(
    sizes: Mapping[str, Size | None],
    image: int,
    at: Mapping[str, Stat],
    looked: Mapping[str, Facts],
    host: Host,
) -> None:
    """Refuse if a directory is not writable, or lacks space for the growth of its databases.

    A database with holes, or a compressed one, may take up its full size once it is restored.

    Args:
        sizes: the sizes of each database in bytes, by the path to restore it to; None if they are
            not known.
        image: the image's size in bytes.
        at: what is at each of those paths.
        looked: the facts on the directory of each.
        host: the host to work on.

    Raises:
        NotWritable: a directory is not writable.
        NoSpace: a directory lacks space.
        RepositoryNotFound: a directory does not exist.
    """
    check_writable(looked, host)
    for directory, home in looked.items():
        if home.kind != "directory":
            raise no_directory(directory, host)
    devices = {path: looked[posixpath.dirname(path)].device for path in sizes}
    growth = _growth(sizes, image, at, devices)
    for directory, home in looked.items():
        if (more := growth[home.device]) and home.free < (needed := space_needed(more)):
            raise NoSpace(
                f"{host.name}:{shown(directory)} has {home.free:,} bytes free; what is restored "
                f"may need {needed:,} ({more:,} more than the databases take up on the disk now, "
                "if they are restored without holes, and a reserve).",
                "Make room there and run the same command again.",
            )


def _growth(
    sizes: Mapping[str, Size | None],
    image: int,
    at: Mapping[str, Stat],
    devices: Mapping[str, int],
) -> dict[int, int]:
    """Return by how many bytes databases may grow on each device.

    If sizes are not known, the image's size is used as their sum. It is counted on the device of
    the first of these databases: that is the master database, and most others are beside it.
    """
    growth = dict.fromkeys(devices.values(), 0)
    for path, size in sizes.items():
        if size:
            growth[devices[path]] += max(0, allocated(max(size)) - at[path].allocated)
    if unknown := [path for path, size in sizes.items() if size is None]:
        there = sum(at[path].allocated for path in unknown)
        growth[devices[unknown[0]]] += max(0, image - there)
    return growth
