"""csf's class_create with this plugin around it: warnings and refusals, as csf's user sees them."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from csf_backup_plugin.cli.failure import failures

if TYPE_CHECKING:
    from collections.abc import Generator


def around(master_database: str) -> Generator[None, str | None, str | None]:
    """Wrap one class's creation; see `class_creation.recorded_creation`."""
    from csf_backup_plugin.class_creation import recorded_creation
    from csf_backup_plugin.hosts.local import LocalHost
    from csf_backup_plugin.request import lock_wait

    with failures():
        wait = lock_wait(os.environ)
        return (yield from recorded_creation(master_database, wait, LocalHost(), _warn))


def _warn(text: str) -> None:
    click.echo(f"warning: {text}", err=True)
