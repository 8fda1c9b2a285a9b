"""The manifest of a restored repository: its databases, its id and its last number."""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.identity import Identity
from csf_backup_plugin.repository.manifest import Manifest

if TYPE_CHECKING:
    from csf_backup_plugin.operations.restore.plan import RestorePlan


def new_manifest(plan: RestorePlan) -> bytes:
    """Return a manifest that lists exactly what was restored.

    A repository that was restored in place keeps its id, and its numbers continue. One that was
    restored into another directory, or over another repository with -into, gets a new id.
    """
    repository, recorded = plan.request.repository, plan.recorded or Manifest()
    origin = plan.receipt.origin
    identity, backups, known = recorded.identity, recorded.backups, recorded.known
    if _is_another(plan, recorded):
        identity, backups, known = Identity.new(plan.machine, repository.master), {}, 0
    else:
        if identity is None and origin.settled:
            identity = origin.identity(plan.receipt.master)
        if identity and identity.id == origin.id:
            known = max(known, plan.number)
    dropped = [name for name in recorded.dropped if repository.path_of(name) not in plan.targets]
    names = map(repository.recorded, plan.targets)
    # As in every rebuilt manifest, all earlier numbers count as known.
    return manifest.encode(names, identity, backups, dropped, max(known, *backups.values(), 0))


def _is_another(plan: RestorePlan, recorded: Manifest) -> bool:
    """Return whether the restored repository needs a new id."""
    request, origin, own = plan.request, plan.receipt.origin, recorded.identity
    if request.into is None:
        return False
    if own is None:
        return request.into != posixpath.dirname(plan.receipt.master)
    return own.id != origin.id or bool(own.changes(plan.machine, request.repository.master))
