"""The end of a restore that went well: the manifest, and what is not needed any more."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.advised_commands import rebuild_command
from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.hosts.cleanup import clean_up, clean_up_record
from csf_backup_plugin.hosts.protocol import Release, RemoveTrees
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.quiet.debt import settle_debt
from csf_backup_plugin.operations.restore.restored_manifest import new_manifest
from csf_backup_plugin.repository import manifest_store
from csf_backup_plugin.system_errors import HalfDone, reason

if TYPE_CHECKING:
    from collections.abc import Callable

    from csf_backup_plugin.hosts.protocol import Host, Lock
    from csf_backup_plugin.operations.restore.plan import RestorePlan
    from csf_backup_plugin.operations.restore.request import RestoreRequest
    from csf_backup_plugin.repository.model import Repository

#: What it means if the mark of a restore stays.
STOPS_BACKUPS = ", and stops every backup until it is"


def complete(
    request: RestoreRequest,
    plan: RestorePlan,
    lock: Lock | None,
    debt: Callable[[], bytes | None],
    host: Host,
) -> list[str]:
    """Let the manifest say what was restored, and tidy up; then start what an earlier run owes.

    Args:
        request: what was restored.
        plan: the same, in full.
        lock: the repository's; it is given up if nothing more is done under it.
        debt: what was found of what a run owes that was killed.
        host: where all of it is.

    Returns:
        Warnings: all is restored, whatever becomes of the rest.
    """
    repository = request.repository
    # It would start what must not run during a restore; and -quiesce has called what it names.
    owes = not plan.quiesce and _is_something(debt)
    if plan.damaged_manifest is not None:
        told = [*_supersede(request, plan, host), *_clean_up(repository, host)]
    else:
        told = _replace(request, plan, None if owes else lock, host)
    return [*told, *settle_debt(repository, lock, host, debt)] if owes else told


def _is_something(debt: Callable[[], bytes | None]) -> bool:
    """Tell whether something is owed, or nobody knows."""
    try:
        return debt() is not None
    except OSError:
        return True


def _replace(
    request: RestoreRequest, plan: RestorePlan, lock: Lock | None, host: Host
) -> list[str]:
    """Replace the manifest, remove mark and record, and give a lock up: in one exchange."""
    repository = request.repository
    releases = [Release(lock)] if lock and not lock.is_left else []
    try:
        replaced, removed, *_ = host.in_turn(
            manifest_store.replacing(repository, new_manifest(plan)),
            RemoveTrees((repository.unfinished_restore, repository.restore_run)),
            *releases,
        )
        told = manifest_store.locked_out(repository, replaced(), host)
    except (OSError, BackupError) as error:
        return [_unrecorded(request, error, host), *_clean_up(repository, host)]
    return [*told, *_cleaned_up(removed, repository, host)]


def _supersede(request: RestoreRequest, plan: RestorePlan, host: Host) -> list[str]:
    """Make a damaged manifest anew; it is kept."""
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
    """Remove the mark, now that all is restored, and then the record; return warnings."""
    both = [repository.unfinished_restore, repository.restore_run]
    return _cleaned_up(lambda: host.remove_trees(both, mine=False), repository, host)


def _cleaned_up(removed: Callable[[], object], repository: Repository, host: Host) -> list[str]:
    """Return warnings of what was not removed; that is tried again by itself, to be told as such.

    Args:
        removed: raises the error of the removal of both.
        repository: whose mark and record they are.
        host: where they are.
    """
    mark, record = repository.unfinished_restore, repository.restore_run
    try:
        removed()
    except HalfDone as error:  # it was removed; a second sync would not tell what the first one did
        return [reason(error), *clean_up_record(record, host)]
    except (OSError, BackupError):
        return [*clean_up([mark], host, STOPS_BACKUPS), *clean_up_record(record, host)]
    return []
