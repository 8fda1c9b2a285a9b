"""Log what is done around csf's class_create."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from csf_backup_plugin.cli.failure import failures
from csf_backup_plugin.cli.log_targets import logged
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.hosts.logged_host import observed
from csf_backup_plugin.log import log, warned
from csf_backup_plugin.operations.class_creation import creation, described

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


def logged_creation(
    master_database: str, say: Callable[[str], None]
) -> Generator[None, str | None, str | None]:
    """Wrap one class's creation; see `class_creation.creation`.

    Args:
        master_database: what csf has passed.
        say: prints a warning.
    """

    def warn(text: str) -> None:
        warned(text)
        say(text)

    with logged(os.environ, say), failures():
        log.info("class_create begins in the repository of %s", described(master_database))
        path = yield from creation(master_database, os.environ, observed(LocalHost()), warn)
        log.info("class_create has returned %s", described(path))
        return path
