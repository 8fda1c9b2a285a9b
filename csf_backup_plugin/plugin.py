"""The hook implementations that csf calls; all that this plugin knows about csf is here.

csf is a pluggy host of project name ``csf`` that loads plugins from the entry-point group ``csf``
and offers two hooks: ``register_commands`` and ``class_create``. ``python -m
csf_backup_plugin.contract`` checks whether a csf fits that.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    from collections.abc import Generator

    import click

PROJECT = "csf"
GROUP = "csf"  # of entry points
COMMANDS_HOOK, CLASS_HOOK = "register_commands", "class_create"
#: The arguments of csf's hooks. The second hook is firstresult.
ARGUMENTS = {COMMANDS_HOOK: ("cli",), CLASS_HOOK: ("master_database", "class_name")}

hookimpl = pluggy.HookimplMarker(PROJECT)


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add the admin_database commands to csf's command tree."""
    from csf_backup_plugin.cli import COMMANDS

    for command in COMMANDS:
        cli.add_command(command)


@hookimpl(wrapper=True, optionalhook=True)
def class_create(master_database: str) -> Generator[None, str | None, str | None]:
    """Keep the manifest current, and prevent class_create and backups from running together."""
    from csf_backup_plugin.cli.class_create import around

    return (yield from around(master_database))
