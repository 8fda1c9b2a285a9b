"""What the user should know of a repository although its backup may begin."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.advice import (
    add_command,
    closed_warnings,
    cut_short_warnings,
    drop_command,
    rebuild_command,
)
from csf_backup_plugin.names import listed, shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.numbering import Standing
    from csf_backup_plugin.survey import Survey


def warnings(found: Survey, standing: Standing) -> Iterator[str]:
    """Yield a sentence for each.

    Args:
        found: the repository's databases, on disk and in the manifest.
        standing: which repository it is.
    """
    if found.recorded is not None:
        for path in found.coverage.unlisted:
            yield f"{shown(path)} was not in the manifest; it is backed up, and is to be added"
    yield from _not_taken(found)
    yield from _not_known(found)
    yield from _identity(found, standing)


def _not_taken(found: Survey) -> Iterator[str]:
    for path in found.directories:
        yield f"{shown(path)} has a database's name and is a directory; it is not backed up"
    if found.left_out:
        yield (
            "not backed up, since they have another suffix than the master database and are not in "
            f"the manifest, although they look like databases: {listed(found.left_out)}. If they "
            f"are: {add_command(found.repository, found.host, found.left_out)}"
        )
    if found.dropped:
        yield f"not backed up, since the manifest says they were dropped: {listed(found.dropped)}"
    if not (found.recorded and found.recorded.number):
        yield from _first(found)


def _first(found: Survey) -> Iterator[str]:
    """Yield what is said at a repository's first backup only: later, it is known."""
    for other in found.others.known:
        yield (
            f"{len(other.listed):,} databases are not backed up, since the manifest of "
            f"{shown(other.repository.master)} lists them: {listed(sorted(other.listed))}. If one "
            "is this repository's: " + drop_command(other.repository, found.host, ["PATH"])
        )
    if found.rest:
        yield (
            "this is the first backup of this repository, and these files in its directory are not "
            f"taken for databases: {listed(found.rest)}. If one is: "
            f"{add_command(found.repository, found.host, found.rest[:1])}"
        )


def _not_known(found: Survey) -> Iterator[str]:
    if found.links:
        yield (
            "what osbackup saves of databases that are symbolic links, the link or what it leads "
            f"to, is not known: {listed(found.links)}"
        )
    yield from closed_warnings(found)
    yield from cut_short_warnings(found)


def _identity(found: Survey, standing: Standing) -> Iterator[str]:
    repository, host = found.repository, found.host
    yield from standing.doubts
    if standing.source:
        one = standing.source
        what = "its databases are" if standing.is_new else "its id, number and databases are"
        new = "; it gets an id of its own" if standing.is_new else ""
        yield (
            f"{shown(repository.manifest)} does not tell which repository this is: {what} taken "
            f"from the receipt of {one.image}, backup {one.proven.origin.number}{new}"
        )
    if standing.changes:
        yield (
            f"this repository was moved or copied: {', '.join(map(shown, standing.changes))}. Its "
            "images are kept apart from those made before, and nothing is deleted on its behalf, "
            "until you say which.\n"
            f"  If it was moved: {rebuild_command(repository, host, '-moved')}\n"
            f"  If it is a copy: {rebuild_command(repository, host, '-copied')}"
        )
