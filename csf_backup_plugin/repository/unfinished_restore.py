"""A restore that has begun and not succeeded: what must wait for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import RepositoryIncomplete
from csf_backup_plugin.names import has_control_character, shown
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.repository.model import Repository

_LONGEST = 50_000  # bytes of a command


def check_not_half_restored(repository: Repository, host: Host, consequence: str) -> None:
    """Refuse a repository whose restore has begun and not succeeded.

    Args:
        repository: which.
        host: where it is.
        consequence: what would become of what is to be done; a sentence without its full stop.

    Raises:
        RepositoryIncomplete: it says how to repeat the restore.
    """
    mark = shown(repository.unfinished_restore)
    try:
        if (data := host.read(repository.unfinished_restore)) is None:
            return
        begun, how = "has begun and not succeeded", _command(data, mark)
    except OSError as error:  # whatever it is, something stands there
        begun = f"may have begun and not succeeded ({mark} cannot be read: {reason(error)})"
        how = "with the same image."
    raise RepositoryIncomplete(
        f"A restore of {shown(repository.master)} on {host.name} {begun}: its databases may not "
        f"fit together. {consequence}.",
        f"Repeat the restore: {how}\n"
        f"If the databases were brought back by other means, tell so by removing {mark}.",
    )


def _command(data: bytes, mark: str) -> str:
    """Return the command to repeat the restore with, if the mark tells it."""
    text = os.fsdecode(data[: _LONGEST + 1]).strip()
    if text and len(text) <= _LONGEST and not has_control_character(text):
        return shown(text)
    return f"with the same image; {mark} does not tell the command."
