# shellcheck shell=sh disable=SC2154,SC3013,SC2034,SC2015
# The shell on the host that runs all calls: it reads them, one after another, and answers them.
#
# A call is a line (its number, its kind, the length of its text in bytes) and its text, which ends with
# the mark: a text that was cut short has none, and no part of it is run. An answer is a line: the mark,
# the call's number, the length of the rest; then base64 of standard output, exit status and standard
# error, with NUL between them. Anything else in this stream is not part of an answer.
#
# Descriptor 3 takes the progress of a call, 5 has the calls, 6 takes the answers; 7 to 9 are locks.
# csf_mark is the mark, csf_run the run's name and the number of this login.

# Runs "$@", and answers call $csf_number with the result. Only calls that pass the locks on have them.
csf_answer() {
  answer=$(
    case $csf_kind in locked | watch) ;; *) exec 7>&- 8>&- 9>&- ;; esac
    (
      exec 4>&1 6>&-
      said=$(
        exec 2>&1 >&4 4>&-
        "$@"
      )
      printf '\0%s\0%s' $? "$said"
    ) | base64 -w 0 7>&- 8>&- 9>&-
  )
  printf '\n%s %s %s %s\n' "$csf_mark" "$csf_number" "${#answer}" "$answer" >&6 || exit
}

# Runs a text in a subshell, which can read the stream of calls only if it needs to.
csf_run_text() {
  exec </dev/null
  case $csf_kind in program | watch) ;; *) exec 5<&- ;; esac
  eval "$csf_text"
}

# Prints csf_said and returns csf_status: the result of a call that this shell has run itself.
csf_tell() {
  printf '%s' "$csf_said"
  return "$csf_status"
}

# Runs each of the texts "$@" until one fails; prints the status and output of each. On standard error,
# the errors of the last one follow the last mark. A text that frees a lock has all the locks.
in_turn() {
  for csf_step; do
    said=$(
      case $csf_step in "lock_free "*) ;; *) exec 7>&- 8>&- 9>&- ;; esac
      eval "$csf_step"
    )
    status=$?
    printf '%s\0%s\0' $status "$said"
    [ $status = 0 ] || return $status
    printf '\n%s\n' "$csf_mark" >&2
  done
}

# Runs each of the texts "$@", even if others fail. After the output of each, prints its exit status and
# its standard error, between two marks.
each() {
  for csf_step; do
    said=$(
      exec 2>&1 >&4 4>&-
      eval "$csf_step"
    )
    printf '\0%s\0%s\0%s\0%s\0' "$csf_mark" $? "$said" "$csf_mark"
  done
} 4>&1

csf_data() {
  printf %b "$csf_words"
}

# Prints the processes of this run's logins before number $1 that still run, except $2. All of a login's
# own processes have csf_run in their environment; those that outlive it on purpose do not.
csf_logged_in() {
  # shellcheck disable=SC2013
  for file in $(grep -lzxs "csf_run=${csf_run%.*}[.][0-9]*" /proc/[0-9]*/environ); do
    number=$(tr '\0' '\n' <"$file" | sed -n 's/^csf_run=.*[.]//p') 2>/dev/null
    process=${file#/proc/}
    process=${process%/environ}
    [ "${number:-$1}" -ge "$1" ] || [ "$process" = "$2" ] || echo "$process"
  done
}

# Ends them: they could still write, or hold the lock. A listener first ends its program, if there is
# time for that; a stopped process handles the signal only when it is continued, so CONT follows.
csf_evict() {
  tries=0
  while processes=$(csf_logged_in "$@") && [ -n "$processes" ]; do
    [ $((tries += 1)) -lt 50 ] || return 1
    signals='HUP CONT'
    [ $tries -le 10 ] || signals=KILL
    for process in $processes; do
      for signal in $signals; do kill "-$signal" "$process"; done
    done 2>/dev/null
    sleep 0.1
  done
}

# Prints what is required and missing on the host. The programs of busybox, for example, have the same
# names and fewer features.
csf_lacks() {
  for program in base64 cat chgrp chmod chown cksum cp cut date dd env find flock grep head id ln ls \
    mkdir mv realpath rm rmdir sed setsid sleep stat sync tail timeout tr truncate \
    uname wc xargs; do
    command -v $program >/dev/null || printf ' %s' $program
  done
  [ "$(printf abc | (head -c 1 >/dev/null && cat))" = bc ] || printf ' GNU-head'
  [ "$(find / -maxdepth 0 -printf x)" = x ] || printf ' GNU-find'
  [ -n "$(stat --printf %d /)" ] || printf ' GNU-stat'
  [ "$(dd if=/dev/null iflag=nofollow,count_bytes status=none && echo x)" = x ] || printf ' GNU-dd'
  [ -r /proc/self/environ ] || printf ' /proc'
  [ / -ef / ] || printf ' test-ef'
  letter=$(printf '\303\251')
  [ ${#letter} = 2 ] || printf ' byte-sh' # or reading a call may never end
}

# While the shell runs, idle or not, writes NUL every few seconds, unless the shell is stopped: so the
# driver knows that it still runs, and if the driver's machine disappears, TCP notices that. When nothing
# can be written any more, a shell that is still busy is ended, with all its processes.
csf_beat() {
  exec 3>&- 4>&- 5<&- 7>&- 8>&- 9>&- </dev/null >/dev/null 2>&1
  trap '' PIPE HUP
  while timeout 5 tail -s 0.5 -f --pid=$$ /dev/null 6>&-; [ $? = 124 ]; do
    read -r stat </proc/$$/stat
    case ${stat##*)} in ' T '*) continue ;; esac
    printf '\0' >&6 && continue
    csf_evict $((${csf_run##*.} + 1)) "$(exec sh -c 'echo $PPID')"
    exit
  done
}

csf_started_at() {
  sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20
}

# Reads the text of a call, of $1 bytes, in the form of `library.call`; fails if it is not complete. The
# shell reads byte by byte, so it reads only short texts itself, as most are.
csf_read_text() {
  if [ "$1" -gt 4000 ]; then
    csf_text=$(head -c "$1" <&5 && echo .)
    csf_text=${csf_text%.}
  else
    csf_text=
    while [ ${#csf_text} -lt "$1" ] && IFS= read -r line <&5; do csf_text="$csf_text$line
"; done
  fi
  case ${#csf_text}$csf_text in
  "$1"csf_again=*"
#$csf_mark
") ;;
  *) return 1 ;;
  esac
}

csf_serve() {
  csf_number=0 csf_kind=script csf_text=
  exec 3>&2 5<&0 6>&1 </dev/null >/dev/null
  csf_said=$(csf_lacks 2>/dev/null) csf_status=1
  [ -n "$csf_said" ] || {
    csf_said=evict
    if [ "${csf_run##*.}" = 1 ] || csf_evict "${csf_run##*.}" 0; then csf_said='' csf_status=0; fi
  }
  csf_answer csf_tell
  [ "$csf_status" = 0 ] || exit
  csf_born=$(csf_started_at $$)
  csf_beat &
  while read -r csf_number csf_kind length <&5; do
    [ -n "$csf_number$csf_kind" ] || continue # it was to end a program that has ended already
    case /$csf_number/$length/ in *[!0-9/]* | *//*) exit ;; esac # the rest of a lost call
    csf_read_text "$length" || exit
    if [ "$csf_kind" = here ]; then
      csf_said='' csf_status=0
      eval "$csf_text"
      csf_answer csf_tell
    else
      csf_answer csf_run_text
    fi
  done
}
