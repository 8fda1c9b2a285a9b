"""Writing the manifest: only databases that were found or created are recorded in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.hosts.cleanup import clean_up
from csf_backup_plugin.hosts.protocol.steps import Append, Publish, Replace
from csf_backup_plugin.names import command, shown
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.manifest_lines import encode_lines
from csf_backup_plugin.system_errors import HalfDone, reason

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.repository.identity import Identity
    from csf_backup_plugin.repository.inventory import Inventory
    from csf_backup_plugin.repository.model import Repository


class Entry(NamedTuple):
    """A backup, as the manifest records it before osbackup starts.

    Attributes:
        identity: the repository's.
        number: of the backup.
        image: the path of the image that is to be made.
        adopted: paths of databases that belong to the repository, although the manifest may not
            list them.
    """

    identity: Identity
    number: int
    image: str
    adopted: tuple[str, ...]


def beginning(found: Inventory, entry: Entry) -> Publish | Append:
    """Return the step that records the number of a new backup, or creates the manifest with it.

    Args:
        found: the repository's inventory, with the manifest as it is.
        entry: the backup.
    """
    repository, recorded = found.repository, found.recorded
    if recorded is None:
        return Publish(repository.manifest, first(found, entry), repository.master)
    lines = b"" if recorded.identity else manifest.identity_line(entry.identity)
    lines += manifest.backup_line(entry.number, entry.image)
    listed = map(repository.path_of, recorded.names)
    adopted = {*entry.adopted}.intersection(found.coverage.paths).difference(listed)
    lines += encode_lines(map(repository.recorded, sorted(adopted)))
    return Append(repository.manifest, lines)


def first(found: Inventory, entry: Entry) -> bytes:
    """Return the manifest that `beginning` creates if there is none."""
    names = map(found.repository.recorded, found.coverage.paths)
    return manifest.encode(names, entry.identity, {entry.image: entry.number})


def record(found: Inventory, host: Host) -> list[str]:
    """Add to the existing manifest the databases that it does not list.

    Returns:
        A warning if the manifest could not be written; a proven backup must not fail because of
        that.
    """
    try:
        for done in host.in_turn(*recording(found)):
            done()
    except (OSError, BackupError) as error:
        return [not_updated(found, error)]
    return []


def recording(found: Inventory) -> list[Append]:
    """Return the steps that add unlisted databases to the manifest; empty if there are none."""
    repository = found.repository
    names = [*map(repository.recorded, found.coverage.unlisted)] if found.recorded else []
    return [Append(repository.manifest, encode_lines(names))] * bool(names)


def not_updated(found: Inventory, error: OSError | BackupError) -> str:
    """Return the warning that the steps of `recording` have failed."""
    return f"the manifest {shown(found.repository.manifest)} was not updated: {reason(error)}"


def replace(repository: Repository, data: bytes, host: Host) -> list[str]:
    """Replace the manifest; its users stay the same, or are those of the master database.

    Returns:
        A warning if one of them may not use it any more.

    Raises:
        OSError: it cannot be written; it is as it was, or the error says what was changed.
    """
    (replaced,) = host.in_turn(replacing(repository, data))
    return locked_out(repository, replaced(), host)


def replacing(repository: Repository, data: bytes) -> Replace:
    """Return the step that `replace` is."""
    return Replace(repository.manifest, data, repository.master)


def supersede(
    repository: Repository, damaged: bytes, data: bytes, host: Host
) -> tuple[str, list[str]]:
    """Replace a damaged manifest, and keep the old one for manual recovery.

    The name of the old one's copy is made from its contents, so a copy that a killed run has left
    is used again.

    Returns:
        The path of the copy; and a warning as from `replace`.

    Raises:
        OSError: as for `replace`; the copy has been removed, unless the error says otherwise.
    """
    import hashlib  # not imported by class_create

    kept = f"{repository.manifest}.damaged-{hashlib.sha256(damaged).hexdigest()[:16]}"
    is_made = host.read(kept) != damaged
    if is_made:
        host.publish(kept, damaged, like=repository.master)
    try:
        return kept, replace(repository, data, host)
    except HalfDone as error:
        kept_too = f"{error.left} The damaged one is kept as {shown(kept)}."
        raise HalfDone(error, kept_too) from None
    except OSError as error:
        if is_made and (problem := clean_up([kept], host)):
            raise HalfDone(error, f"{problem[0]}.") from None
        raise


def locked_out(repository: Repository, lost: str, host: Host) -> list[str]:
    """Return a warning if somebody may not use the manifest any more.

    Args:
        repository: the manifest's repository.
        lost: the users, in words, as `Host.publish` and `Host.replace` return it.
        host: where it is.
    """
    if not lost:
        return []
    give = command("chown", f"--reference={repository.master}", repository.manifest)
    allow = command("chmod", f"--reference={repository.master}", repository.manifest)
    return [
        f"{lost} may not use the manifest {shown(repository.manifest)} as before, since only root "
        f"may give it to another user. As root, on {host.name}: {give} && {allow}"
    ]
