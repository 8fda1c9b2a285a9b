"""Programs on the host: found there, and run to their end."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import UtilityMissing
from csf_backup_plugin.hosts.protocol import Completed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from csf_backup_plugin.hosts.ssh.connection import Connection

# Looks for $1, which the variable $2 may name. Found or not, the places follow.
_FIND = """
found() {
  path=$(command -v -- "$1") && [ -f "$path" ] && [ -x "$path" ] && printf '%s\\0' "$path"
}
named=$(printenv -- "$2")
if [ -n "$named" ]; then found "$named" && exit
elif [ -n "$OS_ROOTDIR" ] && found "$OS_ROOTDIR/bin/$1"; then exit
else found "$1" && exit; fi
printf '\\0%s\\0%s\\0%s\\0' "$named" "$OS_ROOTDIR" "$PATH"
"""
_TIMED_OUT = 124  # what timeout(1) of coreutils ends with
_RUN = 'timeout -k 5 "$@" </dev/null 2>&1'


def find(connection: Connection, utility: str, variable: str) -> str:
    """Return the path of a utility; see `Host.find`."""
    fields = connection.ask(_FIND, utility, variable).output.split(b"\0")
    if fields[0]:
        return os.fsdecode(fields[0])
    named, root, path = map(os.fsdecode, fields[1:4])
    if named:
        looked = [f"${variable} = {named} (not an executable file)"]
    else:
        at_root = f"$OS_ROOTDIR/bin = {root}/bin" if root else "$OS_ROOTDIR is not set"
        looked = [f"${variable} is not set", at_root, f"$PATH = {path}"]
    raise UtilityMissing(
        f"{utility} was not found on {connection.host}. Looked at: {'; '.join(looked)}.",
        f"Set OS_ROOTDIR to ObjectStore's directory, or {variable} to the program itself, where "
        f"a command that ssh runs there sees it: ssh {connection.host} env",
    )


def run(connection: Connection, argv: Sequence[str], timeout: float) -> Completed:
    """Run a program to its end; see `Host.run`."""
    answer = connection.ask(_RUN, f"{timeout:.3f}", *argv)
    if answer.status == _TIMED_OUT:
        raise TimeoutError
    return Completed(as_wait_status(answer.status), answer.output)


def as_wait_status(status: int) -> int:
    """Return what a shell calls an exit status as `Completed` has it: -N for signal N."""
    return 128 - status if status > 128 else status


def run_each(
    connection: Connection, argv: Sequence[str], operands: Iterable[str], timeout: float
) -> Iterator[Completed]:
    """Run a program once for each operand; see `Host.run_each`."""
    program = shlex.join(argv)
    script = (
        "said=$(mktemp) && trap 'rm -f \"$said\"' EXIT || exit 1\n"
        f'while IFS= read -r operand; do timeout -k 5 {timeout:.3f} {program} "$operand" '
        '</dev/null >"$said" 2>&1; printf "%s %s\\n" $? "$(stat -c %s "$said")"; cat "$said"; done'
    )
    lines = b"".join(os.fsencode(operand) + b"\n" for operand in operands)
    rest = connection.ask(script, data=lines).output
    while rest:
        head, _, rest = rest.partition(b"\n")
        status, size = map(int, head.split())
        if status == _TIMED_OUT:
            raise TimeoutError
        yield Completed(as_wait_status(status), rest[:size])
        rest = rest[size:]
