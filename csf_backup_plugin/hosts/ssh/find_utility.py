"""Where ObjectStore's utilities are looked for on the host: where the local host would look."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import UtilityMissing
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.ssh.connection import Connection

# Looks for $1, which the variable $2 may name. Found or not, the places follow.
_FIND = """
found() {
  path=$(command -v -- "$1") && [ -f "$path" ] && [ -x "$path" ] || return
  case $path in /*) ;; *) path=$PWD/$path;; esac
  printf '%s\\0' "$path"
}
named=$(printenv -- "$2")
if [ -n "$named" ]; then found "$named" && exit
elif [ -n "$OS_ROOTDIR" ] && found "$OS_ROOTDIR/bin/$1"; then exit
else found "$1" && exit; fi
printf '\\0%s\\0%s\\0%s\\0' "$named" "$OS_ROOTDIR" "$PATH"
"""


def find(connection: Connection, utility: str, variable: str) -> str:
    """Return the path of a utility; see `Host.find`."""
    fields = connection.ask(_FIND, utility, variable).output.split(b"\0")
    if fields[0]:
        return os.fsdecode(fields[0])
    named, root, path = map(os.fsdecode, fields[1:4])
    if named:
        looked = [f"${variable} = {shown(named)} (not an executable file)"]
    else:
        at_root = f"$OS_ROOTDIR/bin = {shown(root)}/bin" if root else "$OS_ROOTDIR is not set"
        looked = [f"${variable} is not set", at_root, f"$PATH = {shown(path)}"]
    raise UtilityMissing(
        f"{utility} was not found on {connection.host}. Looked at: {'; '.join(looked)}.",
        f"Set OS_ROOTDIR to ObjectStore's directory, or {variable} to the program itself, where "
        f"a command that ssh runs there sees it: ssh {connection.host} env",
    )
