"""Verify an image: check that it, its import file and its receipt still agree.

Only the record of the verification is written, and no repository is locked. The image is protected
from removal meanwhile. One check of a backup cannot be repeated later: that the repository had the
same databases before and after it.
"""

from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.advised_commands import backup_command, copy_command
from csf_backup_plugin.errors import FaultFound, OtherVersion
from csf_backup_plugin.image.check_record import CheckRecord
from csf_backup_plugin.image.latest import check_clock
from csf_backup_plugin.image.meant import look, meant
from csf_backup_plugin.image.read_lock import not_removed
from csf_backup_plugin.image.receipt_file import read_receipt
from csf_backup_plugin.image.sealed_json import VERIFICATION
from csf_backup_plugin.image.verification import findings, receipt_warnings
from csf_backup_plugin.image.wanted_repository import check_image_of
from csf_backup_plugin.log import log
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore import commands
from csf_backup_plugin.operations.aftermath import preceded
from csf_backup_plugin.system_errors import reason, translated

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.contents import Contents
    from csf_backup_plugin.image.latest import Newest
    from csf_backup_plugin.image.meant import Looked
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.receipt import Receipt
    from csf_backup_plugin.progress_listener import Listener
    from csf_backup_plugin.repository.model import Repository


class Verified(NamedTuple):
    """An image without faults.

    Attributes:
        image: the image.
        receipt: its receipt.
        warnings: what the user should know although the image is sound.
        seconds: how long it took.
        is_recorded: whether the result was recorded beside the image.
    """

    image: ImagePath
    receipt: Receipt
    warnings: tuple[str, ...]
    seconds: float
    is_recorded: bool


def verify(
    named: ImagePath, repository: Repository | None, host: Host, listener: Listener
) -> Verified:
    """Verify an image and the files beside it.

    Args:
        named: the image; ``latest`` for the newest of its directory.
        repository: the repository that the image must belong to; None for any.
        host: where the image is.
        listener: gets the progress.

    Raises:
        FaultFound: something is wrong; the message lists all that was found.
        BackupError: the image could not be verified.
    """
    began = time.monotonic()
    with translated(host.name):
        looked, find_osrestore = host.together(
            lambda: look(named, repository, host),
            commands.finding(commands.OSRESTORE, host),
        )
        chosen, contents = meant(looked, host, listener.note)
        osrestore = find_osrestore()
        with not_removed(contents, host):
            found = _read_all(chosen, contents, looked, osrestore, host, listener)
    receipt, warnings, is_recorded = found
    return Verified(chosen.image, receipt, warnings, time.monotonic() - began, is_recorded)


def _read_all(
    chosen: Newest,
    contents: Contents,
    looked: Looked,
    osrestore: str,
    host: Host,
    listener: Listener,
) -> tuple[Receipt, tuple[str, ...], bool]:
    """Check the image; return its receipt, warnings, and whether the result was recorded."""
    image = chosen.image
    try:
        receipt = read_receipt(contents, host)
    except FaultFound as error:
        if contents.lacks_receipt:
            raise
        # Check the image and the import file even without a usable receipt.
        found = findings(contents, None, osrestore, host, listener)
        if isinstance(error, OtherVersion) and not found:
            raise
        raise _at_fault(image, [*error.findings, *found], error.next_step) from None
    check_image_of(looked.wanted, image, receipt)
    chosen = check_clock(chosen, receipt, looked.machine, host)
    record = CheckRecord(VERIFICATION, image, receipt, looked.machine.now, host)
    found = findings(contents, receipt, osrestore, host, listener)
    is_recorded, unrecorded = _record(record, found)
    if found:
        fault = _at_fault(image, [*found, *chosen.findings], _again(image, receipt))
        recorded = (
            f"It is on record in {shown(record.path)}" if is_recorded else "".join(unrecorded)
        )
        fault.left = preceded(recorded, fault.left).text
        raise fault
    if chosen.findings:
        raise _not_certain(chosen)
    warnings = (*chosen.warnings, *unrecorded, *receipt_warnings(image, receipt))
    return receipt, warnings, is_recorded


def _record(record: CheckRecord, found: list[str]) -> tuple[bool, list[str]]:
    """Record the result if this user may write there.

    Returns:
        Whether the result was recorded; and a warning if another error prevented it.
    """
    try:
        record.write(found)
    except OSError as error:
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            return False, [f"{shown(record.path)} could not be written: {reason(error)}"]
        log.info("%s may not be written: %s", shown(record.path), reason(error))
        return False, []
    return True, []


def _not_certain(chosen: Newest) -> FaultFound:
    steps = ["Correct the host's clock if it is wrong."] if chosen.future else []
    steps += ["Move the sets with those receipts away."] if chosen.doubts else []
    return FaultFound(
        f"{chosen.image} is as its backup left it, but whether it is the newest image is not "
        "certain:",
        f"{' '.join(steps)} Then make a new backup.",
        chosen.findings,
    )


def _at_fault(image: ImagePath, found: list[str], next_step: str) -> FaultFound:
    return FaultFound(f"{image} is not as its backup left it:", next_step, found)


def _again(image: ImagePath, receipt: Receipt) -> str:
    if receipt.copied:
        typed = copy_command(receipt.copied.image.name, f"{image.host}:{image.directory}")
        return (
            "Do not rely on this copy. Move it away, and if its original is sound, copy that again:"
            f"\n{typed}"
        )
    command = backup_command(receipt.master, f"{image.name}-again")
    return f"Do not rely on this image. Make a new backup, under another name:\n{command}"
