"""Everything that is checked before a drill creates its first directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import FaultFound, NoSpace, UnsafeImagePath, UtilityMissing
from csf_backup_plugin.image.verification import receipt_warnings, size_warnings
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore.commands import OSRESTORE, OSVERIFYDB, VARIABLES
from csf_backup_plugin.objectstore.room_and_time import space_needed
from csf_backup_plugin.operations.drill import placement
from csf_backup_plugin.operations.shared_disk import is_within

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.hosts.protocol import Facts, Host
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.receipt import Receipt


class Plan(NamedTuple):
    """A drill that may begin.

    Attributes:
        image: what to restore.
        receipt: what its receipt says.
        size: the bytes that will be restored, about.
        osrestore: the program that restores.
        osverifydb: the program that checks a database; None where there is none.
        warnings: what the user should know although the drill may begin.
    """

    image: ImagePath
    receipt: Receipt
    size: int
    osrestore: str
    osverifydb: str | None
    warnings: tuple[str, ...]


def prepare(image: ImagePath, receipt: Receipt, directory: str, host: Host) -> Plan:
    """Check everything a drill needs but room, and create nothing.

    Args:
        image: the image.
        receipt: what its receipt says.
        directory: where the scratch directory is to be made.
        host: where all of them are.

    Raises:
        BackupError: the first reason not to begin.
    """
    _check_names(image, receipt)
    sources = placement.outermost(receipt.databases)
    looked = host.look([image.directory, image.drill, directory, *sources])
    at_image, at_record, at_scratch, *at_sources = looked
    _check_directories(image, at_image, at_record, directory, at_scratch, at_sources)
    size = receipt.room
    osverifydb = _find_osverifydb(host)
    return Plan(
        image,
        receipt,
        size,
        host.find(OSRESTORE, VARIABLES[OSRESTORE]),
        osverifydb,
        tuple(_warnings(image, receipt, osverifydb)),
    )


def check_room(plan: Plan, directory: str, host: Host) -> None:
    """Refuse if the databases have no room in a directory.

    Raises:
        NoSpace: they have not.
    """
    (found,), needed = host.look([directory]), space_needed(plan.size)
    if found.free < needed:
        raise NoSpace(
            f"{plan.image.host}:{shown(directory)} has {found.free:,} bytes free; the databases "
            f"may need {needed:,} ({plan.size:,} and a reserve).",
            "Make room there, or name another -scratch-dir.",
        )


def _check_names(image: ImagePath, receipt: Receipt) -> None:
    """Refuse what could be restored to a place other than below the scratch directory.

    With no database there would be no pair, and osrestore would restore to the original places.
    """
    if not receipt.databases or any(".." in path.split("/") for path in receipt.databases):
        raise FaultFound(
            f"The receipt of {image} names no databases, or some by a path with '..': they could "
            "not be kept away from the repository.",
            "Make a new backup, with the master database's plain path.",
        )


def _check_directories(
    image: ImagePath,
    at_image: Facts,
    at_record: Facts,
    directory: str,
    at_scratch: Facts,
    at_sources: list[Facts],
) -> None:
    if at_scratch.kind != "directory":
        problem = "does not exist" if at_scratch.kind == "missing" else "is not a directory"
    elif any(is_within(at_scratch, source) for source in at_sources):
        problem = "lies inside the repository, which a drill keeps away from"
    elif not at_scratch.writable:
        problem = "is not writable for this user"
    elif at_record.kind == "directory":
        raise UnsafeImagePath(
            f"{image.host}:{shown(image.drill)} is a directory, so that the drill could not be "
            "recorded there.",
            "Move it away.",
        )
    elif not at_image.writable:
        raise UnsafeImagePath(
            f"{image.host}:{shown(image.directory)} is not writable for this user, so that the "
            f"drill could not be recorded there ({shown(image.drill)}).",
            "Run the drill as a user who may write there.",
        )
    else:
        return
    raise UnsafeImagePath(
        f"The scratch directory {image.host}:{shown(directory)} {problem}.",
        "Name a writable directory on the image's host, outside of every repository.",
    )


def _find_osverifydb(host: Host) -> str | None:
    try:
        return host.find(OSVERIFYDB, VARIABLES[OSVERIFYDB])
    except UtilityMissing:
        return None


def _warnings(image: ImagePath, receipt: Receipt, osverifydb: str | None) -> Iterator[str]:
    if osverifydb is None:
        yield "osverifydb was not found: the restored databases' contents were not checked"
    yield from receipt_warnings(image, receipt)
    yield from size_warnings(receipt)
