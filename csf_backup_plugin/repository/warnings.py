"""Warnings about a repository if it is uncertain which databases belong to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.advised_commands import rebuild_command
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.repository.inventory import Inventory


def closed_warnings(found: Inventory) -> Iterator[str]:
    """Yield warnings about directories with databases that cannot be listed."""
    for directory, reason in found.closed.items():
        yield (
            f"{shown(directory)} holds databases of this repository and cannot be listed "
            f"({reason}): whether another repository there lists them too is not known"
        )


def cut_short_warnings(found: Inventory) -> Iterator[str]:
    """Yield warnings about lines of the manifest that were cut short."""
    for text in found.recorded.cut_short if found.recorded else ():
        yield (
            f"a line of the manifest {shown(found.repository.manifest)} is incomplete (only "
            f'"{shown(text)}" was written). If it named a database that is not listed, add that '
            "with -add PATH. In any case, rebuild the manifest: "
            + rebuild_command(found.repository.master, found.host)
        )
