"""Survey one host in a fixed number of exchanges: receipts, records, promises, room."""

from __future__ import annotations

import contextlib
import functools
import posixpath
from typing import TYPE_CHECKING, Any, NamedTuple

from csf_backup_plugin import timestamps
from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.image.catalog import read_what_can_be
from csf_backup_plugin.image.last_checks import read_last_checks
from csf_backup_plugin.image.promise_name import promised
from csf_backup_plugin.image.receipt_file import problem
from csf_backup_plugin.names import shown
from csf_backup_plugin.repository.inventory import read_inventory
from csf_backup_plugin.repository.model import Repository
from csf_backup_plugin.system_errors import reason, translated

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Facts, Machine
    from csf_backup_plugin.image.catalog import Catalog
    from csf_backup_plugin.image.last_checks import LastChecks
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.status.request import Expected, StatusRequest
    from csf_backup_plugin.repository.inventory import Inventory

_FOREVER = float("inf")


class Survey(NamedTuple):
    """What was found.

    Attributes:
        host: the host's name.
        machine: the host, and its clock.
        catalog: all images in the image directories and their places.
        problems: why image directories, or places in them, could not be read, by their ``latest``.
        checks: the last checks of each image.
        at: the facts on each image directory that exists.
        promises: the promise of each repository, by its id.
        broken_promises: the path of each unusable promise, and why it is unusable, by the
            repository's id.
        databases: the databases of each repository that was asked for, or why they are not known.
        expected: a fleet file's expectations of these repositories.
    """

    host: str
    machine: Machine
    catalog: Catalog
    problems: Mapping[ImagePath, OSError]
    checks: Mapping[ImagePath, LastChecks]
    at: Mapping[ImagePath, Facts]
    promises: Mapping[str, Mapping[str, Any]]
    broken_promises: Mapping[str, Sequence[tuple[str, str]]]
    databases: Mapping[Repository, Inventory | str]
    expected: Mapping[Repository, Expected]

    @property
    def unread(self) -> dict[ImagePath, str]:
        """The image directories and places that could not be read, and why, as sentences."""
        return {
            top: f"{top.host}:{shown(top.directory)} cannot be read: {reason(error)}"
            for top, error in self.problems.items()
        }


def survey(request: StatusRequest, host: Host) -> Survey:
    """Look at everything on a host that was asked for.

    Args:
        request: the command's validated options.
        host: the host to work on; what is on other hosts is left out.

    Raises:
        BackupError: the host could not be looked at.
    """
    tops = [top for top in request.tops if top.host == host.name]
    named = [repository for name, repository in request.databases if name == host.name]
    with translated(host.name):
        machine, (catalog, problems), looked, inventories = host.together(
            host.machine,
            lambda: read_what_can_be(tops, host),
            lambda: host.together(
                *(postponed(functools.partial(host.look, [top.directory])) for top in tops)
            ),
            lambda: host.together(*(functools.partial(_databases, one, host) for one in named)),
        )
        found = read_last_checks(catalog.sets, catalog, host)
        promises, broken = _promises(catalog, host)
    directories: dict[ImagePath, Facts] = {}
    for top, look in zip(tops, looked, strict=True):
        with contextlib.suppress(OSError):
            (at,) = look()
            directories |= {top: at} if at.kind == "directory" else {}
    return Survey(
        host.name,
        machine,
        catalog,
        problems,
        {one.image: checks for one, checks in zip(catalog.sets, found, strict=True)},
        directories,
        promises,
        broken,
        dict(inventories),
        {
            repository: request.expected[host.name, asked]
            for asked, (repository, _) in zip(named, inventories, strict=True)
            if (host.name, asked) in request.expected
        },
    )


def _databases(repository: Repository, host: Host) -> tuple[Repository, Inventory | str]:
    """Return a repository with its resolved path, as in receipts; and its databases."""
    try:
        at = host.look([repository.directory])[0]
        if at.kind == "directory":
            repository = Repository(posixpath.join(at.resolved, repository.name))
        return repository, read_inventory(repository, host)
    except (OSError, BackupError) as error:
        return repository, reason(error)


def _promises(
    catalog: Catalog, host: Host
) -> tuple[dict[str, dict[str, Any]], dict[str, list[tuple[str, str]]]]:
    """Return the last promise of each repository, and the unusable promises with reasons.

    Both are by the repository's id.
    """
    named = {
        path: identity
        for path in catalog.entries
        if (identity := promised(posixpath.basename(path)))
    }
    promises: dict[str, dict[str, Any]] = {}
    broken: dict[str, list[tuple[str, str]]] = {}
    for path, data in zip(named, host.read_each(named) if named else [], strict=True):
        try:
            facts = _promise(data)
        except OSError as error:
            broken.setdefault(named[path], []).append((path, f"cannot be read: {reason(error)}"))
        except sealed_json.UnusableDocument as error:
            broken.setdefault(named[path], []).append((path, problem(error)))
        else:
            known = promises.get(facts["repository_id"])
            if known is None or facts["started"] >= known["started"]:
                promises[facts["repository_id"]] = facts
    return promises, broken


def _promise(data: bytes | OSError | None) -> dict[str, Any]:
    """Return the contents of a promise.

    Raises:
        OSError: the promise cannot be read.
        UnusableDocument: the promise was damaged, or was not written by a rotation.
    """
    if isinstance(data, OSError):
        raise data
    facts = sealed_json.decode(data or b"", sealed_json.PROMISE)
    every, drill_every = facts.get("every_seconds"), facts.get("drill_every_seconds")
    moments = [facts.get(key) for key in ("started", "due")]
    if (
        isinstance(facts.get("repository_id"), str)
        and all(isinstance(at, str) and timestamps.read(at) == at for at in moments)
        and _is_length(every)
        and (drill_every is None or _is_length(drill_every))
    ):
        return facts
    raise sealed_json.CorruptDocument("it holds a value that no rotation writes")


def _is_length(value: object) -> bool:
    return type(value) in (int, float) and 0 < value < _FOREVER  # type: ignore[operator]
