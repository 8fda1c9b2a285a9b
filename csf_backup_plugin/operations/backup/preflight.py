"""The checks before a backup creates its first file."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.command_names import BACKUP
from csf_backup_plugin.errors import ImageExists, LockBusy, NoSpace
from csf_backup_plugin.image.backup_number import standing
from csf_backup_plugin.image.latest import future
from csf_backup_plugin.image.without_receipt import left_behind
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore.commands import (
    import_file,
    osbackup,
)
from csf_backup_plugin.objectstore.room_and_time import space_needed
from csf_backup_plugin.operations import shared_disk
from csf_backup_plugin.operations.backup.notices import warnings
from csf_backup_plugin.operations.backup.site import look_at_site
from csf_backup_plugin.operations.mounts import look_at_directories, mount_points
from csf_backup_plugin.operations.quiet.preflight import prepare_quiet
from csf_backup_plugin.repository.completeness import check_complete
from csf_backup_plugin.repository.coverage import SECTOR
from csf_backup_plugin.repository.inventory import set_against

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.programs import Quiesce
    from csf_backup_plugin.hosts.protocol.values import Machine, Stat
    from csf_backup_plugin.image.backup_number import Standing
    from csf_backup_plugin.image.catalog import Catalog
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.backup.request import BackupRequest
    from csf_backup_plugin.operations.backup.site import Site
    from csf_backup_plugin.operations.shared_disk import SharedDisk
    from csf_backup_plugin.progress_listener import Listener
    from csf_backup_plugin.repository.inventory import Inventory


class Plan(NamedTuple):
    """A backup that has passed every check and may begin.

    Attributes:
        machine: the host, and its clock at the beginning.
        standing: which repository it is, and the number of its last backup.
        found: the databases to back up, and what the manifest says about them.
        mounts: the mount point of each directory that holds one of them, and of the image's.
        import_file: the contents of the import file, which names them.
        argv: the command that makes the image; osbackup comes first.
        osrestore: the program that lists what is in it.
        shared_disk: whether image and databases are on one physical disk, as
            `shared_disk.shared_disk` returns it.
        warnings: what the user should know although the backup may begin.
        quiesce: the programs that make the repository quiet for osbackup; None if there are none.
    """

    machine: Machine
    standing: Standing
    found: Inventory
    mounts: Mapping[str, str]
    import_file: bytes
    argv: Sequence[str]
    osrestore: str
    shared_disk: SharedDisk
    warnings: tuple[str, ...]
    quiesce: Quiesce | None = None


def prepare(
    request: BackupRequest,
    host: Host,
    listener: Listener,
    look: Callable[[], Site] | None = None,
) -> Plan:
    """Check everything a backup needs, and create nothing.

    Args:
        request: what to back up, and where to.
        host: the host to work on.
        listener: gets a note if the command has to wait.
        look: returns what was found, or raises its error; None to look now.

    Raises:
        BackupError: the first check that failed; `errors` has a class for each reason.
    """
    image, repository = request.image, request.repository
    site = look() if look else look_at_site(request, None, host)
    machine, recorded, (catalog, unlisted) = site.machine, site.recorded, site.catalog
    now = standing(repository, recorded, catalog, machine, host)
    found = _surveyed(request, site, now, host, listener)
    check_complete(found, now.source.image.name if now.source else "")
    _check_none_exists(image, site.image_set(), host)
    at_image = site.directories[image.directory]
    _check_space(image, at_image.free, found.coverage.sectors * SECTOR)
    homes = look_at_directories(found.coverage.paths, site.directories, host)
    at_home = site.directories[repository.directory]
    quiesce = prepare_quiet(request.quiescing, site.quiet, repository, at_home, machine, host)
    return Plan(
        machine,
        now,
        found,
        mount_points({**homes, image.directory: at_image}),
        import_file(found.coverage.paths),
        osbackup(site.find_osbackup(), image.import_file, image.path),
        site.find_osrestore(),
        shared_disk.shared_disk(at_image, homes, request.arrays),
        (
            *shared_disk.warnings(at_image, homes, found.coverage.paths, request.arrays),
            *warnings(found, now),
            *unlisted,
            *catalog.warnings(repository.master),
            *_from_the_future(catalog, now, machine),
        ),
        quiesce,
    )


def _surveyed(
    request: BackupRequest, site: Site, now: Standing, host: Host, listener: Listener
) -> Inventory:
    """Return the inventory; if needed, wait for a class_create in another repository here.

    A new database is on disk shortly before its manifest lists it. So if a file may belong to this
    repository or to another one, wait up to `request.wait` seconds for the other one's lock, then
    read the directory again.
    """
    repository, recorded = request.repository, site.recorded
    found = set_against(repository, host, recorded, site.entries(), now.adopted)
    if not found.ambiguous:
        return found
    for path in (other.lock for other in found.others.repositories):
        # A backup may hold the lock for hours, and meanwhile no class_create runs.
        with (
            contextlib.suppress(LockBusy, OSError),
            host.lock(path, BACKUP, request.wait, listener.note, create=False),
        ):
            pass
    entries = host.list_directory(repository.directory)
    return set_against(repository, host, recorded, entries, now.adopted)


def _from_the_future(catalog: Catalog, now: Standing, machine: Machine) -> list[str]:
    own = (one for one in catalog.sets if one.receipt.origin.id == now.identity.id)
    texts = [text for one in own if (text := future(one.image, one.receipt, machine.now))]
    more = [f"{len(texts) - 1:,} more images say so"] if len(texts) > 1 else []
    return texts[:1] + more


def _check_none_exists(image: ImagePath, looked: Iterable[tuple[str, Stat]], host: Host) -> None:
    """Refuse an image if a file of its set exists.

    Args:
        image: the image.
        looked: what is at the path of each file.
        host: the host to work on.

    Raises:
        ImageExists: the message names the file.
    """
    for path, facts in looked:
        if facts.kind != "missing":
            raise image_exists(image, path, host)


def image_exists(image: ImagePath, path: str, host: Host) -> ImageExists:
    """Return the error that says that a file of the image's set exists.

    Args:
        image: the image.
        path: the file.
        host: the host to work on.
    """
    return ImageExists(
        f"{image.host}:{shown(path)} exists; a backup never overwrites anything.",
        "Name another image, or move that one away if you no longer need it."
        + left_behind(image, host),
    )


def _check_space(image: ImagePath, free: int, size: int) -> None:
    if free < (needed := space_needed(size)):
        raise NoSpace(
            f"{image.host}:{shown(image.directory)} has {free:,} bytes free; the image may need "
            f"{needed:,} ({size:,} of databases and a reserve).",
            "Make room there, or name an image on another file system.",
        )
