"""Wrap csf's class_create: print warnings, and raise refusals as errors of click."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from csf_backup_plugin.cli.failure import failures
from csf_backup_plugin.cli.printing import said

if TYPE_CHECKING:
    from collections.abc import Generator


def around(master_database: str) -> Generator[None, str | None, str | None]:
    """Wrap the creation of one class; see `class_creation.recorded_creation`."""
    from csf_backup_plugin.cli.log_targets import logged
    from csf_backup_plugin.hosts.local import LocalHost
    from csf_backup_plugin.hosts.logged_host import observed
    from csf_backup_plugin.log import log, warned
    from csf_backup_plugin.operations.class_creation import as_path, described, recorded_creation
    from csf_backup_plugin.operations.request import lock_wait

    def warn(text: str) -> None:
        warned(text)
        _say(text)

    with logged(os.environ, _say), failures():
        log.info("class_create begins in the repository of %s", described(master_database))
        master = as_path(master_database)
        if master is None:
            warn(
                f"csf names the master database by {described(master_database)}, which is not a "
                "path: its repository is not locked, and the class is not recorded"
            )
            return (yield)
        wait, host = lock_wait(os.environ), observed(LocalHost())
        path = yield from recorded_creation(master, wait, host, warn)
        log.info("class_create has returned %s", described(path))
        return path


def _say(text: str) -> None:
    said(f"warning: {text}")
