"""Sentences and facts about the search for the last good image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csf_backup_plugin.cli import drill_report
from csf_backup_plugin.cli.human_sizes import counted
from csf_backup_plugin.cli.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.operations.drill.search import Search, Tried


def outcome(search: Search) -> Outcome:
    """Return the outcome of a complete search."""
    return Outcome(tuple(_sentences(search)), _document(search), search.problem)


def _sentences(search: Search) -> Iterator[str]:
    """Yield a sentence about each image, and the conclusion."""
    yield from (f"warning: {warning}" for warning in search.warnings)
    for one in search.tried:
        if one.drill:
            yield drill_report.sentence(one.drill)
        else:
            yield f"at fault {one.set.image}: {one.backup}, {counted(len(one.findings), 'finding')}"
    yield f"Error: {search.problem}" if search.problem else f"{search.conclusion}."


def _document(search: Search) -> dict[str, Any]:
    """Return the facts about a search for the JSON document."""
    good, since, newest = search.good, search.corrupt_since, search.newest.sets[0]
    return {
        "host": newest.image.host,
        "image_dir": search.request.top.directory,
        "scratch_dir": search.request.directory,
        "repository_id": newest.receipt.origin.id,
        "master": newest.receipt.master,
        "newest": newest.image.path,
        "last_good": _tried(good, search) if good else None,
        "corrupt_between": [_which(one) for one in since] if since else None,
        "images": [_tried(one, search) for one in search.tried],
        "drilled": good is not None,
        "findings": search.problem.facts["findings"] if search.problem else [],
        "warnings": search.warnings,
        "seconds": round(search.seconds, 3),
    }


def _tried(one: Tried, search: Search) -> dict[str, Any]:
    if one.drill:
        facts = drill_report.document(one.drill, search.request.directory)
        return {"outcome": "sound", **_which(one), **facts}
    left = one.fault.left if one.fault else None
    return {"outcome": "at fault", **_which(one), "findings": list(one.findings), "left": left}


def _which(one: Tried) -> dict[str, Any]:
    receipt = one.set.receipt
    return {
        "image": one.set.image.path,
        "number": receipt.origin.number,
        "started": receipt.started,
    }
