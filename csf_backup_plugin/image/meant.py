"""The image a command is to work on: looked at before it is known to be the one that is named."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.image.contents import read_contents
from csf_backup_plugin.image.latest import choose
from csf_backup_plugin.image.wanted_repository import wanted_at

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Facts, Host, Machine
    from csf_backup_plugin.image.contents import Contents
    from csf_backup_plugin.image.latest import Newest
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.wanted_repository import Wanted
    from csf_backup_plugin.repository.location import Note
    from csf_backup_plugin.repository.model import Repository


class Looked(NamedTuple):
    """What tells which image is meant.

    Attributes:
        machine: the host.
        wanted: the repository whose image it is to be; None for any's.
        directory: the facts on the directory of the image that was named.
        contents: what was found at that image.
    """

    machine: Machine
    wanted: Wanted | None
    directory: Facts
    contents: Contents


def look(named: ImagePath, repository: Repository | None, host: Host) -> Looked:
    """Look at an image, at its directory, and at the repository it is to be of.

    Args:
        named: as the user named it.
        repository: likewise; None for any.
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
        note: told of a path that is another one than was named.

    Raises:
        BackupError: as `choose`.
    """
    machine, wanted, directory, contents = looked
    chosen = choose(contents.image, directory, wanted, machine, host, note)
    if chosen.image != contents.image:
        contents = read_contents(chosen.image, host)
    return chosen, contents
