# shellcheck shell=sh disable=SC2154,SC3013,SC2034,SC2015
# Runs programs below the shell: they can be ended without it, and processes that they leave behind do
# not delay us.
#
# When a function or a group is redirected, a shell and its subshells keep the replaced descriptors, and
# cannot close them. So what runs beside a program is redirected by exec.

# Copies standard input until the process whose number is its first line has ended, even if other
# processes keep the stream open. Copies about $csf_room bytes at most: a program that prints more is
# killed. A complete copy ends with "whole".
csf_pump() {
  exec 4>&1 2>/dev/null
  csf_copy && printf '\n%s whole' "$csf_mark"
}

csf_copy() {
  read -r process || return
  total=0
  while [ -d "/proc/$process" ]; do
    copied=$(dd bs=65536 count=1 2>&1 >&4) || return
    # shellcheck disable=SC2086 # words: "0+1 records in 0+1 records out N bytes"
    set -- $copied
    [ "${7:-0}" -gt 0 ] || return 0
    total=$((total + $7))
    [ "$total" -le "$csf_room" ] || kill -KILL "-$process"
  done
  copied=$(dd bs=65536 count=32 iflag=nonblock 2>&1 >&4) || case $copied in
  *"error reading"*"temporarily unavailable"*) ;; # there is nothing left
  *) return 1 ;;
  esac
}

# Succeeds if the process group $1 has a process that is not a zombie, or one of another user, as with
# sudo.
csf_group_runs() {
  said=$(kill -0 "-$1" 2>&1) || case $said in *"No such process"*) return 1 ;; *) return 0 ;; esac
  cat /proc/[0-9]*/stat 2>/dev/null | sed -n 's/.*) \(.\) [0-9]* \([0-9]*\) .*/\1 \2/p' |
    grep -qx "[^Z] $1"
}

# Ends the process group $1: first with SIGTERM, then with SIGKILL. A process that has only just started
# may not have made its group yet.
csf_end_group() {
  until kill -0 "-$1" || ! kill -0 "$1"; do sleep 0.01; done
  kill -TERM "-$1"
  count=0
  while csf_group_runs "$1" && [ $((count += 1)) -le 50 ]; do sleep 0.1; done
  kill -KILL "-$1"
}

# Ends the group $1 as soon as the driver sends anything, or disconnects, or evicts this login, or the
# ticker says that its time is over.
csf_listen() {
  exec 3>&- 4>&- 6<&- 7>&- 8>&- 9>&- >/dev/null 2>&1
  trap 'kill -KILL "-$1"; exit' HUP
  trap 'trap "" TERM; csf_end_group "$1"; exit' USR1
  read -r _ <&5
  trap '' TERM
  exec 5<&-
  csf_end_group "$1"
}

# While process $1 runs, reports to the driver each second how many bytes of its input it has read, if
# it reads any. After csf_limit seconds, if that is set, tells the listener $2 to end it, and returns 3.
csf_tick() {
  exec 4>&- 5<&- 6<&- 7>&- 8>&- 9>&- >/dev/null 2>&1
  left=${csf_limit:-}
  while [ -d "/proc/$1" ]; do
    sleep 1 3>&- || exit # evicted: the listener goes on
    at=$(sed -n 's/^pos:[^0-9]*//p' "/proc/$1/fdinfo/0")
    printf '\n%s %s %s\n' "$csf_mark" "$csf_number" "${at#0}" >&3 || exit
    [ -n "$left" ] && [ $((left -= 1)) = 0 ] && kill -USR1 "$2" && exit 3
  done
}

# The start of a program's script: the first line on each stream is the process number.
# shellcheck disable=SC2016
csf_begin='echo $$; echo $$ >&2; '

# Runs the script $1, which becomes a program, in a process group of its own. Its input is 6, its errors
# go to 7, its status to 8; that is "late" if its time was over. At the end, each stream gets the mark in
# one piece: a shell writes each line separately, and the reader may see one without the next.
csf_supervise() {
  exec 2>/dev/null
  script=$csf_begin$1
  shift
  # shellcheck disable=SC2086
  setsid env $csf_signals -u csf_run sh -c "$script" sh "$@" \
    <&6 2>&7 3>&- 4>&- 5<&- 6<&- 7>&- 8>&- 9>&- &
  child=$!
  trap '' PIPE
  csf_listen $child &
  listener=$!
  csf_tick $child $listener &
  ticker=$!
  wait $child
  status=$?
  kill -KILL $ticker
  kill -TERM $listener
  wait $listener
  wait $ticker
  [ $? != 3 ] || status=late
  printf '%s\n' "$csf_mark" >&7
  printf '%s\n' "$csf_mark"
  printf %s $status >&8
}

# Runs a program, as `csf_supervise` does; at the end prints its status. If that is not known, a shell of
# ours was killed, and the listener may still run and read the next call: so the status is that of a
# killed process, after which the driver leaves this login.
csf_program() {
  exec 9>&2 4>&1
  status=$(
    exec 8>&1
    (
      exec 7>&1
      csf_supervise "$@" | csf_pump >&4
    ) | csf_pump >&9
  )
  printf '\n%s %s\n' "$csf_mark" "$status"
  [ -n "$status" ] || return 255
}

# Runs a program with the user's locale and empty input. $1 is the script, $2 how many bytes it may print
# on a stream.
csf_users_program() {
  exec 6</dev/null
  script=$csf_restore$1 csf_room=$2
  shift 2
  csf_program "$script" "$@"
}

program() {
  csf_users_program 'exec "$@"' "$@"
}

# Merges both streams into one.
merged_program() {
  csf_users_program 'exec "$@" 2>&1' "$@"
}

# Prints the SHA-256 and the size of the file $1. openssl takes a quarter of the time of some systems'
# sha256sum.
digest() {
  exec 6<"$1" || exit
  csf_room=65536 sum=sha256sum
  command -v openssl >/dev/null && sum='openssl dgst -sha256 -r'
  csf_program "exec 2>&1; $sum && exec stat -L -c %s -- \"\$1\"" "$1"
}

# Runs the texts "$@", which are calls of programs, all at the same time; prints what `each` prints. One
# process alone can read what the driver sends. So the listeners of the programs read that process's output
# instead, and all see its end.
at_once() {
  csf_one_listener | (
    exec 5<&0 </dev/null
    read -r process <&5 || exit
    csf_beside "$@"
    kill -KILL "$process"
    read -r _ <&5 # until it is dead, it may take a byte of the next call
  )
}

# Leaves a process that prints its number, and ends as soon as the driver sends anything, or disconnects.
# No shell waits for it: if the one that is to end it is killed, the call ends anyway.
csf_one_listener() {
  exec 2>/dev/null 3>&- 4>&- 6>&- 7>&- 8>&- 9>&-
  sh -c 'echo $$; read -r _' <&5 5<&- &
}

# Runs each text but the first below the reading end of the pipe of the one before: a shell has no other
# way to keep several outputs apart without files. What a text prints waits in its pipe until those after
# it have ended.
csf_beside() {
  csf_first=$1
  shift
  if [ $# = 0 ]; then each "$csf_first"; else
    each "$csf_first" | {
      rest=$(
        exec </dev/null
        csf_beside "$@" | base64 -w 0
      )
      cat
      printf %s "$rest" | base64 -d
    }
  fi
}
