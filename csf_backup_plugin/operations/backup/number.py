"""Which backup of which repository it is; its number is used up before osbackup starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.image.receipt import Origin
from csf_backup_plugin.names import shown
from csf_backup_plugin.repository import manifest_store
from csf_backup_plugin.system_errors import HalfDone, reason

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.operations.backup.preflight import Plan
    from csf_backup_plugin.operations.backup.request import BackupRequest
    from csf_backup_plugin.operations.backup.rollback import Created


def origin_of(plan: Plan) -> Origin:
    """Return which backup of which repository it would be."""
    standing, machine = plan.standing, plan.machine
    return Origin(
        standing.identity.id,
        standing.number + 1,
        machine.id,
        machine.name,
        not standing.changes,
        plan.mounts,
    )


def take_number(
    request: BackupRequest, plan: Plan, created: Created, host: Host
) -> tuple[Origin, list[str]]:
    """Take the backup's number in the manifest.

    Where the manifest cannot be written, an id that nothing else tells would be lost at once: then
    the image has neither id nor number, and is never the newest.

    Args:
        request: what to back up, where to.
        plan: the same, looked at.
        created: learns what is done to the manifest.
        host: where that is.

    Returns:
        Which backup it is, and warnings.
    """
    origin, manifest = origin_of(plan), request.repository.manifest
    is_made = plan.found.recorded is None
    used_up = f"The number {origin.number} is used up in {shown(manifest)}."
    created.remains = "" if is_made else used_up
    entry = plan.standing.entry(request.image)
    if is_made:
        first = manifest_store.first(plan.found, entry)
        created.manifest, created.manifest_data, created.if_appended = manifest, first, used_up
    try:
        warnings = manifest_store.begin(plan.found, entry, host)
        created += [manifest] * is_made
    except BackupError:  # the host is gone, and may have done it
        created += [manifest] * is_made
        raise
    except OSError as error:
        created.remains = error.left if isinstance(error, HalfDone) else ""
        return unnumbered(manifest, plan, error)
    return origin, warnings


def unnumbered(manifest: str, plan: Plan, error: OSError) -> tuple[Origin, list[str]]:
    """Return which backup it is where the manifest cannot be written, and a warning of that.

    Args:
        manifest: its path.
        plan: the backup.
        error: why.
    """
    origin = origin_of(plan)
    if plan.standing.is_new:
        origin = origin._replace(id=None, number=None)
        what = "this image has no number, and so is never the latest one"
    else:
        what = f"that {origin.number} is used up is not on record there, and may be forgotten"
    return origin, [f"the manifest {shown(manifest)} cannot be written ({reason(error)}): {what}"]
