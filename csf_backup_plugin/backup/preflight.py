"""Everything that is checked before a backup creates its first file."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Literal, NamedTuple

from csf_backup_plugin.errors import (
    ImageExists,
    NoSpace,
    RepositoryIncomplete,
    UnsafeImagePath,
)
from csf_backup_plugin.names import is_inside, shown
from csf_backup_plugin.objectstore import OSBACKUP, OSRESTORE, VARIABLES, import_file
from csf_backup_plugin.survey import survey

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from csf_backup_plugin.backup.request import BackupRequest
    from csf_backup_plugin.hosts.protocol import Facts, Host
    from csf_backup_plugin.image_path import ImagePath
    from csf_backup_plugin.survey import Survey

SharedDisk = Literal["yes", "no", "unknown"]

#: Room an image needs beside the databases' own bytes: 1 MiB and a hundredth of them.
RESERVE = 1 << 20


class Plan(NamedTuple):
    """A backup that may begin.

    Attributes:
        found: the databases to back up, and what the manifest says of them.
        import_file: the contents of the import file, which names them.
        osbackup: the program that makes the image.
        osrestore: the program that lists what is in it.
        shared_disk: whether image and databases lie on one physical disk.
        warnings: what the user should know although the backup may begin.
    """

    found: Survey
    import_file: bytes
    osbackup: str
    osrestore: str
    shared_disk: SharedDisk
    warnings: tuple[str, ...]


def prepare(request: BackupRequest, host: Host) -> Plan:
    """Check everything a backup needs, and create nothing.

    Raises:
        BackupError: the first reason not to begin; `errors` has one class for each.
    """
    image = request.image
    _check_not_half_restored(request, host)
    found = survey(request.repository, host)
    found.check_complete()
    at_image, at_repository = host.look([image.directory, request.repository.directory])
    _check_directory(image, at_image, at_repository)
    check_absent(image, [*image.files, image.run], host)
    _check_space(image, at_image.free, found.coverage.bytes)
    shared_disk = _shared_disk(at_image, at_repository)
    return Plan(
        found,
        import_file(found.coverage.paths),
        host.find(OSBACKUP, VARIABLES[OSBACKUP]),
        host.find(OSRESTORE, VARIABLES[OSRESTORE]),
        shared_disk,
        tuple(_warnings(found, shared_disk)),
    )


def _check_not_half_restored(request: BackupRequest, host: Host) -> None:
    if (how := host.read(request.repository.unfinished_restore)) is not None:
        raise RepositoryIncomplete(
            f"A restore of {shown(request.repository.master)} has begun and not succeeded: its "
            "databases may not fit together, so a backup of them would be worth nothing.",
            f"Repeat the restore: {shown(os.fsdecode(how).strip())}\n"
            "If the databases were brought back by other means, tell so by removing "
            f"{shown(request.repository.unfinished_restore)}.",
        )


def space_needed(size: int) -> int:
    """Return the bytes that must be free for an image of `size` bytes of databases."""
    return size + size // 100 + RESERVE


def check_absent(image: ImagePath, paths: Sequence[str], host: Host) -> None:
    """Refuse an image of which one of the files exists.

    Raises:
        ImageExists: it names the file.
    """
    for path, facts in zip(paths, host.look(paths), strict=True):
        if facts.kind != "missing":
            raise ImageExists(
                f"{image.host}:{shown(path)} exists; a backup never overwrites anything.",
                "Name another image, or move that one away if you no longer need it.",
            )


def _check_directory(image: ImagePath, at_image: Facts, at_repository: Facts) -> None:
    if at_image.kind != "directory":
        problem = "does not exist" if at_image.kind == "missing" else "is not a directory"
    elif is_inside(at_image.resolved, at_repository.resolved):
        problem = "lies inside the repository, whose loss it is meant to outlive"
    elif not at_image.writable:
        problem = "is not writable for this user"
    else:
        return
    raise UnsafeImagePath(
        f"The image's directory {image.host}:{shown(image.directory)} {problem}.",
        "Name an image in a writable directory, best on another disk than the databases.",
    )


def _check_space(image: ImagePath, free: int, size: int) -> None:
    if free < (needed := space_needed(size)):
        raise NoSpace(
            f"{image.host}:{shown(image.directory)} has {free:,} bytes free; the image may need "
            f"{needed:,} ({size:,} of databases and a reserve).",
            "Make room there, or name an image on another file system.",
        )


def _shared_disk(one: Facts, other: Facts) -> SharedDisk:
    if one.device == other.device or one.disks & other.disks:
        return "yes"
    return "no" if one.disks and other.disks else "unknown"


def _warnings(found: Survey, shared_disk: SharedDisk) -> Iterator[str]:
    if shared_disk == "yes":
        yield "image and databases share a physical disk: its failure would take both"
    if found.recorded is not None:
        for path in found.coverage.unlisted:
            yield f"{shown(path)} was not in the manifest; it is backed up, and added to it"
    for path in found.directories:
        yield f"{shown(path)} has a database's name and is a directory; it is not backed up"
