# shellcheck shell=sh
# Programs below the shell: they may be ended without it, and what they leave behind delays nobody.

# Copies what comes until the process that the first line names has gone, and what is there then; the
# other end may stay open. dd has written what it has read before it ends.
# shellcheck disable=SC2016
csf_pump='
  read -r flag
  while kill -0 "$flag"; do dd bs=65536 count=1; done 2>/dev/null
  dd bs=65536 count=16 iflag=nonblock 2>/dev/null
'
pump() {
  eval "$csf_pump"
}

# Copies $room bytes at most; where there are more, the program is killed that the first line names.
limited() {
  read -r program
  case $program in *[!0-9]*) printf '%s\n' "$program" ;; esac
  # shellcheck disable=SC2154
  head -c "$room"
  [ -z "$(head -c 1 | sed 's/.*/more/')" ] || kill -KILL "-$program" 2>/dev/null
  cat >/dev/null
}

# Runs the program "$@" in a process group of its own, and exits with its status. Anything on
# descriptor 5, or its end, ends the program. Its first line on standard error is its process. The
# line $end may stand behind what it prints on each stream, and behind that what it leaves behind.
supervise() {
  exec 3<&0 4>&1
  status=$(
    exec 8>&1
    {
      exec 9>&1
      {
        (
          exec 3<&- 4>&- 5<&- 7>&- 8>&- 9>&- >/dev/null
          exec sleep 1000000000
        ) &
        flag=$!
        echo $flag
        echo $flag >&9
        # shellcheck disable=SC2086,SC2154
        setsid env $csf_signals "$@" <&3 2>&9 3<&- 4>&- 5<&- 8>&- 9>&- &
        program=$!
        (
          exec 3<&- 4>&- 7>&- 8>&- 9>&- >/dev/null
          read -r _ <&5
          kill -TERM "-$program" || kill -TERM "$program"
          sleep 5
          kill -KILL "-$program"
        ) &
        listener=$!
        wait "$program"
        status=$?
        kill -KILL "$listener" "$flag"
        wait "$listener" "$flag"
        printf %s "$status" >&8
        trap '' PIPE
        # shellcheck disable=SC2154
        echo "$end"
        echo "$end" >&9
      } 2>/dev/null | pump >&4
    } | pump | limited >&2
  )
  exit "$status"
}
