"""Refuse commands while a restore has begun and not succeeded."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import RepositoryIncomplete
from csf_backup_plugin.names import has_control_character, shown
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.repository.model import Repository

_LONGEST = 50_000  # bytes that are read of the command


def check_not_half_restored(repository: Repository, host: Host, consequence: str) -> None:
    """Refuse a repository whose restore has begun and not succeeded.

    Args:
        repository: the repository.
        host: where it is.
        consequence: what would follow from going on; a sentence without its full stop.

    Raises:
        RepositoryIncomplete: the message says how to repeat the restore.
    """
    mark = shown(repository.unfinished_restore)
    try:
        if (data := host.read(repository.unfinished_restore)) is None:
            return
        begun, how = "has begun and not succeeded", _command(data, mark)
    except OSError as error:  # something exists there, whatever it is
        begun = f"may have begun and not succeeded ({mark} cannot be read: {reason(error)})"
        how = "with the same image."
    raise RepositoryIncomplete(
        f"A restore of {shown(repository.master)} on {host.name} {begun}: its databases may not "
        f"fit together. {consequence}.",
        f"Repeat the restore: {how}\n"
        f"If the databases were brought back by other means, remove {mark}.",
    )


def _command(data: bytes, mark: str) -> str:
    """Return the command that repeats the restore, if the mark has it."""
    text = os.fsdecode(data[: _LONGEST + 1]).strip()
    if text and len(text) <= _LONGEST and not has_control_character(text):
        return shown(text)
    return f"with the same image; {mark} does not record the command."
