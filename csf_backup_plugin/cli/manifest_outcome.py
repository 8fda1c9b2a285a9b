"""What is said of a repository's coverage, and of a manifest that was made anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csf_backup_plugin.errors import ExitCode
from csf_backup_plugin.names import shown
from csf_backup_plugin.survey import rebuild_command

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.coverage import ThreeWay
    from csf_backup_plugin.rebuild import Rebuilt


Outcome = tuple["Iterator[str]", dict[str, Any], ExitCode]


def of_coverage(three: ThreeWay) -> Outcome:
    """Return the lines for a person, the facts for a program, and the exit code."""
    code = ExitCode.DONE if three.agrees else ExitCode.REPOSITORY_INCOMPLETE
    return _differences(three), _covered(three), code


def of_rebuild(rebuilt: Rebuilt) -> Outcome:
    """Return the lines for a person, the facts for a program, and the exit code."""
    return _changes(rebuilt), _rebuilt(rebuilt), ExitCode.DONE


def _differences(three: ThreeWay) -> Iterator[str]:
    found = three.found
    for where, paths in three.differences.items():
        yield from (f"{where}: {shown(path)}" for path in paths)
    listed = f"{_listed(three):,} in the manifest" if found.recorded else "no manifest yet"
    counts = [f"{len(found.coverage.databases):,} databases on disk", listed]
    counts += [] if three.imaged is None else [f"{len(three.imaged):,} in the image"]
    verdict = "they agree" if three.agrees else "they differ"
    yield f"{shown(found.repository.master)} on {found.host}: {', '.join(counts)}; {verdict}."
    if found.coverage.missing or found.coverage.unlisted:
        yield (
            "A backup adds what is on disk and not in the manifest, and refuses if something is "
            "missing. To make the manifest say what is on disk:"
        )
        yield rebuild_command(found.repository, found.host)


def _listed(three: ThreeWay) -> int:
    recorded = three.found.recorded
    return len(recorded.names) if recorded else 0


def _covered(three: ThreeWay) -> dict[str, Any]:
    found, coverage = three.found, three.found.coverage
    return {
        "host": found.host,
        "master": found.repository.master,
        "manifest": found.repository.manifest,
        "agrees": three.agrees,
        "on_disk": coverage.paths,
        "in_manifest": _listed(three) if found.recorded else None,
        "in_image": None if three.imaged is None else sorted(three.imaged),
        "differences": {where: list(paths) for where, paths in three.differences.items()},
    }


def _changes(rebuilt: Rebuilt) -> Iterator[str]:
    found, coverage = rebuilt.found, rebuilt.found.coverage
    yield from (f"added: {shown(path)}" for path in coverage.unlisted)
    yield from (f"dropped: {shown(path)} (not on disk)" for path in coverage.missing)
    if rebuilt.kept:
        lines = ", ".join(map(str, rebuilt.damaged))
        yield f"not readable: line {lines}; the old manifest is kept as {shown(rebuilt.kept)}"
    yield (
        f"Rebuilt {shown(found.repository.manifest)} on {found.host}: "
        f"{len(coverage.databases):,} databases, {len(coverage.unlisted):,} added, "
        f"{len(coverage.missing):,} dropped."
    )


def _rebuilt(rebuilt: Rebuilt) -> dict[str, Any]:
    found, coverage = rebuilt.found, rebuilt.found.coverage
    return {
        "host": found.host,
        "master": found.repository.master,
        "manifest": found.repository.manifest,
        "databases": coverage.paths,
        "added": list(coverage.unlisted),
        "dropped": list(coverage.missing),
        "damaged_lines": list(rebuilt.damaged),
        "kept": rebuilt.kept,
    }
