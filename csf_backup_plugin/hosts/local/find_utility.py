"""Where ObjectStore's utilities are looked for."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import UtilityMissing
from csf_backup_plugin.names import shown

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
    if named := environ.get(variable):
        if found := shutil.which(named, path=environ.get("PATH", os.defpath)):
            return os.path.abspath(found)
        looked = [f"${variable} = {shown(named)} (not an executable file)"]
    else:
        root, path = environ.get("OS_ROOTDIR", ""), environ.get("PATH", os.defpath)
        places = [os.path.join(root, "bin")] if root else []
        for place in (*places, path):
            if found := shutil.which(utility, path=place):
                return os.path.abspath(found)
        at_root = f"$OS_ROOTDIR/bin = {shown(places[0])}" if places else "$OS_ROOTDIR is not set"
        looked = [f"${variable} is not set", at_root, f"$PATH = {shown(path)}"]
    raise UtilityMissing(
        f"{utility} was not found on {host}. Looked at: {'; '.join(looked)}.",
        f"Set OS_ROOTDIR to ObjectStore's directory, or {variable} to the program itself; "
        "under cron, in the crontab.",
    )
