"""The warnings about a repository before its backup begins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.advised_commands import add_command, drop_command, rebuild_command
from csf_backup_plugin.names import IN_JSON, first, listed, shown
from csf_backup_plugin.repository.warnings import closed_warnings, cut_short_warnings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.image.backup_number import Standing
    from csf_backup_plugin.repository.inventory import Inventory


def warnings(found: Inventory, standing: Standing) -> Iterator[str]:
    """Yield the warnings.

    Args:
        found: the repository's databases, on disk and in the manifest.
        standing: which repository it is.
    """
    if found.recorded is not None:
        new = "was not in the manifest; it is backed up, and is to be added"
        yield from first([f"{shown(path)} {new}" for path in found.coverage.unlisted])
    yield from _not_taken(found)
    yield from _not_known(found)
    yield from _identity(found, standing)


def _not_taken(found: Inventory) -> Iterator[str]:
    what = "has a database's name and is a directory; it is not backed up"
    yield from first([f"{shown(path)} {what}" for path in found.directories])
    if found.left_out:
        yield (
            "not backed up, since they have another suffix than the master database and are not in "
            "the manifest, although they look like databases: "
            f"{listed(found.left_out, IN_JSON)}. If they are: "
            f"{add_command(found.repository.master, found.host, found.left_out)}"
        )
    if found.dropped:
        dropped = listed(found.dropped, IN_JSON)
        yield f"not backed up, since the manifest says they were dropped: {dropped}"
    if not (found.recorded and found.recorded.number):
        yield from _first(found)


def _first(found: Inventory) -> Iterator[str]:
    """Yield the warnings that are given only at a repository's first backup."""
    for other in found.others.known:
        theirs = listed(sorted(other.listed), IN_JSON)
        yield (
            f"{len(other.listed):,} databases are not backed up, since the manifest of "
            f"{shown(other.repository.master)} lists them: {theirs}. If one "
            "is this repository's: " + drop_command(other.repository.master, found.host, ["PATH"])
        )
    if found.rest:
        yield (
            "this is the first backup of this repository, and these files in its directory are not "
            f"taken for databases: {listed(found.rest, IN_JSON)}. If one is: "
            f"{add_command(found.repository.master, found.host, found.rest[:1])}"
        )


def _not_known(found: Inventory) -> Iterator[str]:
    if found.links:
        yield (
            "it is not known whether osbackup saves a symbolic link or the database that it "
            f"leads to; these are links: {listed(found.links, IN_JSON)}"
        )
    yield from closed_warnings(found)
    yield from cut_short_warnings(found)


def _identity(found: Inventory, standing: Standing) -> Iterator[str]:
    repository, host = found.repository, found.host
    yield from standing.doubts
    if standing.source:
        one = standing.source
        what = "its databases are" if standing.is_new else "its id, number and databases are"
        new = "; it gets an id of its own" if standing.is_new else ""
        yield (
            f"{shown(repository.manifest)} does not say which repository this is: {what} taken "
            f"from the receipt of {one.image}, backup {one.receipt.origin.number}{new}"
        )
    if standing.changes:
        yield (
            f"this repository was moved or copied: {', '.join(map(shown, standing.changes))}. Its "
            "images are kept apart from those made before, and nothing is deleted on its behalf, "
            "until you say which.\n"
            f"  If it was moved: {rebuild_command(repository.master, host, '-moved')}\n"
            f"  If it is a copy: {rebuild_command(repository.master, host, '-copied')}"
        )
