"""The checks before a drill creates its first directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import FaultFound, NoSpace, UnsafeImagePath, UtilityMissing
from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.image.verification import receipt_warnings, size_warnings
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore.room_and_time import space_needed
from csf_backup_plugin.operations import database_directories
from csf_backup_plugin.operations.shared_disk import is_within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Entry, Facts
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.receipt import Receipt


class Plan(NamedTuple):
    """A drill that has passed every check and may begin.

    Attributes:
        image: the image to restore.
        receipt: its receipt.
        size: about how many bytes will be restored.
        osrestore: the program that restores.
        osverifydb: the program that checks a database; None if there is none.
        warnings: what the user should know although the drill may begin.
    """

    image: ImagePath
    receipt: Receipt
    size: int
    osrestore: str
    osverifydb: str | None
    warnings: tuple[str, ...]


def look_at_places(
    image: ImagePath, receipt: Receipt, directory: str, host: Host
) -> tuple[Facts, Callable[[], list[Entry]]]:
    """Check the image's directory, and the one in which the scratch directory is to be created.

    Args:
        image: the image.
        receipt: its receipt.
        directory: the directory in which the scratch directory is to be created.
        host: the host to work on.

    Returns:
        The facts on `directory`, and a function that returns what is in it.

    Raises:
        BackupError: the first check that failed.
    """
    _check_names(image, receipt)
    sources = database_directories.outermost(receipt.databases)
    looked, entries = host.together(
        lambda: host.look([image.directory, image.drill, directory, *sources]),
        postponed(lambda: host.list_directory(directory)),
    )
    at_image, at_record, at_scratch, *at_sources = looked
    _check_directories(image, at_image, at_record, directory, at_scratch, at_sources)
    return at_scratch, entries


def prepare(
    image: ImagePath,
    receipt: Receipt,
    find_osrestore: Callable[[], str],
    find_osverifydb: Callable[[], str],
) -> Plan:
    """Return what to restore, and with what.

    Args:
        image: the image.
        receipt: its receipt.
        find_osrestore: returns the program that restores.
        find_osverifydb: returns the program that checks a database.

    Raises:
        UtilityMissing: osrestore was not found.
    """
    try:
        osverifydb = find_osverifydb()
    except UtilityMissing:
        osverifydb = None
    warnings = tuple(_warnings(image, receipt, osverifydb))
    return Plan(image, receipt, receipt.room, find_osrestore(), osverifydb, warnings)


def check_room(plan: Plan, directory: str, at: Facts) -> None:
    """Refuse a directory without enough space for the databases.

    Args:
        plan: what to restore.
        directory: the directory in which the scratch directory is to be created.
        at: the facts on that directory.

    Raises:
        NoSpace: there is not enough space.
    """
    needed = space_needed(plan.size)
    if at.free < needed:
        raise NoSpace(
            f"{plan.image.host}:{shown(directory)} has {at.free:,} bytes free; the databases "
            f"may need {needed:,} ({plan.size:,} and a reserve).",
            "Make room there, or name another -scratch-dir.",
        )


def _check_names(image: ImagePath, receipt: Receipt) -> None:
    """Refuse databases that could be restored outside the scratch directory.

    Without any database, osrestore would get no pair of pathnames, and would restore to the
    original places.
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
        problem = "lies inside the repository, which a drill must not touch"
    elif not at_scratch.writable:
        problem = "is not writable for this user"
    elif at_record.kind == "directory":
        raise UnsafeImagePath(
            f"{image.host}:{shown(image.drill)} is a directory, so the drill could not be recorded "
            "there.",
            "Move it away.",
        )
    elif not at_image.writable:
        raise UnsafeImagePath(
            f"{image.host}:{shown(image.directory)} is not writable for this user, so the drill "
            f"could not be recorded there ({shown(image.drill)}).",
            "Run the drill as a user who may write there.",
        )
    else:
        return
    raise UnsafeImagePath(
        f"The scratch directory {image.host}:{shown(directory)} {problem}.",
        "Name a writable directory on the image's host, outside of every repository.",
    )


def _warnings(image: ImagePath, receipt: Receipt, osverifydb: str | None) -> Iterator[str]:
    if osverifydb is None:
        yield "osverifydb was not found: the restored databases' contents were not checked"
    yield from receipt_warnings(image, receipt)
    yield from size_warnings(receipt)
