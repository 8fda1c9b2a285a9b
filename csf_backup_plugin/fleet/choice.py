"""Choose between -fleet and the options that name databases and directories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.names import command

if TYPE_CHECKING:
    from collections.abc import Collection

    from csf_backup_plugin.fleet.file import Fleet


def choose(
    name: str,
    path: str | None,
    given: Collection[str],
    needed: Collection[str],
    others: Collection[str],
    of_file: Collection[str],
) -> Fleet | None:
    """Return the fleet of -fleet; None if -fleet was not given. Refuse options that do not fit.

    Args:
        name: the command's name.
        path: the fleet file, if one was given.
        given: the names of all options that were given.
        needed: the options that must be given without the file.
        others: the options that have no meaning with the file.
        of_file: the options that have no meaning without the file.

    Raises:
        UsageError: an option is missing or has no meaning, or the file cannot be read.
    """
    usage = command("csf", name, "-help")
    if path is not None:
        for option in sorted({*others} & {*given}):
            raise UsageError(
                f"{option} and -fleet were given: the fleet file already says that.",
                f"Leave one of the two out. See {usage}.",
            )
        from csf_backup_plugin.fleet.file import read_fleet

        return read_fleet(path)
    for option in sorted({*of_file} & {*given}):
        raise UsageError(
            f"{option} has no meaning without -fleet.", f"Give -fleet FILE, too. See {usage}."
        )
    for option in needed:
        if option not in given:
            raise UsageError(
                f"Missing option {option}, or -fleet.",
                f"Give it, or -fleet FILE for the repositories of a file. See {usage}.",
            )
    return None
