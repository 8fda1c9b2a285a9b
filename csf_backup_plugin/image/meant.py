"""Find the image that a command works on, and read its small files in the same exchange."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.image.contents import read_contents
from csf_backup_plugin.image.latest import choose
from csf_backup_plugin.image.wanted_repository import wanted_at

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Facts, Machine
    from csf_backup_plugin.image.contents import Contents
    from csf_backup_plugin.image.latest import Newest
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.wanted_repository import Wanted
    from csf_backup_plugin.repository.location import Note
    from csf_backup_plugin.repository.model import Repository


class Looked(NamedTuple):
    """What is needed to decide which image is meant.

    Attributes:
        machine: what the host says of itself.
        wanted: the repository that the image must belong to; None for any.
        directory: the facts on the directory of the image that was named.
        contents: what was found at that image.
    """

    machine: Machine
    wanted: Wanted | None
    directory: Facts
    contents: Contents


def look(named: ImagePath, repository: Repository | None, host: Host) -> Looked:
    """Look at an image, at its directory, and at the repository that it must belong to.

    Args:
        named: the image as the user named it.
        repository: the repository as the user named it; None for any.
        host: where all of them are.
    """
    return Looked(
        *host.together(
            host.machine,
            lambda: wanted_at(repository, host) if repository else None,
            lambda: host.look([named.directory])[0],
            lambda: read_contents(named, host),
        )
    )


def meant(looked: Looked, host: Host, note: Note) -> tuple[Newest, Contents]:
    """Return the image that is meant, and what was found of it.

    Args:
        looked: as `look` returns it.
        host: where it is.
        note: called with a sentence if the resolved path differs from the named one.

    Raises:
        BackupError: as for `choose`.
    """
    machine, wanted, directory, contents = looked
    chosen = choose(contents.image, directory, wanted, machine, host, note)
    if chosen.image != contents.image:
        contents = read_contents(chosen.image, host)
    return chosen, contents
