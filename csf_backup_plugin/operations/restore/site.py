"""What a restore finds, once the image is known to be sound: all that it is decided on."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.image.catalog import read_listable_catalog
from csf_backup_plugin.image.verification import import_file_findings

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from csf_backup_plugin.hosts.protocol import Entry, Facts, Host, Stat
    from csf_backup_plugin.image.catalog import Catalog
    from csf_backup_plugin.image.receipt import Receipt
    from csf_backup_plugin.operations.restore.request import RestoreRequest


class Site(NamedTuple):
    """What was found; what may not be known is called for it, or for its error.

    Attributes:
        import_file: what is wrong with the import file.
        image: what stands at the image's path.
        at: what stands at each place that a database is to be restored to.
        links: the facts on those of the places that are links.
        directories: the facts on the directories of image, repository and places, and on ``/``.
        manifest: what is in the repository's manifest; None where there is none.
        inside: what is in the repository's directory.
        beside: what is beside that.
        catalog: the images beside this one, and a warning if nobody may look for them.
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
    """Look at everything that a restore depends on.

    Args:
        request: what was asked for, by resolved paths.
        receipt: the image, as its receipt knows it.
        known: the images beside it, if they are known already.
        targets: where its databases are to be restored to.
        host: where all of it is.
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
    """Return what stands at the image's path and at each target, and the facts on links."""
    at_image, *looked = host.stat([image, *targets])
    at = dict(zip(targets, looked, strict=True))
    links = [path for path, one in at.items() if one.link]
    led = postponed(lambda: dict(zip(links, host.look(links) if links else [], strict=True)))
    return at_image, at, led()
