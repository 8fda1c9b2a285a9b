"""The plan of a restore, made before anything is changed."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import FaultFound
from csf_backup_plugin.image.verification import (
    image_findings,
    receipt_warnings,
    size_warnings,
)
from csf_backup_plugin.log import log
from csf_backup_plugin.names import how_many, shown
from csf_backup_plugin.objectstore.commands import OSRESTORE, VARIABLES, restore
from csf_backup_plugin.objectstore.room_and_time import default_timeout
from csf_backup_plugin.operations.mounts import check_mounted, check_still_mounted
from csf_backup_plugin.operations.quiet.preflight import find_programs, prepare_quiet_restore
from csf_backup_plugin.operations.restore.preflight import (
    check_image_apart,
    check_not_anothers,
    check_replaceable,
    check_room,
)
from csf_backup_plugin.operations.restore.quarantine import earlier
from csf_backup_plugin.operations.restore.site import look_at_site
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.identity import same_machine
from csf_backup_plugin.repository.inventory import set_against
from csf_backup_plugin.repository.warnings import closed_warnings

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.programs import Quiesce
    from csf_backup_plugin.hosts.protocol.values import Facts, Machine, Stat
    from csf_backup_plugin.image.latest import Newest
    from csf_backup_plugin.image.receipt import Receipt, Size
    from csf_backup_plugin.operations.quiet.preflight import Found
    from csf_backup_plugin.operations.restore.request import RestoreRequest
    from csf_backup_plugin.progress_listener import Listener
    from csf_backup_plugin.repository.inventory import Inventory
    from csf_backup_plugin.repository.manifest import Manifest


class RestorePlan(NamedTuple):
    """A restore that may begin unless there are extra databases.

    Attributes:
        request: the validated options; if ``latest`` was named, their image is the one that it
            stands for.
        receipt: the image's receipt.
        machine: the host, and its clock at the beginning.
        recorded: what the manifest says, as far as it can be read; None if there is none.
        number: the highest known backup number of the image's repository.
        targets: the paths that databases are restored to, the master database first, each with the
            database's size in the image in bytes, or None if that is not known.
        overwritten: the targets that are on disk now.
        appearing: the targets that are not on disk now.
        extra: databases on disk in the repository's directory and not in the image.
        elsewhere: databases in the manifest, on disk outside the directory, and not in the image.
            They are not moved, since they cannot be mistaken for restored ones.
        argv: the command that restores; osrestore comes first.
        timeout: how long it may take, in seconds.
        damaged_manifest: the bytes of the existing manifest, if not all of it could be read.
        image_stamp: the image's stamp; it must not have changed when osrestore starts.
        warnings: what the user should know although the restore may begin.
        quiesce: the programs that make the repository quiet for osrestore; None if there are none.
    """

    request: RestoreRequest
    receipt: Receipt
    machine: Machine
    recorded: Manifest | None
    number: int
    targets: Mapping[str, int | None]
    overwritten: tuple[str, ...]
    appearing: tuple[str, ...]
    extra: tuple[str, ...]
    elsewhere: tuple[str, ...]
    argv: Sequence[str]
    timeout: float
    damaged_manifest: bytes | None
    image_stamp: str
    warnings: tuple[str, ...]
    quiesce: Quiesce | None = None

    @property
    def bytes(self) -> int:
        """The sum of the databases' sizes in bytes, as far as they are known."""
        return sum(size or 0 for size in self.targets.values())


class Tools(NamedTuple):
    """The programs and the image of a restore.

    Attributes:
        osrestore: the program.
        at_image: what is at the image's path.
        quiet: the programs that make the repository quiet, or check that it is.
    """

    osrestore: str
    at_image: Stat
    quiet: Found


def look_at_tools(request: RestoreRequest, host: Host) -> Tools:
    """Find the programs of a restore, and look at its image."""
    osrestore, (at_image,), quiet = host.together(
        lambda: host.find(OSRESTORE, VARIABLES[OSRESTORE]),
        lambda: host.stat([request.image.path]),
        lambda: find_programs(request.quiescing, host),
    )
    return Tools(osrestore, at_image, quiet)


def prepare_restore(
    request: RestoreRequest,
    chosen: Newest,
    receipt: Receipt,
    machine: Machine,
    tools: Tools,
    host: Host,
    listener: Listener,
) -> RestorePlan:
    """Check everything a restore needs, and create nothing.

    Args:
        request: the validated options, with resolved paths.
        chosen: the image, and warnings about its choice.
        receipt: the image's receipt.
        machine: the host, and its clock.
        tools: the programs and the image, as `look_at_tools` returns them.
        host: the host to work on.
        listener: gets the progress.

    Raises:
        BackupError: the first check that failed; extra databases are left to the caller.
    """
    osrestore, checked, programs = tools
    timeout = request.timeout or default_timeout(max(receipt.size, receipt.room))
    if problems := image_findings(request.image, checked, receipt, osrestore, host, listener):
        raise FaultFound(
            f"{request.image} is not as its backup left it:",
            "Restore another image. If this one was moved here, move the files beside it, too.",
            problems,
        )
    targets, sizes = _targets(request, receipt), target_sizes(request, receipt)
    directory = request.repository.directory
    site = look_at_site(request, receipt, chosen.catalog, targets, host)
    at, links, directories = site.at, site.links(), site.directories
    homes = {path: directories[path] for path in dict.fromkeys(map(posixpath.dirname, targets))}
    check_image_apart(
        request,
        (site.image, *at.values()),
        (directories[request.image.directory], directories[directory]),
    )
    _check_mounts(request, receipt, directories, homes, host)
    data = site.manifest()
    recorded = None if data is None else manifest.salvage(data)
    check_replaceable(request, at, links, host)
    behind = {one.resolved for one in links.values()}
    found = set_against(request.repository, host, recorded, site.inside(), targets, behind)
    check_not_anothers([*targets, *sorted(behind.difference(targets))], at, found)
    check_room({path: sizes[path] for path in targets}, receipt.size, at, homes, host)
    quiesce, unasked = prepare_quiet_restore(
        *(request.quiescing, programs, request.repository, directories[directory]),
        *(machine, host),
    )
    catalog, unlisted = site.catalog()
    others = [path for path in found.coverage.paths if path not in targets]
    extra = tuple(path for path in others if posixpath.dirname(path) == directory)
    pairs = [(posixpath.dirname(receipt.master), request.into)] if request.into else []
    plan = RestorePlan(
        request=request,
        receipt=receipt,
        machine=machine,
        recorded=recorded,
        number=max(catalog.number(receipt.origin.id), receipt.origin.number or 0),
        targets=targets,
        overwritten=tuple(path for path in targets if at[path].kind == "file"),
        appearing=tuple(path for path in targets if at[path].kind == "missing"),
        extra=extra,
        elsewhere=tuple(path for path in others if posixpath.dirname(path) != directory),
        argv=restore(osrestore, request.image.path, pairs),
        timeout=timeout,
        damaged_manifest=data if recorded and recorded.damaged else None,
        image_stamp=checked.stamp,
        warnings=(
            *chosen.findings,
            *chosen.warnings,
            *site.import_file,  # only warnings: osrestore needs no import file
            *unlisted,
            *unasked,
            *receipt_warnings(request.image, receipt),
            *size_warnings(receipt),
            *_warnings(request, receipt, machine, found, targets, others),
            *(
                f"{shown(path)} has what an earlier restore moved away"
                for path in earlier(request.repository, site.beside, site.inside)
            ),
        ),
        quiesce=quiesce,
    )
    for what in ("overwritten", "appearing", "extra", "elsewhere"):
        log.info("%s: %s", what, how_many(getattr(plan, what)))
    return plan


def _targets(request: RestoreRequest, receipt: Receipt) -> dict[str, int | None]:
    first = sorted(receipt.databases, key=lambda path: (path != receipt.master, path))
    return {request.target_of(path): receipt.databases[path] for path in first}


def target_sizes(request: RestoreRequest, receipt: Receipt) -> dict[str, Size | None]:
    """Return the sizes of each database in the image, by the path it is restored to."""
    return {request.target_of(path): size for path, size in receipt.sizes.items()}


def _check_mounts(
    request: RestoreRequest,
    receipt: Receipt,
    directories: Mapping[str, Facts],
    homes: Mapping[str, Facts],
    host: Host,
) -> None:
    """Refuse directories whose disk is not mounted; with -into, the receipt cannot say that."""
    directory = request.repository.directory
    if request.require_mount:
        check_mounted(directory, directories[directory], directories["/"], host)
    if not (request.into or request.accept_unmounted):
        check_still_mounted(receipt.origin.mounts, homes, host)


def _warnings(
    request: RestoreRequest,
    receipt: Receipt,
    machine: Machine,
    found: Inventory,
    targets: Collection[str],
    others: Sequence[str],
) -> Iterator[str]:
    directory, origin = request.repository.directory, receipt.origin
    own = found.recorded.identity if found.recorded else None
    if own and origin.id is None:
        yield "the image has no repository id: only its path shows that it is of this repository"
    elif own and own.id != origin.id:
        yield f"{shown(request.repository.master)} is another repository now, and is overwritten"
    if not same_machine(origin.machine_id, origin.machine, machine):
        yield (
            f"the image was made on {shown(origin.machine or 'an unknown machine')}, and is "
            f"restored on {shown(machine.name)}"
        )
    for path in others:
        if posixpath.dirname(path) != directory:
            yield (
                f"{shown(path)} is not in the image, and stays where it is; the restored master "
                "database may not list it"
            )
    for path in found.coverage.missing:
        if path not in targets and posixpath.dirname(path) != directory:
            yield f"{shown(path)} is in the manifest and not on disk; the new one will not list it"
    yield from closed_warnings(found)
