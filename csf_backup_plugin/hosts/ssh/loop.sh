# shellcheck shell=sh
# The shell that does everything on the host: it reads calls, one after another, and answers each.
#
# Descriptor 5 has the calls, 6 takes the answers, 7 to 9 are locks. A call is a line (its mark, its
# kind, the bytes of its text and of its data), the text, and the data, with the mark behind them.
# The text is in braces: one that is cut short is a syntax error, and nothing of it runs.
#
# An answer is the mark, standard output, the mark, standard error and the exit status, and the mark,
# each mark on a line of its own. Standard output goes straight to the driver.

# The driver closes descriptor 5, and so does the end of the connection. An idle shell says something
# now and then: should the driver's machine vanish, TCP finds out, and the connection ends.
csf_beat() {
  (
    exec 5<&- 6>&-
    while sleep 10 2>/dev/null && kill -0 $$ 2>/dev/null; do echo >&2 || exit; done
  ) >/dev/null &
  echo $!
}

# Ends what still runs of this run's earlier logins, each of whose processes has csf_run in its
# environment: they could write, or hold the lock, behind our back.
csf_evict() {
  # shellcheck disable=SC2154
  [ "$csf_run" = "${csf_run%.*}.1" ] && return
  # shellcheck disable=SC2013
  for file in $(grep -lzxs "csf_run=${csf_run%.*}[.][0-9]*" /proc/[0-9]*/environ); do
    grep -qzxs "csf_run=$csf_run" "$file" && continue
    pid=${file#/proc/}
    kill -KILL "${pid%/environ}" 2>/dev/null
  done
}

# The data of a call; if it is cut short, whoever reads it is killed before its end is seen.
csf_feed() {
  head -c "$size" <&5
  read -r end <&5
  [ "$end" = "$mark" ] || kill -KILL 0
}

csf_run_text() {
  [ "$kind" = program ] || exec 5<&-
  eval "$text"
}

# Runs a call in a subshell; prints what it says on standard error, and its status. A program has 5,
# by which it may be told to end, and 7 for what it tells the driver meanwhile.
csf_apart() {
  case $kind in
  locked) ;;
  program) exec 7>&2 8>&- 9>&- ;;
  *) exec 7>&- 8>&- 9>&- ;;
  esac
  exec 2>&1 >&6 6>&-
  if [ "$size" -gt 0 ]; then
    csf_feed | {
      (csf_run_text)
      status=$?
      cat >/dev/null
      exit $status
    }
  else
    (csf_run_text) </dev/null
  fi
  printf '\n%s' $? >&2
}

# Prints what the host lacks and nothing can be done without. busybox has programs of these names
# that do less.
csf_lacks() {
  for program in cat chgrp chmod chown cksum cp cut date dd env find flock grep head id ln ls mkdir mv \
    od readlink realpath rm rmdir sed setsid sleep stat sync tail tr truncate uname wc xargs; do
    command -v $program >/dev/null || printf ' %s' $program
  done
  for program in find head stat; do
    case $(readlink -f "$(command -v $program)") in
    */busybox) printf ' GNU-%s' $program ;;
    esac
  done
}

csf_leave() {
  for descriptor in 7 8 9; do lock_wait_no_longer $descriptor; done
  kill -KILL "$beat"
}

umask u=rwx
exec 5<&0 6>&1 </dev/null >/dev/null
lacks=$(csf_lacks)
[ -z "$lacks" ] || {
  echo "csf lacks$lacks" >&2
  exit 1
}
csf_evict
beat=$(csf_beat)
trap csf_leave EXIT
while read -r mark kind length size <&5; do
  [ -n "$size" ] || continue
  text=$(head -c "$length" <&5)
  printf '\n%s\n' "$mark" >&6 || exit
  if [ "$kind" = here ]; then
    eval "$text" >&6 2>&1
    answer="
$?"
  else
    answer=$(csf_apart)
  fi
  printf '\n%s\n%s\n%s\n' "$mark" "$answer" "$mark" >&6 || exit
done
