# shellcheck shell=sh disable=SC2154,SC3013,SC2034,SC2015
# Programs below the shell: they may be ended without it, and what they leave behind delays nobody.
#
# A shell keeps what a redirection of a function or a group replaces, in descriptors that it cannot
# close, and its subshells do: so what goes on beside a program is redirected by exec.

# Copies standard input until the process that its first line names has ended, though others may keep
# the other end open; at most $csf_room bytes, or about: one that prints more is ended. What is whole
# is said to be.
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
  *"error reading"*"temporarily unavailable"*) ;; # there is no more
  *) return 1 ;;
  esac
}

# Whether anybody is in the process group $1, but for who waits to be buried; another user's process
# is, as sudo starts one.
csf_group_runs() {
  said=$(kill -0 "-$1" 2>&1) || case $said in *"No such process"*) return 1 ;; *) return 0 ;; esac
  cat /proc/[0-9]*/stat 2>/dev/null | sed -n 's/.*) \(.\) [0-9]* \([0-9]*\) .*/\1 \2/p' |
    grep -qx "[^Z] $1"
}

# Ends the process group $1: asks it first. A process that has only just begun may not have made its
# group yet.
csf_end_group() {
  until kill -0 "-$1" || ! kill -0 "$1"; do sleep 0.01; done
  kill -TERM "-$1"
  count=0
  while csf_group_runs "$1" && [ $((count += 1)) -le 50 ]; do sleep 0.1; done
  kill -KILL "-$1"
}

# Ends the group $1 as soon as the driver says anything, or is gone, or evicts this login.
csf_listen() {
  exec 3>&- 4>&- 6<&- 7>&- 8>&- 9>&- >/dev/null 2>&1
  trap 'kill -KILL "-$1"; exit' HUP
  read -r _ <&5
  trap '' TERM
  exec 5<&-
  csf_end_group "$1"
}

# Tells the driver each second, while process $1 is there, how far that is with what it reads.
csf_tick() {
  exec 4>&- 5<&- 6<&- 7>&- 8>&- 9>&- >/dev/null 2>&1
  while [ -d "/proc/$1" ]; do
    sleep 1 3>&- || exit # who evicts us has ended that; he has the listener do its work
    at=$(sed -n 's/^pos:[^0-9]*//p' "/proc/$1/fdinfo/0")
    printf '\n%s %s %s\n' "$csf_mark" "$csf_number" "${at:-0}" >&3 || exit
  done
}

# Begins a program: its first line on each stream is its process.
# shellcheck disable=SC2016
csf_begin='echo $$; echo $$ >&2; '

# Runs the script $1, which becomes a program, in a process group of its own, with 6 as its input; its
# errors go to 7, its status to 8. At last each stream gets the mark, in one piece: a shell writes each
# line by itself, and whoever reads may look between two of them.
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
  csf_tick $child &
  ticker=$!
  wait $child
  status=$?
  kill -KILL $ticker
  kill -TERM $listener
  wait $listener $ticker
  printf '%s\n' "$csf_mark" >&7
  printf '%s\n' "$csf_mark"
  printf %s $status >&8
}

# Runs a program, as `csf_supervise` does; prints at last how it ended. If that is not known, somebody has
# killed a shell of ours, and nobody has ended the listener, which would take the next call's words: the
# driver leaves this login for a status as of a killed one.
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

# The same with the user's locale and no input. $1 is the script, $2 how many bytes it may print on a
# stream.
csf_users_program() {
  exec 6</dev/null
  script=$csf_restore$1 csf_room=$2
  shift 2
  csf_program "$script" "$@"
}

program() {
  csf_users_program 'exec "$@"' "$@"
}

# Both streams are one.
merged_program() {
  csf_users_program 'exec "$@" 2>&1' "$@"
}

# Prints the SHA-256 of the file $1, and its bytes. openssl takes a quarter of the time that sha256sum
# of some systems does.
digest() {
  exec 6<"$1" || exit
  csf_room=65536 sum=sha256sum
  command -v openssl >/dev/null && sum='openssl dgst -sha256 -r'
  csf_program "exec 2>&1; $sum && exec stat -L -c %s -- \"\$1\"" "$1"
}
