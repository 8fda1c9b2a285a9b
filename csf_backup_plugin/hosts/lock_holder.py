"""Who holds a repository's lock now: csf, or a utility whose csf was killed.

The lock file's text has up to four lines: who took the lock, in words; that process, its start and
its boot; then, if a utility was started under the lock, the record of the utility's run, and its
command.
"""

from __future__ import annotations

from typing import NamedTuple

from csf_backup_plugin.names import shown

#: A function for any POSIX shell that prints in a line who holds the lock file $1: a word, a
#: process group, this machine, and the rest. A process that cannot be seen may be another user's.
#: Anybody may have written the file: a text that is no number, or the number that kill(1) takes for
#: all processes, is no process.
HELD_BY = r"""
exists() {
  case ${1#-} in ''|*[!0-9]*|0*|1) return 1;; esac
  said=$(kill -0 "$1" 2>&1) && return
  case $said in *"No such process"*) return 1;; esac
}
works() (
  exists "$1" || exit
  read -r stat < "/proc/$1/stat" || exit 0
  set -- "$2" ${stat##*) }
  [ "$2" != Z ] && [ "${21}" = "$1" ]
)
held_by() {
  LC_ALL=C head -c 16384 -- "$1" | {
    read -r text; read -r process start boot; read -r record; read -r command
    told=unknown group=-
    case $text in 'csf '*) ;; *) process= text=;; esac
    if [ -z "$process" ]; then :
    elif [ "$boot" != "$(cat /proc/sys/kernel/random/boot_id)" ]; then told=elsewhere
    elif works "$process" "$start"; then told=csf
    elif [ -n "$record" ] && read -r group _ < "$record/pid" && exists "-$group"; then
      told=utility
      case $text in *', by process '*) told=away;; esac
      text=$command
    fi
    printf '%s %s %s %s\n' "$told" "${group:--}" "$(uname -n)" "$text"
  } 2>/dev/null
}
"""
_AGAIN = "Run the command again when that has ended, or let it wait longer."


class Holder(NamedTuple):
    """Who holds a lock.

    Attributes:
        name: in words.
        next_step: what to do about it.
    """

    name: str
    next_step: str = _AGAIN


def holder(said: str, path: str) -> Holder:
    """Return who holds a lock.

    Args:
        said: the line that `HELD_BY` has printed.
        path: the lock file.
    """
    told, group, machine, text = [*said.split(" ", 3), "", "", "", ""][:4]
    text = shown(text)
    if told == "csf":
        return Holder(text)
    if told == "utility":
        return Holder(
            f"{text} (process {group} on {machine}), whose csf has ended",
            f"Wait until it has ended, or end it, on {machine}: kill -- -{group}\nThen run the "
            "command again.",
        )
    if told == "away":
        return Holder(
            f"{text} (process {group} on {machine}), whose csf runs on another machine, if it has "
            "not ended",
            f"Wait until it has ended. If it does not end, end it, on {machine}: kill -- "
            f"-{group}\nThen run the command again.",
        )
    if told == "elsewhere":
        return Holder(f"{text}; whether that still runs cannot be known from {machine}")
    last = f"; {text} had it last, and has ended" if text else ""
    return Holder(
        f"a process that cannot be named{last}",
        f"See which process keeps it open, on its host: fuser -v {shown(path)}\n{_AGAIN}",
    )
