# shellcheck shell=sh disable=SC2154,SC3013,SC2034,SC2015
# osbackup or osrestore at work, detached from this shell, below a guardian; see `hosts.guardian`.
#
# Beside the guardian's files the record has `token`, which tells whose run it is: during a long cut
# osrestore may end, and another restore may begin with a record of the same name. What keeps the
# output has that file locked until it has all.

# Waits until the utility of the record $1 has begun, or will not.
job_begun() {
  count=0 word=
  while read -r word boot _ <"$1/pid"; [ "${word:-$csf_starting}" = "$csf_starting" ]; do
    ! job_has_status "$1" || return 0 # it is not to begin
    [ $((count += 1)) -lt 500 ] && sleep 0.02 || return "$csf_not_begun"
  done 2>/dev/null
}

job_is_ours() {
  read -r token <"$1/token" && [ "$token" = "$2" ]
} 2>/dev/null

# Makes the record $1 of the run $2, with room for all that will stand in it, and a note on the disk if
# there is data.
job_make_record() {
  mkdir -- "$1" || return
  {
    # A shell that writes itself does not say why it cannot.
    printf '%s\n' "$2" | cat >"$1/token" && : >"$1/alive" &&
      date -u +%Y-%m-%dT%H:%M:%S+00:00 >"$1/started" &&
      printf "%-${csf_pid_width}s\n" "$csf_starting" | cat >"$1/pid" &&
      printf "%-${csf_status_width}s\n" "$csf_running" | cat >"$1/status" &&
      head -c "$csf_room_of_output" /dev/zero >"$1/output" &&
      { [ -z "${csf_base64-}" ] || job_make_note "$1"; }
  } || {
    (cd -- "$1" && rm -f -- token alive started pid status output note)
    rmdir -- "$1"
    return 1
  }
}

job_make_note() {
  csf_data >"$1/note" && sync -- "$1/note" && sync_directory "$1/" && sync_directory "${1%/*}/"
}

# $1 the record, $2 its token, $3 the lock's descriptor, if there is one, then the guardian's last
# arguments: seven about what makes quiet, how many files are held for reading, those, the command. A
# record can be made once: so can the start be.
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

# After a cut: whether that has started the run with the record $1 and the token $2. The shell that was
# to do it is gone.
job_resume() {
  job_is_ours "$@" || return "$csf_not_started"
  job_begun "$1" && return
  ! job_is_abandoned "$1" || return "$csf_not_started"
  return "$csf_not_begun"
}

# Whether there is no guardian, and nobody to keep the output: then nobody will begin the run.
job_is_abandoned() {
  flock -n -s "$1/alive" true && flock -n -s "$1/token" true
} 2>/dev/null

# Follows the run until it ends, or the driver says anything. $1 the record, $2 its token, $3 the file
# that grows, $4 how many bytes of the output are told, $5 the lock's descriptor, if that is to be
# taken from who has inherited it. Tells the size, how the run ended, whether nothing of it is left then,
# and the output. Who holds `alive` is the guardian; without it, nobody knows how the utility ended.
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
    0) # the guardian has gone, or has not come yet
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

# Waits a second for the lock, if that is to be had, or else for the guardian's end; a trap ends that.
job_pause() {
  if [ -n "$lock" ]; then
    flock -w 1 "$lock" >/dev/null 2>&1 3>&- 5<&- &
  else
    flock -s -w 1 -E 75 4 >/dev/null 2>&1 3>&- 5<&- &
  fi
  wait $!
}

# Sets status to what the record $1 says of the end; fails while it says nothing.
job_has_status() {
  status=
  read -r status <"$1/status"
  [ "$status" != "$csf_running" ] || status=
  [ -n "$status" ]
} 2>/dev/null

# Ends whatever still runs of the run with the record $1 and the token $2: asked first, then made to. $3
# tells whether it was started for certain: without a record, nobody knows of it then. $4 is there if
# something else may begin once what runs has ended: it is not to.
job_stop() {
  [ -n "$3" ] || [ -e "$1" ] || return 0
  [ -f "$1/pid" ] || return "$csf_left"
  job_is_ours "$1" "$2" || return "$csf_anothers_run"
  [ -z "$4" ] || (: >"$1/stop") 2>/dev/null
  job_begun "$1" || job_is_abandoned "$1" || return "$csf_left"
  read -r group boot _ <"$1/pid"
  if [ "$boot" != "$(cat /proc/sys/kernel/random/boot_id)" ]; then
    job_is_over "$1" # after another start nothing runs; but this may be another machine
    return
  fi
  # Long after the end, others may have its number.
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

# Whether the guardian has noted the end, or is gone: who cannot see its processes, as from another
# machine or container, is not to think that nothing runs.
job_is_over() {
  [ ! -s "$1/quiesce" ] || ! job_has_status "$1" || return 0 # it still calls `end`
  flock -s -w 5 "$1/alive" true 2>/dev/null || job_has_status "$1" || return "$csf_left"
}

# Waits a second at most until the utility of the record $1 is to begin now, since what makes quiet has
# begun with success, or never will.
job_is_quiet() {
  count=0
  until [ -s "$1/quiesce" ] || job_has_status "$1" || job_is_abandoned "$1"; do
    [ $((count += 1)) -le 20 ] && sleep 0.05 || return "$csf_not_begun"
  done
}

# Waits a second at most until the guardian of the record $1 and the token $2 has nothing more to call,
# or is gone.
job_is_parted() {
  job_is_ours "$@" && [ -e "$1/alive" ] || return 0
  job_has_status "$1" || job_is_abandoned "$1" || { sleep 0.1; return "$csf_left"; }
  grep -q '^owed \|^end ' "$1/quiesce" || flock -s -w 1 "$1/alive" true || return "$csf_left"
}
