"""The last steps of a successful restore: the manifest, and the cleanup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.advised_commands import rebuild_command
from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.hosts.cleanup import clean_up, clean_up_record
from csf_backup_plugin.hosts.protocol.steps import Release, RemoveTrees
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.quiet.debt import settle_debt
from csf_backup_plugin.operations.restore.restored_manifest import new_manifest
from csf_backup_plugin.repository import manifest_store
from csf_backup_plugin.system_errors import HalfDone, reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.operations.restore.plan import RestorePlan
    from csf_backup_plugin.operations.restore.request import RestoreRequest
    from csf_backup_plugin.repository.model import Repository

#: Ends the warning that the mark of a restore could not be removed.
STOPS_BACKUPS = ", and stops every backup until it is"


def complete(
    request: RestoreRequest,
    plan: RestorePlan,
    lock: Lock | None,
    debt: Callable[[], bytes | None],
    host: Host,
) -> list[str]:
    """Write the manifest of what was restored, and clean up; then call an `end` that is owed.

    Args:
        request: the restore's validated options.
        plan: the plan that was carried out.
        lock: the repository's lock; released in the same exchange if no `end` is owed.
        debt: returns the record of an `end` that a killed run owes; None if there is none.
        host: the host to work on.

    Returns:
        Warnings: the restore has succeeded even if one of these steps fails.
    """
    repository = request.repository
    # The owed `end` starts applications, which must not run during a restore, so it comes last.
    # With -quiesce, the program's `end` has been called already.
    owes = not plan.quiesce and _is_owed(debt)
    if plan.damaged_manifest is not None:
        warnings = [*_supersede(request, plan, host), *_clean_up(repository, host)]
    else:
        warnings = _replace(request, plan, None if owes else lock, host)
    return [*warnings, *settle_debt(repository, lock, host, debt)] if owes else warnings


def _is_owed(debt: Callable[[], bytes | None]) -> bool:
    """Return whether something is owed, or may be."""
    try:
        return debt() is not None
    except OSError:
        return True


def _replace(
    request: RestoreRequest, plan: RestorePlan, lock: Lock | None, host: Host
) -> list[str]:
    """Replace the manifest, remove mark and record, and release a lock, in one exchange."""
    repository = request.repository
    releases = [Release(lock)] if lock and not lock.is_left else []
    try:
        replaced, removed, *_ = host.in_turn(
            manifest_store.replacing(repository, new_manifest(plan)),
            RemoveTrees((repository.unfinished_restore, repository.restore_run)),
            *releases,
        )
        warnings = manifest_store.locked_out(repository, replaced(), host)
    except (OSError, BackupError) as error:
        return [_unrecorded(request, error, host), *_clean_up(repository, host)]
    return [*warnings, *_cleaned_up(removed, repository, host)]


def _supersede(request: RestoreRequest, plan: RestorePlan, host: Host) -> list[str]:
    """Write a new manifest; keep the damaged one under another name."""
    assert plan.damaged_manifest is not None
    manifest = new_manifest(plan)
    try:
        old, warnings = manifest_store.supersede(
            request.repository, plan.damaged_manifest, manifest, host
        )
    except (OSError, BackupError) as error:
        return [_unrecorded(request, error, host)]
    return [*warnings, f"the manifest was damaged; the old one is kept as {shown(old)}"]


def _unrecorded(request: RestoreRequest, error: OSError | BackupError, host: Host) -> str:
    repository = request.repository
    options = ["-image-file", request.image.name, *(["-copied"] if request.into else [])]
    return (
        f"the manifest {shown(repository.manifest)} does not say yet what was restored: "
        f"{reason(error)}. Then: {rebuild_command(repository.master, host.name, *options)}"
    )


def _clean_up(repository: Repository, host: Host) -> list[str]:
    """Remove the mark and then the run record of the restore; return warnings."""
    both = [repository.unfinished_restore, repository.restore_run]
    return _cleaned_up(lambda: host.remove_trees(both, mine=False), repository, host)


def _cleaned_up(removed: Callable[[], object], repository: Repository, host: Host) -> list[str]:
    """Return warnings about what was not removed, after one more try for each of the two.

    Args:
        removed: raises the error of the first try, which removed both at once.
        repository: the repository that was restored.
        host: the host to work on.
    """
    mark, record = repository.unfinished_restore, repository.restore_run
    try:
        removed()
    except HalfDone as error:  # removed but not synced; a second sync would not report that
        return [reason(error), *clean_up_record(record, host)]
    except (OSError, BackupError):
        return [*clean_up([mark], host, STOPS_BACKUPS), *clean_up_record(record, host)]
    return []
