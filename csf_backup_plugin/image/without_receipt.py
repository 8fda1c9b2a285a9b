"""Why an image has no receipt, as far as that is known, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.advised_commands import list_by_hand, prove_command
from csf_backup_plugin.errors import NoReceipt
from csf_backup_plugin.image import copy_record
from csf_backup_plugin.image.contents import read_contents
from csf_backup_plugin.image.run_record import read_record
from csf_backup_plugin.image.verification import import_file_findings, presence_findings
from csf_backup_plugin.names import shown
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.path import ImagePath


def without_receipt(image: ImagePath, host: Host) -> NoReceipt:
    """Return the error for an image that has no receipt, without waiting for a lock.

    Args:
        image: the image; it need not exist.
        host: the image's host.
    """
    if not is_there(image, host):
        return NoReceipt(
            f"There is no image {image}.", "Check -image-file; see what is there with ls."
        )
    findings, next_step = _explained(image, host)
    what = f"{image} has no receipt ({shown(image.receipt)}): that image is not proven."
    return NoReceipt(what, next_step, findings)


def left_behind(image: ImagePath, host: Host) -> str:
    """Return what to add to other advice about an image that a killed csf may have left.

    Returns:
        An empty string if it has a receipt, or does not look like an image of ours.
    """
    at_receipt, *beside = host.stat([image.receipt, image.import_file, image.run, image.copying])
    if at_receipt.kind != "missing" or {facts.kind for facts in beside} == {"missing"}:
        return ""
    findings, next_step = _explained(image, host)
    return f"\nIt has no receipt, so it is not a backup: {'; '.join(findings)}.\n{next_step}"


def _explained(image: ImagePath, host: Host) -> tuple[list[str], str]:
    """Return why an image has no receipt, and what to do."""
    record, contents, (at_removing, at_copying), copying = host.together(
        lambda: read_record(image, host),
        lambda: read_contents(image, host),
        lambda: host.stat([image.removing, image.copying]),
        lambda: copy_record.read(image, host),
    )
    if at_removing.kind != "missing":
        return [removal_begun(image)], "Use another image. The next rotation removes what is left."
    if at_copying.kind != "missing":
        what, next_step = copy_record.unfinished(image, copying)
        return [f"it {what}"], next_step
    prove = prove_command(image.name)
    if record.running:
        finding = f"{record.running} may still be writing it, as {shown(image.run)} says"
        return [finding], f"When that has ended, this gives the image its receipt: {prove}"
    try:
        lacking, _ = import_file_findings(image, None, contents.import_file)
        lacking += presence_findings(image, contents.at())
    except OSError as error:  # it may belong to another user
        lacking = [f"the import file {shown(image.import_file)} cannot be read: {reason(error)}"]
    if findings := [*filter(None, [record.problem]), *lacking]:
        return findings, (
            "If its backup is running, wait until it has ended. If not, it cannot be proven. "
            + by_hand(image)
        )
    finding = f"osbackup has succeeded, as {shown(image.run)} says, and csf may have been killed"
    return [finding], f"This gives it its receipt: {prove}"


def removal_begun(image: ImagePath) -> str:
    """Return the finding about a set that a rotation has begun to remove."""
    return f"a rotation has begun to remove it, as {shown(image.removing)} says"


def is_there(image: ImagePath, host: Host) -> bool:
    """Tell whether an image exists, or its import file, or its record as a copy."""
    looked = host.stat([image.path, image.import_file, image.copying])
    return any(facts.kind != "missing" for facts in looked)


def by_hand(image: ImagePath) -> str:
    """Return what to do with an image that cannot be proven."""
    return (
        "Make a new backup, under another name. If this is all that is left of the databases, keep "
        f"it, and try to restore it by hand: {list_by_hand(image.path)} shows "
        "what is in it."
    )
