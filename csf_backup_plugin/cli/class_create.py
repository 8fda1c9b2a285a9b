"""Wrap csf's class_create: print warnings, and raise refusals as errors of click."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, cast

from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.hosts.local.quick import QuickHost
from csf_backup_plugin.operations.class_creation import creation

if TYPE_CHECKING:
    from collections.abc import Generator

    from csf_backup_plugin.hosts.protocol.host import Host


def around(master_database: str) -> Generator[None, str | None, str | None]:
    """Wrap one class's creation; see `class_creation.creation`."""
    # Without logging, nobody reads our log; to load it takes as long as all else that we do.
    if "logging" in sys.modules or os.environ.get("CSF_BACKUP_LOG"):
        from csf_backup_plugin.cli.class_create_log import logged_creation

        return (yield from logged_creation(master_database, _say))
    try:
        return (yield from creation(master_database, os.environ, cast("Host", QuickHost()), _say))
    except BackupError as error:
        from csf_backup_plugin.cli.failure import Failure

        raise Failure(error) from None


def _say(text: str) -> None:
    from csf_backup_plugin.cli.printing import said

    said(f"warning: {text}")
