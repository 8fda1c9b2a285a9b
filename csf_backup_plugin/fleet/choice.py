"""Whether a command is about one fleet file, or about what its other options name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.fleet.file import read_fleet
from csf_backup_plugin.names import command

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from csf_backup_plugin.fleet.file import Fleet


def choose(
    name: str,
    path: str | None,
    needed: Collection[str],
    others: Mapping[str, object],
    belonging: Mapping[str, object],
) -> Fleet | None:
    """Return the fleet of -fleet; None where the command is about what other options name.

    Args:
        name: the command's.
        path: the fleet file, if one was given.
        needed: the options that must be given without it.
        others: the options that have no meaning with it, and what was given.
        belonging: the same of those that have none without it.

    Raises:
        UsageError: one is missing or has no meaning, or the file cannot be read.
    """
    usage = command("csf", name, "-help")
    if path is None:
        if vain := _given(belonging):
            raise UsageError(
                f"{vain} has no meaning without -fleet.", f"Give -fleet FILE, too. See {usage}."
            )
        for option in needed:
            if not others[option]:
                raise UsageError(
                    f"Missing option {option}, or -fleet.",
                    f"Give it, or -fleet FILE for the repositories of a file. See {usage}.",
                )
        return None
    if vain := _given(others):
        raise UsageError(
            f"{vain} and -fleet were given: a fleet file says that itself.",
            f"Leave one of the two out. See {usage}.",
        )
    return read_fleet(path)


def _given(options: Mapping[str, object]) -> str:
    """Return the name of an option that was given; empty if none was."""
    return next((name for name, value in options.items() if value), "")
