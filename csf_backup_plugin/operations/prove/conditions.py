"""The conditions under which an image without a receipt gets one."""

from __future__ import annotations

import os
import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin import timestamps
from csf_backup_plugin.errors import NOTHING_LEFT, CannotBeProven
from csf_backup_plugin.image import copy_record, sealed_json
from csf_backup_plugin.image.contents import read_contents
from csf_backup_plugin.image.listed_databases import list_findings
from csf_backup_plugin.image.receipt import Receipt
from csf_backup_plugin.image.run_record import problem_if_ended
from csf_backup_plugin.image.verification import import_file_findings, presence_findings
from csf_backup_plugin.image.without_receipt import (
    by_hand,
    is_there,
    removal_begun,
    without_receipt,
)
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore import commands
from csf_backup_plugin.objectstore.room_and_time import default_timeout
from csf_backup_plugin.operations.sync_warnings import unsynced_warnings
from csf_backup_plugin.repository.model import Repository

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.run_record import RunRecord
    from csf_backup_plugin.progress_listener import Listener

#: The command that prints when a file was last changed. It is part of coreutils, which every host
#: must have.
_CHANGED = ("date", "-u", "+%Y-%m-%dT%H:%M:%SZ", "-r")
_SECONDS = 60.0  # seconds that the command may take


def imported(image: ImagePath, host: Host) -> list[str]:
    """Return the databases that the image should hold, the master database first.

    Raises:
        CannotBeProven: the import file is missing or unusable.
        FaultFound: there is no image at all.
    """
    contents, (at_removing, at_copying) = host.together(
        lambda: read_contents(image, host), lambda: host.stat([image.removing, image.copying])
    )
    if at_removing.kind != "missing":
        raise unproven(image, [removal_begun(image)])
    if at_copying.kind != "missing":
        what, next_step = copy_record.unfinished(image, copy_record.read(image, host))
        error = unproven(image, [f"it {what}"])
        error.next_step = next_step
        raise error
    findings, databases = import_file_findings(image, None, contents.import_file)
    findings = findings or _master_findings(databases, host)
    if not findings:
        return databases
    if not is_there(image, host):
        raise without_receipt(image, host)
    raise unproven(image, [*findings, *presence_findings(image, contents.at())])


def measured(
    image: ImagePath,
    databases: list[str],
    record: RunRecord,
    osrestore: str,
    host: Host,
    listener: Listener,
) -> tuple[Receipt, list[str]]:
    """Return the receipt of an image, except which backup it is; and warnings.

    Args:
        image: the image; nothing writes to it any more.
        databases: the databases that it should hold.
        record: how osbackup ended.
        osrestore: the program that lists what is in the image.
        host: the host to work on.
        listener: gets the progress of the checksum.

    Raises:
        CannotBeProven: at least one check failed; the message lists them.
        TimedOut: osrestore did not end in time.
    """
    problem = problem_if_ended(record, image)
    (at,) = host.stat([image.path])
    timeout = default_timeout(at.size)
    absent = presence_findings(image, at)
    listed = absent or list_findings(image, osrestore, {*databases}, host, timeout)
    if findings := [*filter(None, [problem]), *listed]:
        raise unproven(image, findings)
    began = record.started or _began(image, host)
    if began is None:
        raise unproven(image, ["when its backup began is not known"])
    unsynced, (at,) = host.together(
        lambda: host.sync([image.path, image.import_file]), lambda: host.stat([image.path])
    )
    size, sha256 = host.digest(image.path, lambda done: listener.advance("checking", done, at.size))
    if size != at.size:
        raise unproven(image, ["it is still being written"])
    sizes = dict.fromkeys(databases)
    names = commands.import_file(databases)
    made = Receipt(
        databases[0], sizes, size, sha256, sealed_json.sha256(names), began, image, after=sizes
    )
    return made, unsynced_warnings(unsynced, "the backup", host)


def _master_findings(databases: list[str], host: Host) -> list[str]:
    """Return why the first database may not be the master database; empty if it is.

    A backup lists the master database first and the others by name, and leaves a lock file beside
    the master database.
    """
    master, *others = databases
    at_directory, at_lock = host.stat([posixpath.dirname(master), Repository(master).lock])
    lost = at_directory.kind == "missing"
    ordered = sorted({*others} - {master}, key=os.fsencode)
    if others == ordered and (lost or at_lock.kind != "missing"):
        return []
    return [f"the import file's first database, {shown(master)}, is not known to be a master"]


def _began(image: ImagePath, host: Host) -> str | None:
    """Return when the import file was written, just before osbackup began; None if not known."""
    changed = host.run([*_CHANGED, image.import_file], _SECONDS).output
    return timestamps.read(changed.decode(errors="replace"))


def unproven(image: ImagePath, findings: list[str], left: str = NOTHING_LEFT) -> CannotBeProven:
    """Return the error for an image that cannot be given a receipt.

    Args:
        image: the image.
        findings: the reasons.
        left: as for `BackupError`.
    """
    what = f"{image} has no receipt, and cannot be proven:"
    return CannotBeProven(what, by_hand(image), findings, left)
