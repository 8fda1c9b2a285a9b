"""A restore that has begun and not succeeded: what must wait for it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import RepositoryIncomplete
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.repository import Repository


def check_not_half_restored(repository: Repository, host: Host, consequence: str) -> None:
    """Refuse a repository whose restore has begun and not succeeded.

    Args:
        repository: which.
        host: where it is.
        consequence: what would become of what is to be done; a sentence without its full stop.

    Raises:
        RepositoryIncomplete: it says how to repeat the restore.
    """
    if (how := host.read(repository.unfinished_restore)) is None:
        return
    raise RepositoryIncomplete(
        f"A restore of {shown(repository.master)} on {host.name} has begun and not succeeded: its "
        f"databases may not fit together. {consequence}.",
        f"Repeat the restore: {shown(os.fsdecode(how).strip())}\n"
        "If the databases were brought back by other means, tell so by removing "
        f"{shown(repository.unfinished_restore)}.",
    )
