"""Sentences and facts about the verification of all images of a directory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from csf_backup_plugin.cli.human_sizes import counted, human
from csf_backup_plugin.cli.image_facts import made_as, numbered
from csf_backup_plugin.cli.outcome import Outcome
from csf_backup_plugin.cli.verify_report import document as document_of_one
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.operations.verify.summary import Result, VerifiedAll
    from csf_backup_plugin.operations.verify.turns import Candidate


def outcome(made: VerifiedAll) -> Outcome:
    """Return the outcome of a verification of all images."""
    return Outcome(tuple(_sentences(made)), _document(made), made.problem)


def _sentences(made: VerifiedAll) -> Iterator[str]:
    """Yield a sentence about each image, and one with the counts."""
    yield from (f"warning: {warning}" for warning in made.warnings)
    yield from (line for one in made.results if (line := _line(one)))
    yield from (f"at fault on record {one.image}: verified {one.at}" for one in made.on_record)
    yield _counts(made)
    if made.problem:
        yield f"Error: {made.problem}"


def _line(one: Result) -> str:
    """Return the sentence about an image; empty if a warning says that it was not verified."""
    if one.verified:
        receipt = one.verified.receipt
        which = f"{one.image}{made_as(one.image, receipt)}"
        return (
            f"sound {which}: {human(receipt.size)}, {numbered(receipt.origin.number)} of "
            f"{shown(receipt.master)}, begun {receipt.started}, in {one.verified.seconds:.1f} s"
        )
    return f"at fault {one.image}: {counted(len(one.findings), 'finding')}" * one.is_at_fault


def _counts(made: VerifiedAll) -> str:
    sound, at_fault = len(made.sound), len(made.at_fault)
    where = f"{made.top.host}:{shown(made.top.directory)}"
    parts = [
        f"Verified {counted(sound + at_fault, 'image')} in {where} in {made.seconds:.1f} s: "
        f"{sound:,} sound, {at_fault:,} at fault"
    ]
    if made.on_record:
        parts.append(f"{len(made.on_record):,} at fault on record")
    if made.recent:
        parts.append(f"{len(made.recent):,} verified within -older-than")
    if made.left:
        first = made.left[0]
        parts.append(
            f"{len(made.left):,} left for the next run, which begins with {first.image} "
            f"({_verified_at(first)})"
        )
    return "; ".join(parts)


def _verified_at(one: Candidate) -> str:
    return f"verified last at {one.at}" if one.at else "never verified"


def _document(made: VerifiedAll) -> dict[str, Any]:
    """Return the facts about a verification for the JSON document."""
    return {
        "host": made.top.host,
        "image_dir": made.top.directory,
        "images": [
            *map(_result, made.results),
            *(_not_read(one, "left") for one in made.left),
            *(_not_read(one, "recent") for one in made.recent),
        ],
        "verified": len(made.sound) + len(made.at_fault),
        "sound": len(made.sound),
        "at_fault": len(made.at_fault),
        "at_fault_on_record": len(made.on_record),
        "recent": len(made.recent),
        "left_for_next_run": len(made.left),
        "image_bytes": sum(one.verified.receipt.size for one in made.sound if one.verified),
        "findings": made.problem.facts.get("findings", []) if made.problem else [],
        "warnings": list(made.warnings),
        "seconds": round(made.seconds, 3),
    }


def _result(one: Result) -> dict[str, Any]:
    if one.verified:
        return {"outcome": "sound", **document_of_one(one.verified)}
    return {
        "outcome": "at fault" if one.is_at_fault else "not verified",
        "host": one.image.host,
        "image": one.image.path,
        "findings": list(one.findings),
        "error": one.problem.what if one.problem else None,
        "left": one.problem.left if one.problem else None,
    }


def _not_read(one: Candidate, outcome_: str) -> dict[str, Any]:
    return {
        "outcome": outcome_,
        "host": one.image.host,
        "image": one.image.path,
        "number": one.receipt.origin.number,
        "started": one.receipt.started,
        "verified_at": one.at or None,
        "has_failed": one.has_failed,
    }
