"""The guardian: a shell that stands between csf and osbackup or osrestore, on every host.

It notes in the run record how the utility ended, waits until whoever started it is gone, and then
unlocks the repository. What the utility leaves behind has inherited the lock too, and holds it no
longer: flock(2) locks an open file, whoever shares it.

A file that is held for reading it locks itself, for the utility alone: whoever started that has a
shared lock of its own. If such a file has been withdrawn, the utility is not run.

The record is a directory, and the utility's working directory, since it may leave files of its own
there. Ours are these, whose room on the disk is taken before the utility starts:

* `alive`, empty, locked by the guardian until it has noted the end: so whoever may lock it knows
  that nobody will note it any more;
* `started`, the time;
* `note`: what whoever started the utility has to say of the run, such as whose backup it is; on the
  disk before the utility begins, and not there if there is nothing to say;
* `pid`: the utility's process group, the boot it belongs to, and the guardian's process;
* `output`: what it has printed; zeros behind that are the room that is left;
* `status`: "running", and in the end its exit status, 128 and more for a signal; "unrun" if it
  could not be executed; "unheld" if a file that it was to read has been withdrawn, which `output`
  names. "running" for good means that the guardian was killed.
"""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.common import as_wait_status
from csf_backup_plugin.hosts.protocol import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

#: What `status` says before there is an exit status, and if there never is one.
RUNNING, UNRUN, UNHELD = "running", "unrun", "unheld"
#: What `pid` says before the utility begins.
STARTING = "starting"
#: How wide `pid` and `status` are: what is written over them takes no more room.
PID_WIDTH, STATUS_WIDTH = 63, 7
#: Bytes of output that have their room on the disk.
ROOM = 1 << 16

# Becomes the utility. $0 the record, $1 the guardian, then the command. The trap is for a command
# that cannot be executed; bash has to be told not to end before it.
_UTILITY = f"""
shopt -s execfail 2>/dev/null
trap 'printf "%-{STATUS_WIDTH}s\\n" {UNRUN} 1<>"$0/status"' EXIT
cd -- "$0" || exit
printf "%-{PID_WIDTH}s\\n" "$$ $(cat /proc/sys/kernel/random/boot_id) $1" 1<>pid || exit
shift
{{prepare}}
exec "$@"
exit
"""
#: $0 the record, $1 the utility's script, $2 the process that the lock is held for, $3 its start,
#: $4 how many files are held for reading, then those, then the command. Standard input is the lock,
#: standard output what keeps the output; 3 to 7 are what is read. Without flock(1) the utility does
#: not get the lock, which nothing could take from what it leaves behind.
GUARDIAN = f"""
exec 9<&0 2>/dev/null
record=$0 utility=$1 owner=$2 start=$3 held=3 end=$((3 + $4)); shift 4
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
command -v flock >/dev/null || exec 9<&-
command exec 8<>"$record/alive" && flock 8
trap : HUP INT TERM
while [ $held -lt $end ] && holds "$1"; do held=$((held + 1)); shift; done
if [ $held -lt $end ]; then
  printf '%s\\n' "$1"
  status={UNHELD}
else
  ( exec setsid sh -c "$utility" "$record" $$ "$@" ) </dev/null 2>&1 8<&-
  status=$?
fi
exec >/dev/null
while [ $held -gt 3 ]; do held=$((held - 1)); flock -u $held; done
read -r said < "$record/status"
[ "$said" != {RUNNING} ] || printf "%-{STATUS_WIDTH}s\\n" $status 1<>"$record/status"
exec 8<&-
sync -- "$record/output" "$record/status" "$record/"
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
        OSError: it could not be executed; why not, in the words of the shell that tried.
        FileNotFoundError: it was not, since a file that it was to read has been withdrawn.
    """
    if word == UNHELD:
        path = os.fsdecode(said().removesuffix(b"\n"))
        raise FileNotFoundError(errno.ENOENT, "Removed meanwhile", path)
    if word == UNRUN:
        reason = os.fsdecode(said()).strip().rpartition(": ")[2]
        raise OSError(errno.ENOEXEC, reason, program)
    return as_wait_status(int(word)) if word.isdecimal() else UNKNOWN


def utility(prepare: str = "") -> str:
    """Return the script that becomes the utility.

    Args:
        prepare: what its shell does just before.
    """
    return _UTILITY.format(prepare=prepare)


def command(
    record: str, owner: Sequence[str], argv: Sequence[str], readings: Sequence[str] = ()
) -> list[str]:
    """Return the command that runs a utility under a guardian.

    Args:
        record: the directory about the run.
        owner: number and start of the process that the lock is held for; the guardian unlocks
            when that is gone.
        argv: the utility's command.
        readings: the files that are held for reading.
    """
    return ["sh", "-c", GUARDIAN, record, utility(), *owner, *work(readings, argv)]


def work(readings: Sequence[str], argv: Sequence[str]) -> list[str]:
    """Return the guardian's last arguments: what is held for reading, and the utility's command."""
    return [str(len(readings)), *readings, *argv]
