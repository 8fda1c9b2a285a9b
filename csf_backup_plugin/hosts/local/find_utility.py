"""Where ObjectStore's utilities are looked for."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import UtilityMissing
from csf_backup_plugin.names import has_control_character, shown

if TYPE_CHECKING:
    from collections.abc import Mapping


def find(utility: str, variable: str, environ: Mapping[str, str], host: str) -> str:
    """Return the path of a utility: from its variable, else ``$OS_ROOTDIR/bin``, else ``PATH``.

    Args:
        utility: its name, such as ``osbackup``.
        variable: the environment variable that names it.
        environ: the environment to look in.
        host: the host's name, for the message.

    Returns:
        An absolute path: a utility works in a directory of its own.

    Raises:
        UtilityMissing: none of the places has it; one named by the variable is not looked for
            elsewhere.
    """
    named, root = environ.get(variable), environ.get("OS_ROOTDIR")
    places = [environ.get("PATH", os.defpath)]
    if root and not named:
        places.insert(0, os.path.join(root, "bin"))
    for place in places:
        if found := shutil.which(named or utility, path=place):
            return os.path.abspath(found)
    raise not_found(utility, variable, environ, host, "; under cron, in the crontab.")


def not_found(
    utility: str, variable: str, environ: Mapping[str, str], host: str, where: str
) -> UtilityMissing:
    """Return the error for a utility that is in none of the places.

    Args:
        utility: as for `find`, like the others but `where`.
        variable: likewise.
        environ: likewise.
        host: likewise.
        where: where the variables can be set; the end of a sentence.
    """
    if named := environ.get(variable):
        looked = [f"${variable} = {shown(named)} (not an executable file)"]
    else:
        root, path = environ.get("OS_ROOTDIR"), environ.get("PATH", os.defpath)
        at_root = f"$OS_ROOTDIR/bin = {shown(root)}/bin" if root else "$OS_ROOTDIR is not set"
        looked = [f"${variable} is not set", at_root, f"$PATH = {shown(path)}"]
    return UtilityMissing(
        f"{utility} was not found on {host}. Looked at: {'; '.join(looked)}.",
        f"Set OS_ROOTDIR to ObjectStore's directory, or {variable} to the program itself{where}",
    )


def find_program(path: str, variable: str, environ: Mapping[str, str], host: str) -> str:
    """Return the path of a program of the user's, or an empty string if none is named.

    Args:
        path: the program, if the user has named it.
        variable: the environment variable that names it if `path` does not.
        environ: the environment to look in.
        host: the host's name, for the message.

    Raises:
        UtilityMissing: what is named is not the absolute path of an executable file.
    """
    named = path or environ.get(variable, "")
    is_program = named.startswith("/") and shutil.which(named) == named
    return checked_program(named, "" if path else variable, host, is_program=is_program)


def checked_program(named: str, variable: str, host: str, *, is_program: bool) -> str:
    """Return what is named, if it is a program; an empty string if nothing is named.

    Args:
        named: the path, or an empty string.
        variable: the environment variable that names it, if one does.
        host: the host's name.
        is_program: whether it is the absolute path of an executable file there.

    Raises:
        UtilityMissing: what is named is not a program.
    """
    if not named or (is_program and not has_control_character(named)):
        return named
    by = f"{variable} names it, in the environment that the utilities have there. " * bool(variable)
    raise UtilityMissing(
        f"{shown(named)} on {host} is not the absolute path of an executable file. {by}".rstrip(),
        f"Name a program on {host} that this user may execute.",
    )
