"""Check that a repository can be backed up whole, and can be distinguished from others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.advised_commands import (
    add_command,
    drop_command,
    drop_missing_command,
    rebuild_command,
)
from csf_backup_plugin.errors import RepositoryIncomplete, WrongRepository
from csf_backup_plugin.names import IN_JSON, has_control_character, listed, shown
from csf_backup_plugin.repository.model import MANIFEST, Repository

if TYPE_CHECKING:
    from collections.abc import Collection

    from csf_backup_plugin.repository.inventory import Inventory
    from csf_backup_plugin.repository.neighbours import Other


def check_complete(found: Inventory, source: str = "") -> None:
    """Refuse a repository if a backup would leave databases out, or take another repository's.

    Args:
        found: the repository's inventory.
        source: the image, HOST:PATH, whose receipt lists databases that the manifest does not.

    Raises:
        WrongRepository: some databases may belong to another repository.
        RepositoryIncomplete: databases are missing or cannot be named; the message lists them.
    """
    check_apart(found)
    repository, host = found.repository, found.host
    missing, unreachable = found.coverage.missing, found.unreachable
    unnameable = tuple(filter(has_control_character, found.coverage.paths))
    if missing:
        raise _incomplete(
            found,
            missing,
            f"in the manifest{f' or in the receipt of {shown(source)}' if source else ''} "
            "and not on disk",
            "Bring them back (is a disk not mounted?). If they were deleted on purpose, "
            + (
                f"make a manifest of what is there: "
                f"{rebuild_command(repository.master, host, '-image-file', source)}"
                if source
                else "drop them from the manifest: "
                f"{drop_missing_command(repository.master, host, missing)}"
            ),
        )
    if unreachable:
        raise _incomplete(
            found,
            unreachable,
            "not readable as files (links to nothing, directories, or devices)",
            "Mount the disk they are on, or remove them; what the manifest lists is dropped so: "
            + drop_command(repository.master, host, unreachable),
        )
    if unnameable:
        raise _incomplete(
            found,
            unnameable,
            "named with a control character, which osbackup's list of names cannot hold",
            "Rename them.",
        )


def check_apart(found: Inventory) -> None:
    """Refuse a repository that cannot be distinguished from another one in the same directories.

    Raises:
        WrongRepository: the message names the databases in question, and commands that settle it.
    """
    check_readable(found)
    for other in found.others.known:
        ours = {path for path in found.coverage.paths if path in other.listed}
        ours |= other.listed & {found.repository.master, *found.coverage.missing}
        if ours:
            raise _overlapping(found, other, sorted(ours))
    if found.ambiguous:
        raise _ambiguous(found, found.ambiguous)


def check_readable(found: Inventory) -> None:
    """Refuse if a manifest in the same directories cannot be read.

    Raises:
        WrongRepository: the message names the manifest.
    """
    for path, problem in found.others.unreadable.items():
        other = Repository(path.removesuffix(MANIFEST))
        raise WrongRepository(
            f"The manifest {shown(path)} on {found.host} cannot be read whole ({problem}). It may "
            f"list databases that {shown(found.repository.master)} would take, so which repository "
            "these belong to is not known.",
            f"Rebuild it: {rebuild_command(other.master, found.host)}\n"
            "If there is no such repository, remove it.",
        )


def _incomplete(
    found: Inventory, paths: Collection[str], problem: str, next_step: str
) -> RepositoryIncomplete:
    error = RepositoryIncomplete(
        f"The repository of {shown(found.repository.master)} on {found.host} cannot be backed up "
        f"whole. {len(paths):,} of its databases are {problem}: {listed(paths, IN_JSON)}.",
        next_step,
    )
    error.facts = {"databases": list(paths)}
    return error


def _overlapping(found: Inventory, other: Other, both: list[str]) -> WrongRepository:
    """Return the error for two repositories whose manifests list the same databases.

    Each set of commands in the message, typed as shown, makes the manifests disjoint.
    """
    ours, theirs, host = found.repository, other.repository, found.host
    shared = [path for path in both if path not in (ours.master, theirs.master)]
    in_ours = [path for path in both if path == theirs.master]
    in_theirs = [path for path in both if path == ours.master]
    ways = []
    for owner, drops in (
        (ours, ((theirs, in_theirs + shared), (ours, in_ours))),
        (theirs, ((ours, in_ours + shared), (theirs, in_theirs))),
    ):
        typed = [drop_command(at.master, host, paths) for at, paths in drops if paths]
        others = listed(shared, IN_JSON)
        ways.append(f"If {others} belong to {shown(owner.master)}:\n" + "\n".join(typed))
    if shared:
        next_step = (
            "Drop each from the manifest of the repository that it does not belong to. "
            + "\n".join(ways)
        )
    else:
        next_step = (
            "Drop from each manifest what belongs to the other repository, its master database and "
            "each of its class databases, by one -drop PATH more for each. "
            f"{shown(theirs.manifest)} also lists: {_rest(other, both)}.\n"
            + ways[0].partition("\n")[2]
        )
    masters = [
        f"If {shown(one.master)} is not a master database, remove {shown(one.manifest)}."
        for one in (ours, theirs)
        if found.recorded or one is theirs
    ]
    error = WrongRepository(
        f"{_claims(found, other)} {len(both):,} of the databases on {host}: "
        f"{listed(both, IN_JSON)}. A backup or a restore of one repository would take the "
        "other's databases.",
        "\n".join([next_step, *masters]),
    )
    error.facts = {"databases": both, "other": theirs.master}
    return error


def _rest(other: Other, both: list[str]) -> str:
    """Return in words which other databases a manifest lists."""
    return listed(sorted(other.listed.difference(both, [other.repository.master]))) or "nothing"


def _claims(found: Inventory, other: Other) -> str:
    ours, theirs = shown(found.repository.master), shown(other.repository.master)
    if found.recorded is None:
        return f"{ours} is to be a repository of its own, and the manifest of {theirs} lists"
    return f"The manifests of two repositories, {ours} and {theirs}, both list"


def _ambiguous(found: Inventory, paths: Collection[str]) -> WrongRepository:
    if found.has_master:
        own = add_command(found.repository.master, found.host, paths)
    else:
        own = (
            f"If they are those of {shown(found.repository.master)}, which is not there, move them "
            "out of the directory."
        )
    ways = [own, *(add_command(o.master, found.host, paths) for o in found.others.repositories)]
    error = WrongRepository(
        f"In {shown(found.repository.directory)} on {found.host} are several repositories, and "
        f"none of their manifests lists {len(paths):,} of the databases there: "
        f"{listed(paths, IN_JSON)}.",
        "Add each to the one it belongs to; drop what is not a database from each with -drop:\n"
        + "\n".join(ways),
    )
    error.facts = {"databases": list(paths)}
    return error
