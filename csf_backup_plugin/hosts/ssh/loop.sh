# shellcheck shell=sh disable=SC2154,SC3013,SC2034,SC2015
# The shell on the host that does everything there: it reads calls, one after another, and answers.
#
# A call is a line (its number, its kind, the bytes of its text) and its text, whose last word is the
# mark: a text that was cut short has none, and nothing of it runs. An answer is a line: the mark, the
# call's number, the length of what follows; base64 of standard output, exit status and standard
# error, with NUL between them. What else comes on the line is no answer.
#
# Descriptor 3 tells the driver how far a call is, 5 has the calls, 6 takes the answers; 7 to 9 are
# locks. csf_mark is the mark, csf_run the run's name and the number of this login.

# Does "$@", and answers call $csf_number with what it says. Only what hands locks on has them.
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

# Runs a text in a subshell, with calls to listen to only if it needs them.
csf_run_text() {
  exec </dev/null
  case $csf_kind in program | watch) ;; *) exec 5<&- ;; esac
  eval "$csf_text"
}

# Says what has been said, and ends as told: of what this shell has done itself.
csf_tell() {
  printf '%s' "$csf_said"
  return "$csf_status"
}

# Does each of the texts "$@", until one fails; tells of each how that went. Behind the last mark on
# standard error stands what was said of that one. A text that is to free a lock has them all.
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

# Does each of the texts "$@", whatever becomes of the others. Behind what one of them prints stand its
# exit status and what it said on standard error, between two marks.
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
  printf '%s' "$csf_base64" | base64 -d
}

# Prints those processes of this run's logins before number $1 that are still there, but for $2. All that
# a login does itself has csf_run in its environment; what outlives it on purpose has not.
csf_logged_in() {
  # shellcheck disable=SC2013
  for file in $(grep -lzxs "csf_run=${csf_run%.*}[.][0-9]*" /proc/[0-9]*/environ); do
    number=$(tr '\0' '\n' <"$file" | sed -n 's/^csf_run=.*[.]//p') 2>/dev/null
    process=${file#/proc/}
    process=${process%/environ}
    [ "${number:-$1}" -ge "$1" ] || [ "$process" = "$2" ] || echo "$process"
  done
}

# Ends them: they could write, or hold the lock, behind our back. A listener ends its program first,
# if it has the time for it; who is stopped does nothing before he goes on.
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

# Prints what the host lacks and nothing can be done without. busybox, for one, has programs of these
# names that do less.
csf_lacks() {
  for program in base64 cat chgrp chmod chown cksum cp cut date dd env find flock grep head id ln ls \
    mkdir mv od printenv readlink realpath rm rmdir sed setsid sleep stat sync tail timeout tr truncate \
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
  [ ${#letter} = 2 ] || printf ' byte-sh' # or reading a call might never end
}

# While the shell lives, idle or not, it says NUL now and then, unless somebody has stopped it: so the
# driver knows that it is there, and should the driver's machine vanish, TCP finds out. When nobody can
# hear that any more, a shell that is still busy with something is ended, with all that it does.
csf_beat() {
  exec 3>&- 4>&- 5<&- 7>&- 8>&- 9>&- </dev/null >/dev/null 2>&1
  trap '' PIPE HUP
  while timeout 5 tail -s 0.5 -f --pid=$$ /dev/null 6>&-; [ $? = 124 ]; do
    ! grep -q ') T ' /proc/$$/stat || continue
    printf '\0' >&6 && continue
    csf_evict $((${csf_run##*.} + 1)) "$(exec sh -c 'echo $PPID')"
    exit
  done
}

csf_started_at() {
  sed 's/.*) //' "/proc/$1/stat" | cut -d ' ' -f 20
}

# Reads the text of a call, of $1 bytes, as `library.call` has it; fails if it is not whole. A short one, as most are, is read by the
# shell itself, which reads byte by byte.
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
    [ -n "$csf_number$csf_kind" ] || continue # what was to end a program that has ended by itself
    case /$csf_number/$length/ in *[!0-9/]* | *//*) exit ;; esac # the rest of a call that is lost
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
