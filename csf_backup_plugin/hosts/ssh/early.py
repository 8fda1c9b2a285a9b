"""Begin to log in while csf still loads what the command needs: both take about as long."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.errors import HostUnreachable, UsageError
from csf_backup_plugin.hosts.ssh.command_line import SSH, VARIABLE
from csf_backup_plugin.hosts.ssh.login import Login

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextlib.contextmanager
def early_login(name: str) -> Iterator[Login | None]:
    """Begin to log in to a host, and end that after the block if nobody has used it.

    Args:
        name: a name that ssh knows.
    """
    try:
        login = Login(name, os.environ.get(VARIABLE) or SSH, Cancellation())
    except (UsageError, HostUnreachable):  # the command itself reports it, if it gets so far
        yield None
        return
    try:
        login.start_early()
        yield login
    finally:
        login.close()
