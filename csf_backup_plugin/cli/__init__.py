"""The commands that the plugin adds to csf, one module for each."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import click

#: The modules. The command of `backup` is `admin_database_backup`, and so on.
MODULES = (
    "backup",
    "verify",
    "prove",
    "drill",
    "restore",
    "manifest",
    "rotate",
    "copy",
    "status",
    "schedule",
    "fleet",
)

COMMANDS: tuple[click.Command, ...] = tuple(
    getattr(import_module(f"{__name__}.{name}"), f"admin_database_{name}") for name in MODULES
)
