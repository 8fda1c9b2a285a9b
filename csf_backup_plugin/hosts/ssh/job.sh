# shellcheck shell=sh disable=SC2154,SC3013,SC2034,SC2015
# Runs osbackup or osrestore detached from this shell, below a guardian; see `hosts.guardian`.
#
# In addition to the guardian's files, the record contains `token`, which identifies the run: during a
# long cut, osrestore may end, and another restore may begin with a record of the same name. The process
# that keeps the output holds a lock on `token` until it has all of it.

# Waits until the utility of the record $1 has begun, or will not begin.
job_begun() {
  count=0 word=
  while read -r word boot _ <"$1/pid"; [ "${word:-$csf_starting}" = "$csf_starting" ]; do
    ! job_has_status "$1" || return 0 # it will not begin
    [ $((count += 1)) -lt 1000 ] && sleep 0.01 || return "$csf_not_begun"
  done 2>/dev/null
}

job_is_ours() {
  read -r token <"$1/token" && [ "$token" = "$2" ]
} 2>/dev/null

# Makes the record $1 of the run $2, and allocates space for all its contents. If there is data, writes
# it as a note and syncs that.
job_make_record() {
  mkdir -- "$1" || return
  {
    # The shell's own write would not print why it fails; cat does.
    printf '%s\n' "$2" | cat >"$1/token" && : >"$1/alive" &&
      date -u +%Y-%m-%dT%H:%M:%S+00:00 >"$1/started" &&
      printf "%-${csf_pid_width}s\n" "$csf_starting" | cat >"$1/pid" &&
      printf "%-${csf_status_width}s\n" "$csf_running" | cat >"$1/status" &&
      head -c "$csf_room_of_output" /dev/zero >"$1/output" &&
      { [ -z "${csf_words-}" ] || job_make_note "$1"; }
  } || {
    (cd -- "$1" && rm -f -- token alive started pid status output note)
    rmdir -- "$1"
    return 1
  }
}

job_make_note() {
  csf_data | cat >"$1/note" && sync -- "$1/note" && sync_directory "$1/" && sync_directory "${1%/*}/"
}

# Starts a run. $1 is the record, $2 its token, $3 the lock's descriptor or empty; then come the
# guardian's last arguments: seven about quiescing, the number of files that are held for reading, these
# files, and the command. A record can be made only once, and so the run can be started only once.
job_start() {
  job_make_record "$1" "$2" || return 1
  record=$1 owner='' born='' signed=''
  if [ -n "$3" ]; then
    owner=$$ born=$csf_born
    eval "signed=\${csf_signed_$3-}; exec 4<&$3"
  else exec 4</dev/null; fi
  shift 3
  [ -z "$signed" ] || (shift $((8 + $8)) && printf '%s\n%s\n' "$record" "$*" >>"$signed")
  (
    exec 3>&- 7<&- 8<&- 9<&- >/dev/null 2>&1
    exec 9<>"$record/token"
    flock -n 9
    # shellcheck disable=SC2086
    setsid env $csf_signals -u csf_run sh -c "$csf_guardian" "$record" "$csf_utility" \
      "$csf_become" "$owner" "$born" "$@" <&4 4<&- 9<&- |
      setsid env -u csf_run sh -c "$csf_keep" 4<&- 1<>"$record/output" &
  )
  job_begun "$record"
}

# After a cut: succeeds if the run with the record $1 and the token $2 was started. The shell that was to
# start it has ended.
job_resume() {
  job_is_ours "$@" || return "$csf_not_started"
  job_begun "$1" && return
  ! job_is_abandoned "$1" || return "$csf_not_started"
  return "$csf_not_begun"
}

# Succeeds if neither the guardian nor the process that keeps the output runs: the run cannot begin then.
job_is_abandoned() {
  flock -n -s "$1/alive" true && flock -n -s "$1/token" true
} 2>/dev/null

# Follows the run until it ends, or until the driver sends anything. $1 is the record, $2 its token, $3
# the file that grows, $4 how many bytes of the output to print, $5 the lock's descriptor if the lock is
# to be taken once the process that inherited it frees it, or empty. Prints the file's size, how the run
# ended, whether all of it has ended then, and the output. The guardian holds `alive`; if that is free
# and there is no status, how the utility ended is not known.
job_watch() {
  record=$1 watched=$3 lock=$5
  [ -f "$record/status" ] || cat -- "$record/status" || return 1
  status=
  exec 4<"$record/alive"
  itself=$(exec sh -c 'echo $PPID') told=
  trap told=1 USR1
  (
    exec 3>&- 4>&- 7<&- 8<&- 9<&- >/dev/null 2>&1
    read -r _ <&5
    kill -USR1 "$itself"
  ) &
  listener=$!
  while :; do
    size=$(stat -L -c %s -- "$watched" 2>/dev/null) || size=0
    job_is_ours "$record" "$2" || break
    job_has_status "$record" && break
    printf '\n%s %s %s\n' "$csf_mark" "$csf_number" "$size" >&3 || break
    job_pause
    how=$?
    [ -z "$told" ] || break
    if [ -n "$lock" ]; then
      case $how in 0) lock='' ;; 1) ;; *) sleep 1 ;; esac
      flock -s -n -E 75 4
      how=$?
    fi
    case $how in
    75) ;;
    0) # the guardian has ended, or has not started yet
      flock -u 4
      read -r word _ <"$record/pid"
      if [ "${word:-$csf_starting}" = "$csf_starting" ] && ! job_is_abandoned "$record"; then
        sleep 1
      elif ! job_has_status "$record"; then
        status=unknown
        break
      fi
      ;;
    *) sleep 1 ;;
    esac
  done
  [ -n "$told" ] || kill -KILL $listener 2>/dev/null
  wait $listener 2>/dev/null
  job_is_ours "$record" "$2" || return "$csf_anothers_run"
  size=$(stat -L -c %s -- "$watched" 2>/dev/null) || size=0
  how=$status gone=
  [ -z "$how" ] || ! job_stop "$record" "$2" sure || gone=gone
  printf '%s\n%s\n%s\n' "$size" "$how" "$gone"
  [ -z "$how" ] || flock -s -w 0.5 "$record/token" true 2>/dev/null
  tr -d '\000' <"$record/output" | tail -c "$4"
}

# Waits a second for the lock, if it is to be taken, or else for the guardian's end; a trap ends the
# wait.
job_pause() {
  if [ -n "$lock" ]; then
    flock -w 1 "$lock" >/dev/null 2>&1 3>&- 5<&- &
  else
    flock -s -w 1 -E 75 4 >/dev/null 2>&1 3>&- 5<&- &
  fi
  wait $!
}

# Sets status to the status in the record $1; fails while there is none.
job_has_status() {
  status=
  read -r status <"$1/status"
  [ "$status" != "$csf_running" ] || status=
  [ -n "$status" ]
} 2>/dev/null

# Ends all that still runs of the run with the record $1 and the token $2: first with SIGTERM, then with
# SIGKILL. $3 is not empty if the run was certainly started: then a missing record means that its state
# is not known. $4 is not empty if the guardian may begin something else afterwards: it must not.
job_stop() {
  [ -n "$3" ] || [ -e "$1" ] || return 0
  [ -f "$1/pid" ] || return "$csf_left"
  job_is_ours "$1" "$2" || return "$csf_anothers_run"
  [ -z "$4" ] || (: >"$1/stop") 2>/dev/null
  job_begun "$1" || job_is_abandoned "$1" || return "$csf_left"
  read -r group boot _ <"$1/pid"
  if [ "$boot" != "$(cat /proc/sys/kernel/random/boot_id)" ]; then
    job_is_over "$1" # after a reboot nothing runs; but this may be another machine
    return
  fi
  # Long after the end, another process group may have its number.
  ! job_has_status "$1" || [ -z "$(find "$1/status" -mmin +1)" ] || return 0
  job_has_status "$1" || kill -TERM "-$group" 2>/dev/null
  count=0
  while csf_group_runs "$group"; do
    [ $((count += 1)) -le 100 ] || return "$csf_left"
    if job_has_status "$1" || [ $count -gt 50 ]; then kill -KILL "-$group" 2>/dev/null; fi
    sleep 0.1
  done
  job_is_over "$1"
}

# Succeeds if the guardian has noted the end, or has ended: from another machine or container its
# processes are not visible, which must not count as their end.
job_is_over() {
  [ ! -s "$1/quiesce" ] || ! job_has_status "$1" || return 0 # it still calls `end`
  flock -s -w 5 "$1/alive" true 2>/dev/null || job_has_status "$1" || return "$csf_left"
}

# Waits a second at most until the utility of the record $1 can begin, since quiescing has succeeded, or
# until it is certain that it will not begin.
job_is_quiet() {
  count=0
  until [ -s "$1/quiesce" ] || job_has_status "$1" || job_is_abandoned "$1"; do
    [ $((count += 1)) -le 20 ] && sleep 0.05 || return "$csf_not_begun"
  done
}

# Waits a second at most until the guardian of the record $1 and the token $2 has made its last call, or
# has ended.
job_is_parted() {
  job_is_ours "$@" && [ -e "$1/alive" ] || return 0
  job_has_status "$1" || job_is_abandoned "$1" || { sleep 0.1; return "$csf_left"; }
  grep -q '^owed \|^end ' "$1/quiesce" || flock -s -w 1 "$1/alive" true || return "$csf_left"
}
