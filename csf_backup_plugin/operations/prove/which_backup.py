"""Find out which backup an image is, if its csf was killed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.image.receipt import Origin
from csf_backup_plugin.repository import manifest

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Machine
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.repository.model import Repository


def origin_of(image: ImagePath, repository: Repository, machine: Machine, host: Host) -> Origin:
    """Return which backup an image is, as the manifest recorded it when the backup began."""
    try:
        data = host.read(repository.manifest)
    except PermissionError:  # the repository may belong to another user
        data = None
    recorded = manifest.salvage(data) if data else manifest.Manifest()
    identity, number = recorded.identity, recorded.backups.get(image.path)
    if identity is None or number is None or recorded.damaged:  # a damaged line may say otherwise
        return Origin(None, None, machine.id, machine.name)
    settled = not identity.changes(machine, repository.master)
    return Origin(identity.id, number, machine.id, machine.name, settled)
