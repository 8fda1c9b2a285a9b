"""Sentences and facts about a change of the manifest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csf_backup_plugin.advised_commands import add_command
from csf_backup_plugin.cli.manifest_coverage import lines_of
from csf_backup_plugin.cli.outcome import Outcome
from csf_backup_plugin.names import first, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.operations.manifest import ChangedManifest


def of_change(changed: ChangedManifest) -> Outcome:
    """Return the outcome of a change of the manifest."""
    return Outcome(_sentences(changed), _document(changed))


def _sentences(changed: ChangedManifest) -> Iterator[str]:
    found = changed.found
    yield from (f"warning: {warning}" for warning in changed.warnings)
    yield from lines_of("added", changed.added)
    missing = {*found.coverage.missing}
    yield from first(
        [
            f"dropped: {shown(path)}{' (not on disk)' * (path in missing)}"
            for path in changed.dropped
        ]
    )
    yield from lines_of("in the image, and not on disk", changed.absent)
    yield from lines_of("not recorded, since it may be another repository's", found.ambiguous)
    if found.ambiguous:
        yield "Record those that are this repository's:"
        yield add_command(found.repository.master, found.host, found.ambiguous)
    if changed.kept:
        lines = ", ".join(map(str, changed.damaged)) or "the last one, which was cut short"
        yield f"not readable: line {lines}; the old manifest is kept as {shown(changed.kept)}"
    repository = f"; repository {changed.identity.id}" if changed.identity else ""
    if not (changed.rebuilt or changed.added or changed.dropped):
        yield f"Nothing to change in {shown(found.repository.manifest)} on {found.host}."
        return
    done = "Rebuilt" if changed.rebuilt else "Changed"
    yield (
        f"{done} {shown(found.repository.manifest)} on {found.host}: "
        f"{len(found.coverage.databases) - len(found.ambiguous):,} databases, "
        f"{len(changed.added):,} added, {len(changed.dropped):,} dropped{repository}."
    )


def _document(changed: ChangedManifest) -> dict[str, Any]:
    found, ambiguous = changed.found, {*changed.found.ambiguous}
    return {
        "host": found.host,
        "master": found.repository.master,
        "manifest": found.repository.manifest,
        "repository_id": changed.identity.id if changed.identity else None,
        "databases": [path for path in found.coverage.paths if path not in ambiguous],
        "added": list(changed.added),
        "dropped": list(changed.dropped),
        "absent": list(changed.absent),
        "ambiguous": list(found.ambiguous),
        "damaged_lines": list(changed.damaged),
        "kept": changed.kept,
        "warnings": list(changed.warnings),
    }
