"""Verifying an image: whether it, its import file and its receipt still agree.

Nothing is changed, unless there is no receipt and the image can be proven afresh. That the
repository held the same databases after the backup as before, which a backup sees to, cannot be
seen later and is not looked at.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin import objectstore
from csf_backup_plugin.agreement import findings, raise_if_not_allowed, receipt_warnings
from csf_backup_plugin.errors import FaultFound, OtherVersion, reason, translated
from csf_backup_plugin.names import command, shown
from csf_backup_plugin.newest import check_clock, choose
from csf_backup_plugin.proven import read_receipt
from csf_backup_plugin.verify.afresh import prove_afresh
from csf_backup_plugin.wanted import check_image_of, wanted_at

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Host, Machine
    from csf_backup_plugin.image_path import ImagePath
    from csf_backup_plugin.newest import Newest
    from csf_backup_plugin.proven import Proven
    from csf_backup_plugin.repository import Repository
    from csf_backup_plugin.wanted import Wanted
    from csf_backup_plugin.watcher import Watcher


class Verified(NamedTuple):
    """An image in which nothing is wrong.

    Attributes:
        image: which.
        proven: what its receipt says.
        afresh: whether the receipt was written just now.
        warnings: what the user should know all the same.
        seconds: how long it took.
    """

    image: ImagePath
    proven: Proven
    afresh: bool
    warnings: tuple[str, ...]
    seconds: float


def verify(
    named: ImagePath, repository: Repository | None, wait: float, host: Host, watcher: Watcher
) -> Verified:
    """Read an image and all that stands beside it; prove it afresh if it has no receipt.

    Args:
        named: which; ``latest`` for the newest of its directory.
        repository: whose image it is to be; None for any's.
        wait: how long to wait for the repository's lock, in seconds; it is taken only for an image
            without a receipt, whose osbackup may still be running.
        host: where the image is.
        watcher: told how far it is.

    Raises:
        FaultFound: it names all that was found.
        BackupError: it could not be found out.
    """
    began = time.monotonic()
    with translated(host.name):
        machine = host.machine()
        wanted = None if repository is None else wanted_at(repository, host)
        chosen = choose(named, wanted, machine, host, watcher.note)
        image = chosen.image
        osrestore = host.find(objectstore.OSRESTORE, objectstore.VARIABLES[objectstore.OSRESTORE])
        fresh = None
        if host.look([image.receipt])[0].kind == "missing":
            fresh = prove_afresh(image, wanted, osrestore, wait, machine, host, watcher)
        proven, warnings = fresh or _read_all(chosen, wanted, machine, osrestore, host, watcher)
    return Verified(image, proven, fresh is not None, warnings, time.monotonic() - began)


def _read_all(
    chosen: Newest,
    wanted: Wanted | None,
    machine: Machine,
    osrestore: str,
    host: Host,
    watcher: Watcher,
) -> tuple[Proven, tuple[str, ...]]:
    """Return what the receipt says, and warnings, if all agrees with it."""
    image = chosen.image
    try:
        proven = _receipt(image, host)
    except FaultFound as error:  # image and import file are looked at all the same
        found = findings(image, None, osrestore, host, watcher)
        if isinstance(error, OtherVersion) and not found:
            raise
        raise _at_fault(image, [*error.findings, *found], error.next_step) from None
    check_image_of(wanted, image, proven)
    chosen = check_clock(chosen, proven, machine, host)
    if found := findings(image, proven, osrestore, host, watcher):
        raise _at_fault(image, [*found, *chosen.findings], _again(image, proven))
    if chosen.findings:
        raise _not_certain(chosen)
    return proven, (*chosen.warnings, *receipt_warnings(image, proven))


def _not_certain(chosen: Newest) -> FaultFound:
    steps = ["Put the host's clock right if it is wrong."] if chosen.future else []
    steps += ["Move the sets with those receipts away."] if chosen.doubts else []
    return FaultFound(
        f"{chosen.image} is as its backup left it, but whether it is the newest image is not "
        "certain:",
        f"{' '.join(steps)} Then make a new backup.",
        chosen.findings,
    )


def _receipt(image: ImagePath, host: Host) -> Proven:
    try:
        return read_receipt(image, host)
    except OSError as error:
        raise_if_not_allowed(error)
        raise FaultFound(
            f"The receipt {shown(image.receipt)} cannot be read: {reason(error)}.",
            "Look at its disk, and use another image.",
        ) from None


def _at_fault(image: ImagePath, found: list[str], next_step: str) -> FaultFound:
    return FaultFound(f"{image} is not as its backup left it:", next_step, found)


def _again(image: ImagePath, proven: Proven) -> str:
    words = ("-database", proven.master, "-image-file", f"{image.host}:{image.path}-again")
    return "Do not rely on this image. Make a new backup, under another name:\n" + command(
        "csf", "admin_database_backup", *words
    )
