"""What is found on one host, in a fixed number of exchanges: receipts, records, promises, room."""

from __future__ import annotations

import contextlib
import functools
import posixpath
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.rotate.history import read_all, witnesses
from csf_backup_plugin.repository.inventory import read_inventory
from csf_backup_plugin.system_errors import reason, translated

if TYPE_CHECKING:
    from collections.abc import Mapping

    from csf_backup_plugin.hosts.protocol import Facts, Host, Machine
    from csf_backup_plugin.image.catalog import Catalog, ImageSet
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.rotate.freeze import Witness
    from csf_backup_plugin.operations.status.request import StatusRequest
    from csf_backup_plugin.repository.inventory import Inventory
    from csf_backup_plugin.repository.model import Repository

_PROMISE = re.compile(r"csf-backup-promise-[0-9a-f]{1,64}\.json")


class Survey(NamedTuple):
    """What was found.

    Attributes:
        host: where.
        machine: the same, and its clock.
        catalog: all images.
        problems: why image directories could not be read, by their ``latest``.
        checks: what is known of each image by its drills and verifications.
        free: the bytes that are free in each image directory.
        promises: what is promised of each repository, by its id.
        databases: the databases of each repository that was named, or why they cannot be told.
    """

    host: str
    machine: Machine
    catalog: Catalog
    problems: Mapping[ImagePath, str]
    checks: Mapping[ImagePath, Witness]
    free: Mapping[ImagePath, int]
    promises: Mapping[str, Mapping[str, Any]]
    databases: Mapping[Repository, Inventory | str]

    @property
    def warnings(self) -> list[str]:
        """What could not be read."""
        return [f"{top.host}:{shown(top.directory)} {why}" for top, why in self.problems.items()]


def survey(request: StatusRequest, host: Host) -> Survey:
    """Look at all that was asked for on a host.

    Args:
        request: what was asked for.
        host: the host; what is on others is left out.

    Raises:
        BackupError: nothing can be learned of it.
    """
    tops = [top for top in request.tops if top.host == host.name]
    named = [repository for name, repository in request.databases if name == host.name]
    with translated(host.name):
        machine, listed, looked, inventories = host.together(
            host.machine,
            lambda: read_all(tops, host),
            lambda: host.together(
                *(postponed(functools.partial(_look, top, host)) for top in tops)
            ),
            lambda: host.together(*(functools.partial(_databases, one, host) for one in named)),
        )
        catalog = listed.catalog
        found = witnesses(catalog.sets, catalog, host)
        promises = _promises(catalog, host)
    free: dict[ImagePath, int] = {}
    for top, look in zip(tops, looked, strict=True):
        with contextlib.suppress(OSError):
            at = look()
            free |= {top: at.free} if at.kind == "directory" else {}
    return Survey(
        host.name,
        machine,
        catalog,
        listed.problems,
        {one.image: witness for one, witness in zip(catalog.sets, found, strict=True)},
        free,
        promises,
        dict(zip(named, inventories, strict=True)),
    )


def _look(top: ImagePath, host: Host) -> Facts:
    return host.look([top.directory])[0]


def _databases(repository: Repository, host: Host) -> Inventory | str:
    try:
        return read_inventory(repository, host)
    except (OSError, BackupError) as error:
        return reason(error)


def _promises(catalog: Catalog, host: Host) -> dict[str, dict[str, Any]]:
    """Return what is promised; of several promises for one repository, the last one."""
    paths = [path for path in catalog.entries if _PROMISE.fullmatch(posixpath.basename(path))]
    promises: dict[str, dict[str, Any]] = {}
    for data in host.read_each(paths) if paths else []:
        with contextlib.suppress(sealed_json.UnusableDocument):
            facts = sealed_json.decode(
                data if isinstance(data, bytes) else b"", sealed_json.PROMISE
            )
            known = promises.get(str(facts.get("repository_id")), {})
            if str(facts.get("started")) >= str(known.get("started", "")):
                promises[str(facts.get("repository_id"))] = facts
    return promises


def newest_first(sets: list[ImageSet]) -> list[ImageSet]:
    """Return sets with the highest number first."""
    return sorted(sets, key=lambda one: -(one.receipt.origin.number or 0))
