"""What a restore reads from the host once the image is known to be sound, all at once."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.image.catalog import read_listable_catalog
from csf_backup_plugin.image.verification import import_file_findings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Entry, Facts, Stat
    from csf_backup_plugin.image.catalog import Catalog
    from csf_backup_plugin.image.receipt import Receipt
    from csf_backup_plugin.operations.restore.request import RestoreRequest


class Site(NamedTuple):
    """What was found. An attribute that is a function returns the result, or raises the error.

    Attributes:
        import_file: what is wrong with the import file.
        image: what is at the image's path.
        at: what is at each path to restore a database to.
        links: the facts on each of these paths that is a link.
        directories: the facts on the directories of image, repository and targets, and on ``/``.
        manifest: the contents of the repository's manifest; None if there is none.
        inside: what is in the repository's directory.
        beside: what is in the parent directory.
        catalog: the images in the image's directory, and a warning if it cannot be listed.
    """

    import_file: list[str]
    image: Stat
    at: Mapping[str, Stat]
    links: Callable[[], Mapping[str, Facts]]
    directories: Mapping[str, Facts]
    manifest: Callable[[], bytes | None]
    inside: Callable[[], list[Entry]]
    beside: Callable[[], list[Entry]]
    catalog: Callable[[], tuple[Catalog, list[str]]]


def look_at_site(
    request: RestoreRequest,
    receipt: Receipt,
    known: Catalog | None,
    targets: Collection[str],
    host: Host,
) -> Site:
    """Read everything that a restore depends on.

    Args:
        request: the validated options, with resolved paths.
        receipt: the image's receipt.
        known: the images in the image's directory if they were read already; None to read them.
        targets: the paths to restore databases to.
        host: the host to work on.
    """
    image, directory = request.image, request.repository.directory
    places = dict.fromkeys([image.directory, directory, "/", *map(posixpath.dirname, targets)])
    import_file, files, looked, recorded, inside, beside, catalog = host.together(
        lambda: import_file_findings(image, receipt, lambda: host.read(image.import_file))[0],
        lambda: _files(image.path, targets, host),
        lambda: host.look(places),
        postponed(lambda: host.read(request.repository.manifest)),
        postponed(lambda: host.list_directory(directory)),
        postponed(lambda: host.list_directory(posixpath.dirname(directory))),
        postponed(lambda: (known, []) if known else read_listable_catalog(image, host)),
    )
    directories = dict(zip(places, looked, strict=True))
    return Site(import_file, *files, directories, recorded, inside, beside, catalog)


def _files(
    image: str, targets: Collection[str], host: Host
) -> tuple[Stat, dict[str, Stat], Callable[[], dict[str, Facts]]]:
    """Return what is at the image's path and at each target, and the facts on links."""
    at_image, *looked = host.stat([image, *targets])
    at = dict(zip(targets, looked, strict=True))
    links = [path for path, one in at.items() if one.link]
    led = postponed(lambda: dict(zip(links, host.look(links) if links else [], strict=True)))
    return at_image, at, led()
