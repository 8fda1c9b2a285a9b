"""What makes a repository quiet: a program that a guardian runs before and after a utility.

``PROGRAM begin MASTER`` stops the application servers, for example, and ``PROGRAM end MASTER``
starts them again. Before `begin` is called, a file is written beside the master database that says
that `end` is owed. It is removed after a successful call of `end`. So if the machine or the
guardian dies, the next run calls `end`. A failed `end` is called once more at once.

timeout(1) runs the program, and holds the repository's lock meanwhile. The program itself inherits
neither the lock nor anything else of ours, since what it starts may run for ever.
"""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.common import KEEP

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.programs import Quiesce

#: The name of the file in the run record that says how each call has ended, one line for each, such
#: as ``begin 0``; ``owed 1`` says that the file beside the master database could not be written.
REPORT = "quiesce"
#: The name of a file in the run record; while it is there, nothing more is to begin.
STOP = "stop"
#: Seconds between SIGTERM and SIGKILL for a program that has exceeded its limit.
GRACE = 10
#: What ossvrstat prints for a Server that nobody uses.
NO_CLIENTS = "no active clients"
#: How many times `end` is called at most until it succeeds.
TRIES = 2

#: Runs the program, below timeout(1). The arguments: `begin` or `end`, the program, the master
#: database, ossvrstat if it is to be called after `begin`, and the Server that it asks.
_CALL = """
exec 9<&-
[ "$1" = begin ] && [ -n "$4" ] || exec "$2" "$1" "$3"
"$2" "$1" "$3" || exit
said=$("$4" -clients "$5" 2>&1)
status=$?
printf 'Behind it, %s -clients %s said:\\n%s\\n' "$4" "$5" "$said"
[ $status = 0 ] || exit 1
case $said in *"{no_clients}"*) ;; *) exit 1 ;; esac
""".replace("{no_clients}", NO_CLIENTS)

#: This script becomes timeout(1). $0 is the record, $1 the guardian, $2 `begin` or `end`, then
#: follows the command. While `begin` runs, its process group is the one that is ended if the
#: command is to stop.
_BECOME = """
if [ "$2" = begin ]; then
  printf "%-{width}s\\n" "$$ $(cat /proc/sys/kernel/random/boot_id) $1" 1<>"$0/pid" || exit
  [ ! -e "$0/{stop}" ] || exit 1
fi
shift 2
cd /
{prepare}
exec "$@"
"""

#: Functions for any POSIX shell. They use the variables that the guardian sets from `words`, and
#: `record` and `become`.
FUNCTIONS = f"""
call() (
  exec 3<&- 4<&- 5<&- 6<&- 8<&-
  {{ [ -n "$2" ] && rm -f -- "$2" && command exec 7>"$2" && flock 7; }} || exec 7>/dev/null
  {{
    {{
      (exec setsid sh -c "$become" "$record" $$ "$1" timeout -k {GRACE} "$limit" \
        sh -c {shlex.quote(_CALL)} sh "$1" "$program" "$master" "$ask" "$server") \
        </dev/null 2>&1 4>&- 7>&-
      echo $? >&4
    }} | (exec 5<&0 9<&-; setsid sh -c {shlex.quote(KEEP)} <&5 5<&- >&7 4>&- &)
  }} 4>&1
)
owe() {{
  new=${{debt%/*}}/.csf-$(printf %016x $$).tmp
  (set -C; printf %s "$owed" >"$new") && sync -- "$new" && mv -f -- "$new" "$debt" && {{
    sync -- "${{debt%/*}}/"
    :
  }} || {{ rm -f -- "$new"; return 1; }}
}}
pay() {{
  for _ in $(seq {TRIES}); do
    code=$(call end "$1")
    [ "$code" != 0 ] || break
  done
  [ "$code" != 0 ] || {{ rm -f -- "$debt" && sync -- "${{debt%/*}}/"; }}
}}
"""

#: Calls the `end` that is owed, if our user has written the file that says so, and the file still
#: says what we have read. $0 is that file; then follow the program, its time limit, the master
#: database, and what the file says. Prints the exit status of `end`, or nothing.
SETTLE = f"""
exec 2>/dev/null
debt=$0 program=$1 limit=$2 master=$3 owed=$4 ask= server= record=
become={{become}}
{FUNCTIONS}
[ ! -L "$debt" ] && command exec 3<"$debt" && [ -O /proc/self/fd/3 ] || exit 0
[ "$(cat <&3; echo .)" = "$owed." ] || exit 0
pay ''
echo "$code"
"""


def become(width: int, prepare: str = "") -> str:
    """Return the script that becomes the program, below timeout(1).

    Args:
        width: of the file `pid` in the run record.
        prepare: what the shell does just before it becomes timeout(1).
    """
    return _BECOME.format(width=width, stop=STOP, prepare=prepare)


def words(quiesce: Quiesce | None) -> list[str]:
    """Return the guardian's arguments about it, in the order in which `GUARDIAN` reads them."""
    if quiesce is None:
        return [""] * 7
    return [
        quiesce.program,
        f"{quiesce.limit:g}",
        quiesce.master,
        quiesce.debt,
        quiesce.owed,
        quiesce.ask,
        quiesce.server,
    ]


def longest(limit: float) -> float:
    """Return how long all calls after a utility may take together, in seconds.

    Args:
        limit: how long each call may take, in seconds.
    """
    return TRIES * (limit + 2 * GRACE)


def settling(quiesce: Quiesce, width: int) -> list[str]:
    """Return the command that calls an `end` that is owed; see `SETTLE`."""
    script = SETTLE.replace("{become}", shlex.quote(become(width)))
    program, limit, master, debt, owed, *_ = words(quiesce)
    return ["sh", "-c", script, debt, program, limit, master, owed]
