"""Sentences and facts about the databases on disk, in the manifest, and in an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csf_backup_plugin.advised_commands import add_command, rebuild_command
from csf_backup_plugin.cli.outcome import Outcome
from csf_backup_plugin.errors import BackupError, RepositoryIncomplete
from csf_backup_plugin.names import IN_JSON, first, listed, shown
from csf_backup_plugin.repository.warnings import closed_warnings, cut_short_warnings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from csf_backup_plugin.operations.manifest.coverage import ThreeWay
    from csf_backup_plugin.repository.inventory import Inventory


def of_coverage(three: ThreeWay) -> Outcome:
    """Return the outcome of a comparison."""
    return Outcome(_sentences(three), _document(three), None if three.agrees else _problem(three))


def _sentences(three: ThreeWay) -> Iterator[str]:
    found = three.found
    for warning in (*three.warnings, *closed_warnings(found), *cut_short_warnings(found)):
        yield f"warning: {warning}"
    for where, paths in three.differences.items():
        yield from lines_of(where, paths)
    yield from _beside(found)
    in_manifest = f"{_listed(three):,} in the manifest" if found.recorded else "no manifest yet"
    counts = [f"{len(found.coverage.databases):,} databases on disk", in_manifest]
    counts += [] if three.imaged is None else [f"{len(three.imaged):,} in the image"]
    verdict = "they agree" if three.agrees else "they differ"
    yield f"{shown(found.repository.master)} on {found.host}: {', '.join(counts)}; {verdict}."
    yield _identity(three)
    if stray := sorted(three.stray.difference(found.dropped)):
        yield "To have the manifest list what the image holds and is on disk:"
        yield add_command(found.repository.master, found.host, stray)
    if three.problem:
        yield f"{three.problem.what}\n{three.problem.next_step}"
    elif found.coverage.missing or found.coverage.unlisted:
        yield (
            "A backup adds what is on disk and not in the manifest, and refuses if something is "
            "missing. To make the manifest say what is on disk:"
        )
        yield rebuild_command(found.repository.master, found.host)


def lines_of(what: str, paths: Sequence[str]) -> list[str]:
    """Return a line for each of the first paths."""
    return [f"{what}: {line}" for line in first([*map(shown, paths)])]


def _beside(found: Inventory) -> Iterator[str]:
    """Yield the files beside the repository's databases that do not belong to it."""
    for what, paths in (
        ("looks like a database, and is not in the manifest", found.left_out),
        ("dropped from the manifest, and on disk", found.dropped),
        ("a symbolic link", found.links),
    ):
        yield from lines_of(what, paths)
    for other in found.others.known:
        master = shown(other.repository.master)
        yield f"of the repository of {master}: {listed(sorted(other.listed), IN_JSON)}"


def _identity(three: ThreeWay) -> str:
    recorded = three.found.recorded
    if not (recorded and recorded.identity):
        return (
            "It has no repository id: the next backup takes it from the receipt of an image in "
            "its image directory, or creates a new one."
        )
    identity = recorded.identity
    changes = identity.changes(three.machine, three.found.repository.master)
    moved = f" It was moved or copied: {', '.join(map(shown, changes))}." if changes else ""
    return f"Repository {identity.id}; its last backup has the number {recorded.number}.{moved}"


def _listed(three: ThreeWay) -> int:
    recorded = three.found.recorded
    return len(recorded.names) if recorded else 0


def _problem(three: ThreeWay) -> BackupError:
    found = three.found
    counts = [f"{len(paths):,} {where}" for where, paths in three.differences.items() if paths]
    return three.problem or RepositoryIncomplete(
        f"The databases of {shown(found.repository.master)} on {found.host} differ: "
        f"{', '.join(counts) or 'a line of the manifest was cut short'}.",
        "Bring back what is missing, or make the manifest say what is on disk: "
        + rebuild_command(found.repository.master, found.host),
    )


def _document(three: ThreeWay) -> dict[str, Any]:
    found, coverage = three.found, three.found.coverage
    recorded, problem = found.recorded, three.problem
    identity = recorded.identity if recorded else None
    return {
        "host": found.host,
        "master": found.repository.master,
        "manifest": found.repository.manifest,
        "repository_id": identity.id if identity else None,
        "number": recorded.number if recorded else None,
        "moved_or_copied": (
            list(identity.changes(three.machine, found.repository.master)) if identity else []
        ),
        "agrees": three.agrees,
        "on_disk": coverage.paths,
        "in_manifest": _listed(three) if recorded else None,
        "in_image": None if three.imaged is None else sorted(three.imaged),
        "differences": {where: list(paths) for where, paths in three.differences.items()},
        "left_out": list(found.left_out),
        "dropped": list(found.dropped),
        "links": list(found.links),
        "others": {one.repository.master: sorted(one.listed) for one in found.others.known},
        "problem": problem and {"error": problem.what, "next_step": problem.next_step},
        "warnings": [*three.warnings, *closed_warnings(found), *cut_short_warnings(found)],
    }
