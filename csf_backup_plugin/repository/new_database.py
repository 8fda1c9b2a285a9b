"""Recording a database that class_create has made."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.names import has_control_character
from csf_backup_plugin.repository.manifest_lines import encode_lines

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.repository.model import Repository


def record(repository: Repository, path: str, host: Host) -> list[str]:
    """Record one new database by one append, whatever the number of databases.

    A manifest that is created here gets no identity: the next backup finds or makes one.

    Args:
        repository: the repository that it belongs to.
        path: the new database, with its directory's path resolved.
        host: where it is.

    Returns:
        A warning if somebody who may use the repository may not use the manifest.

    Raises:
        OSError: the manifest cannot be written.
    """
    name = repository.recorded(path)
    try:
        host.append(repository.manifest, encode_lines([name]))
    except FileNotFoundError:
        return _first(repository, name, host)
    return []


def _first(repository: Repository, name: str, host: Host) -> list[str]:
    """Create the manifest for the users who may write to the master database."""
    # A class_create that only appends waits for none of these.
    from csf_backup_plugin.repository import manifest
    from csf_backup_plugin.repository.inventory import read_inventory
    from csf_backup_plugin.repository.manifest_store import locked_out

    found = read_inventory(repository, host)
    doubtful = {*found.ambiguous}
    if found.others.unreadable:  # which repository the others belong to is not known
        doubtful |= {*found.coverage.paths} - {repository.master}
    doubtful |= {*filter(has_control_character, found.coverage.paths)}
    names = [repository.recorded(path) for path in found.coverage.paths if path not in doubtful]
    data = manifest.encode(dict.fromkeys([*names, name]))
    lost = host.publish(repository.manifest, data, like=repository.master)
    return locked_out(repository, lost, host)
