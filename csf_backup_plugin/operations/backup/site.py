"""What a backup reads from the host before it creates anything, all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import UnsafeImagePath
from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.image.catalog import read_listable_catalog
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore.commands import OSBACKUP, OSRESTORE, finding
from csf_backup_plugin.operations.mounts import check_mounted
from csf_backup_plugin.operations.quiet.preflight import find_programs
from csf_backup_plugin.operations.shared_disk import is_within
from csf_backup_plugin.repository.inventory import read_manifest
from csf_backup_plugin.repository.unfinished_restore import check_not_half_restored

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Entry, Facts, Machine, Stat
    from csf_backup_plugin.image.catalog import Catalog
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.backup.request import BackupRequest
    from csf_backup_plugin.operations.quiet.preflight import Found
    from csf_backup_plugin.repository.manifest import Manifest

_WORTHLESS = "A backup of them would be worth nothing"


class Site(NamedTuple):
    """What was found. An attribute that is a function returns the result, or raises the error.

    Attributes:
        machine: the host, and its clock.
        recorded: what the repository's manifest says; None if there is none yet.
        directories: the facts on the directories of image and repository.
        catalog: the images in the image's directory, and a warning if it cannot be listed.
        entries: what is in the repository's directory.
        image_set: what is at the path of each file of the image set.
        find_osbackup: returns the path of osbackup.
        find_osrestore: returns the path of osrestore.
        quiet: the programs that make the repository quiet, or check that it is.
    """

    machine: Machine
    recorded: Manifest | None
    directories: Mapping[str, Facts]
    catalog: tuple[Catalog, list[str]]
    entries: Callable[[], list[Entry]]
    image_set: Callable[[], list[tuple[str, Stat]]]
    find_osbackup: Callable[[], str]
    find_osrestore: Callable[[], str]
    quiet: Found


def look_at_site(request: BackupRequest, known: Catalog | None, host: Host) -> Site:
    """Look at everything that a backup depends on, under the repository's lock.

    Args:
        request: what to back up, and where to.
        known: the images in the image's directory if they were read just now; None to read them.
        host: the host to work on.

    Raises:
        RepositoryIncomplete: a restore of it has not succeeded, or the manifest is damaged.
        UnsafeImagePath: an image cannot be put into that directory.
        NotMounted: the image's directory should be on another file system.
    """
    image, repository = request.image, request.repository
    _, machine, recorded, directories, catalog, entries, image_set, utilities = host.together(
        lambda: check_not_half_restored(repository, host, _WORTHLESS),
        host.machine,
        lambda: read_manifest(repository, host),
        lambda: _directories(request, host),
        lambda: (known, []) if known else read_listable_catalog(image, host),
        postponed(lambda: host.list_directory(repository.directory)),
        postponed(lambda: list(zip(image.whole_set, host.stat(image.whole_set), strict=True))),
        lambda: host.together(
            finding(OSBACKUP, host),
            finding(OSRESTORE, host),
            lambda: find_programs(request.quiescing, host),
        ),
    )
    return Site(machine, recorded, directories, catalog, entries, image_set, *utilities)


def _directories(request: BackupRequest, host: Host) -> dict[str, Facts]:
    """Return the facts on the directories of image and repository; refuse an unfit one."""
    home, repository = request.image.directory, request.repository.directory
    at_image, at_repository, at_root = host.look([home, repository, "/"])
    _check_directory(request.image, at_image, at_repository)
    if request.require_mount:
        check_mounted(home, at_image, at_root, host)
    return {repository: at_repository, home: at_image}


def _check_directory(image: ImagePath, at_image: Facts, at_repository: Facts) -> None:
    if at_image.kind != "directory":
        problem = "does not exist" if at_image.kind == "missing" else "is not a directory"
    elif is_within(at_image, at_repository):
        problem = "lies inside the repository, so it would be lost together with it"
    elif not at_image.writable:
        problem = "is not writable for this user"
    else:
        return
    raise UnsafeImagePath(
        f"The image's directory {image.host}:{shown(image.directory)} {problem}.",
        "Name an image in a writable directory, best on another disk than the databases.",
    )
