"""Claim the image's name, and take the backup's number, before osbackup starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.advised_commands import prove_command
from csf_backup_plugin.errors import BackupError, ImageExists
from csf_backup_plugin.hosts.protocol.steps import Absent, Create
from csf_backup_plugin.image.receipt import Origin
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.aftermath import preceded
from csf_backup_plugin.operations.backup.preflight import image_exists
from csf_backup_plugin.repository import manifest_store
from csf_backup_plugin.system_errors import HalfDone, path_of, reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.image.path import ImagePath
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


def begin(
    request: BackupRequest, plan: Plan, created: Created, lock: Lock | None, host: Host
) -> tuple[Origin, list[str]]:
    """Claim the image's name, check that no file of its set exists, and take the backup's number.

    The host does that in one exchange, and stops at the first error. If the manifest cannot be
    written, a new repository id cannot be recorded: then the image gets neither id nor number, and
    is never the newest.

    Args:
        request: what to back up, and where to.
        plan: the result of the preflight.
        created: gets the paths that are created.
        lock: the repository's lock.
        host: the host to work on.

    Returns:
        Which backup it is, and warnings.

    Raises:
        ImageExists: one of the files of its set exists.
    """
    image, origin, found = request.image, origin_of(plan), plan.found
    others, entry = (
        (image.path, image.receipt, image.run, image.copying),
        plan.standing.entry(image),
    )
    is_made = found.recorded is None
    try:
        claimed, absent, numbered = host.in_turn(
            Create(image.import_file, plan.import_file),
            Absent(others),
            manifest_store.beginning(found, entry),
        )
    except BackupError as error:  # the steps may have been done; files they created were removed
        if not is_made:
            manifest = shown(request.repository.manifest)
            used_up = f"The number {origin.number} may be used up in {manifest}"
            error.left = preceded(used_up, error.left).text
        raise
    _check_claimed(image, claimed)
    created.append(image.import_file)
    _check_first(image, absent, host)
    created.append(image.path)
    created.record, created.receipt, created.lock = image.run, image.receipt, lock
    created.if_lost = (
        "osbackup may still run there. Once the host can be reached, and if it has succeeded, "
        f"this gives the image its receipt: {prove_command(image.name)}"
    )
    return _numbered(request, plan, created, numbered, host)


def _check_claimed(image: ImagePath, claimed: Callable[[], object]) -> None:
    """Refuse if the import file existed: then another run has claimed the image's name."""
    try:
        claimed()
    except FileExistsError:
        raise ImageExists(
            f"{image.host}:{shown(image.import_file)} appeared just now: "
            "another backup is writing that image.",
            "Wait until it has ended, or name another image.",
        ) from None


def _check_first(image: ImagePath, absent: Callable[[], object], host: Host) -> None:
    """Refuse if another file of the set existed before the claim."""
    try:
        absent()
    except FileExistsError as error:
        raise image_exists(image, path_of(error), host) from None


def _numbered(
    request: BackupRequest,
    plan: Plan,
    created: Created,
    numbered: Callable[[], str],
    host: Host,
) -> tuple[Origin, list[str]]:
    """Return which backup it is, and warnings, even if its number could not be recorded."""
    origin, repository = origin_of(plan), request.repository
    is_made = plan.found.recorded is None
    used_up = f"The number {origin.number} is used up in {shown(repository.manifest)}."
    try:
        lost = numbered()
    except OSError as error:
        created.remains = error.left if isinstance(error, HalfDone) else ""
        return unnumbered(repository.manifest, plan, error)
    if is_made:
        created.manifest, created.if_appended = repository.manifest, used_up
        created.manifest_data = manifest_store.first(plan.found, plan.standing.entry(request.image))
        created.append(repository.manifest)
    else:
        created.remains = used_up
    return origin, manifest_store.locked_out(repository, lost, host)


def unnumbered(manifest: str, plan: Plan, error: OSError) -> tuple[Origin, list[str]]:
    """Return which backup it is if the manifest cannot be written, and the warning about that.

    Args:
        manifest: the manifest's path.
        plan: the result of the preflight.
        error: why it cannot be written.
    """
    origin = origin_of(plan)
    if plan.standing.is_new:
        origin = origin._replace(id=None, number=None)
        what = "this image has no number, and so is never the latest one"
    else:
        what = f"the number {origin.number} is not recorded there, and may be given again"
    return origin, [f"the manifest {shown(manifest)} cannot be written ({reason(error)}): {what}"]
