"""The guardian: a shell that stands between csf and osbackup or osrestore, on every host.

It notes in the run record how the utility ended, waits until the process that started the utility
is gone, and then unlocks the repository. Processes that the utility leaves behind have inherited
the lock, too; unlocking takes it from them as well, since flock(2) locks an open file, which all of
them share.

The guardian takes its own shared lock on each file that is held for reading, for as long as the
utility runs; the process that started the utility has another one. If such a file has been
withdrawn, the utility is not run.

The record is a directory. It is the utility's working directory, too, since the utility may leave
files of its own there. Our files are these; their space on the disk is reserved before the utility
starts:

* `alive`, empty. The guardian locks it until it has noted the end, and has called ``PROGRAM end``
  if that is due (see `hosts.quiescing`). A process that can lock it knows that the guardian will do
  neither any more;
* `started`, the time;
* `note`: what the starting process says of the run, such as which backup it is. It is on the disk
  before the utility begins, and missing if there is nothing to say;
* `pid`: the utility's process group, the boot it belongs to, and the guardian's process;
* `output`: what the utility has printed; the zeros after that are the reserved space that is left;
* `status`: "running", and at the end the exit status, 128 and more for a signal; "unrun" if the
  utility could not be executed; "unheld" if a file that it was to read has been withdrawn, which
  `output` names; "unquiet" if it was not executed because ``PROGRAM begin`` failed. If it stays
  "running", the guardian was killed;
* `quiesce`, `begin`, `end`, if a program makes the repository quiet: how each call ended, and what
  it printed;
* `stop`, which exists if nothing more is to begin.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts import quiescing
from csf_backup_plugin.hosts.common import as_wait_status
from csf_backup_plugin.hosts.protocol.values import UNKNOWN, UNQUIET

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from csf_backup_plugin.hosts.protocol.programs import Quiesce

#: What `status` says before there is an exit status, and if there never is one.
RUNNING, UNRUN, UNHELD, NOT_QUIET = "running", "unrun", "unheld", "unquiet"
#: What `pid` says before the utility begins.
STARTING = "starting"
#: The width of `pid` and `status`, so that overwriting them needs no more space.
PID_WIDTH, STATUS_WIDTH = 63, 7
#: Bytes of output whose space on the disk is reserved.
ROOM = 1 << 16

# This script becomes the utility. $0 is the record, $1 the guardian, then follows the command. The
# trap is for a command that cannot be executed; without execfail, bash would exit before it.
_UTILITY = f"""
shopt -s execfail 2>/dev/null
trap 'printf "%-{STATUS_WIDTH}s\\n" {UNRUN} 1<>"$0/status"' EXIT
cd -- "$0" || exit
printf "%-{PID_WIDTH}s\\n" "$$ $(cat /proc/sys/kernel/random/boot_id) $1" 1<>pid || exit
[ ! -e {quiescing.STOP} ] || exit
shift
{{prepare}}
exec "$@"
exit
"""
#: $0 is the record, $1 the utility's script, $2 the script of the program that makes quiet, $3 the
#: process that the lock is held for, $4 its start; then follow the words of `quiescing`, how many
#: files are held for reading, these files, and the command. Standard input is the lock, standard
#: output leads to the process that keeps the output; the descriptors 3 to 7 are the files that are
#: read. Without flock(1) the utility does not get the lock, since nothing could take it from the
#: processes that the utility leaves behind.
GUARDIAN = f"""
exec 9<&0 2>/dev/null
record=$0 utility=$1 become=$2 owner=$3 start=$4; shift 4
program=$1 limit=$2 master=$3 debt=$4 owed=$5 ask=$6 server=$7; shift 7
held=3 end=$((3 + $1)) is_owed=; shift
lives() {{
  [ -n "$owner" ] && kill -0 "$owner" || return
  read -r stat < "/proc/$owner/stat" || return 0
  set -- ${{stat##*) }}
  [ "$1" != Z ] && [ "${{20}}" = "$start" ]
}}
holds() {{
  eval "command exec $held"'<"$1"' || return
  flock -s $held
  [ ! -L "$1" ] && [ "/proc/self/fd/$held" -ef "$1" ]
}}
{quiescing.FUNCTIONS}
report() {{
  [ ! -e "$record/$1" ] || flock -s -w 0.3 "$record/$1" true
  printf '%s %s\n' "$1" "$2" >>"$record/{quiescing.REPORT}"
}}
quiet() {{
  [ -n "$program" ] || return 0
  owe || {{ report owed 1; return 1; }}
  is_owed=1
  code=$(call begin "$record/begin")
  report begin "$code"
  [ "$code" = 0 ]
}}
command -v flock >/dev/null || exec 9<&-
command exec 8<>"$record/alive" && flock 8
trap : HUP INT TERM
while [ $held -lt $end ] && holds "$1"; do held=$((held + 1)); shift; done
if [ $held -lt $end ]; then
  printf '%s\n' "$1"
  status={UNHELD}
elif ! quiet; then
  status={NOT_QUIET}
else
  ( exec setsid sh -c "$utility" "$record" $$ "$@" ) </dev/null 2>&1 8<&-
  status=$?
fi
exec >/dev/null
while [ $held -gt 3 ]; do held=$((held - 1)); flock -u $held; done
read -r said < "$record/status"
[ "$said" != {RUNNING} ] || printf "%-{STATUS_WIDTH}s\n" $status 1<>"$record/status"
sync -- "$record/output" "$record/status" "$record/" 8<&- &
[ -z "$is_owed" ] || {{ pay "$record/end"; report end "$code"; }}
exec 8<&-
wait
while lives; do sleep 0.5; done
flock -u 0
"""


def status(word: str, program: str, said: Callable[[], bytes]) -> int:
    """Return how a utility ended, as `Completed` has it.

    Args:
        word: what `status` says.
        program: the utility.
        said: returns what was printed.

    Raises:
        OSError: it could not be executed; the message is that of the shell that tried.
        FileNotFoundError: it was not executed, since a file that it was to read has been withdrawn.
    """
    if word == UNHELD:
        path = os.fsdecode(said().removesuffix(b"\n"))
        raise FileNotFoundError(errno.ENOENT, "Removed meanwhile", path)
    if word == NOT_QUIET:
        return UNQUIET
    if word == UNRUN:
        reason = os.fsdecode(said()).strip().rpartition(": ")[2]
        raise OSError(errno.ENOEXEC, reason, program)
    return as_wait_status(int(word)) if word.isdecimal() else UNKNOWN


def utility(prepare: str = "") -> str:
    """Return the script that becomes the utility.

    Args:
        prepare: what the shell does just before it becomes the utility.
    """
    return _UTILITY.format(prepare=prepare)


def command(
    record: str,
    owner: Sequence[str],
    argv: Sequence[str],
    readings: Sequence[str] = (),
    quiesce: Quiesce | None = None,
) -> list[str]:
    """Return the command that runs a utility under a guardian.

    Args:
        record: the directory about the run.
        owner: number and start of the process that the lock is held for; the guardian unlocks when
            that process is gone.
        argv: the utility's command.
        readings: the files that are held for reading.
        quiesce: what makes the repository quiet meanwhile, if anything.
    """
    scripts = [utility(), quiescing.become(PID_WIDTH)]
    return ["sh", "-c", GUARDIAN, record, *scripts, *owner, *work(readings, argv, quiesce)]


def work(readings: Sequence[str], argv: Sequence[str], quiesce: Quiesce | None) -> list[str]:
    """Return the guardian's last arguments, in the order in which it reads them."""
    return [*quiescing.words(quiesce), str(len(readings)), *readings, *argv]
