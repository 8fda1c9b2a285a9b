# shellcheck shell=sh disable=SC2154,SC3013,SC2034,SC2015
# Locks that this shell holds. $1 is the descriptor, 7 to 9; $2 the lock file. For each descriptor N,
# csf_lock_N is the file that is open, csf_made_N is set if we made the file, and csf_signed_N is the
# file if its text says so. Results go to csf_said.

# Fails if the file was removed while it was locked, or if another file has its name.
lock_is_named() {
  [ "/proc/self/fd/$1" -ef "$2" ] && [ ! -L "$2" ]
}

lock_is_unsupported() {
  case $1 in
  *"No locks available"* | *"not supported"* | *"not implemented"*) ;;
  *) return 1 ;;
  esac
}

# Makes the file if there is none, and opens it. A failed exec without "command" would end the shell.
lock_open() {
  if [ ! -e "$2" ] && [ ! -L "$2" ]; then
    if csf_said=$(
      umask 0
      set -C
      : 2>&1 >"$2"
    ); then eval "csf_made_$1=1"; else [ -e "$2" ] || return 1; fi
  fi
  csf_said="Too many levels of symbolic links"
  [ ! -L "$2" ] || return 1
  [ ! -e "$2" ] || [ -f "$2" ] || return "$csf_not_a_file"
  if (: 4<>"$2") 2>/dev/null; then
    eval "command exec $1<>\"\$2\"" || return 1
  elif csf_said=$( (: <"$2") 2>&1); then
    eval "command exec $1<\"\$2\"" || return 1
  else
    return 1
  fi
  eval "csf_lock_$1=\$2"
}

lock_close() {
  eval "exec $1<&-; csf_lock_$1= csf_made_$1= csf_signed_$1="
}

# Writes into the file who holds the lock: $3 is the purpose, $4 the driver.
lock_sign() {
  case $(head -c 4 -- "$2") in
  '' | 'csf ') ;;
  *) return ;;
  esac
  signature=$(
    printf 'csf %s (process %s, by process %s on %s, since %s)\n%s %s %s\n.' "$3" "$4" \
      $$ "$(uname -n)" "$(date '+%Y-%m-%d %H:%M:%S%:z')" \
      $$ "$csf_born" "$(cat /proc/sys/kernel/random/boot_id)"
  )
  (printf %s "${signature%.}" >"$2") 2>/dev/null && eval "csf_signed_$1=\$2"
}

# Succeeds if the file $1 is there, and no part of its path is a link, or if none is named.
lock_is_beside() {
  [ -z "$1" ] || { [ -f "$1" ] && [ "$(realpath -- "$1")" = "$1" ]; }
}

# Takes the lock. $3 is the purpose, $4 the driver, $5 is not empty if the file may be made, $6 is how
# many seconds to wait. $7 is a file that must be there under its real path, or empty. Reports the
# result, one word a line.
lock_take() {
  csf_said=none
  lock_is_beside "$7" || return 0
  while :; do
    eval "opened=\${csf_lock_$1-}"
    if [ -z "$opened" ] && [ -z "$5" ] && [ ! -e "$2" ] && [ ! -L "$2" ]; then
      csf_said=none
      [ -d "${2%/*}/" ] || csf_said=$(ls -- "${2%/*}/" 2>&1) || csf_status=1
      return
    fi
    [ -n "$opened" ] || lock_open "$1" "$2" || {
      csf_status=$?
      return
    }
    words=
    if [ "$6" = 0 ]; then said=$(flock -n "$1" 2>&1); else said=$(flock -w "$6" "$1" 2>&1); fi
    status=$?
    if [ $status = 1 ]; then
      eval "csf_made_$1="
      csf_said="busy $(held_by "$2")"
      return
    elif [ $status != 0 ] && lock_is_unsupported "$said"; then
      words="unsupported $said
"
    elif [ $status != 0 ]; then
      eval "[ -z \"\$csf_made_$1\" ]" || rm -f -- "$2"
      lock_close "$1"
      csf_said=$said csf_status=1
      return
    fi
    ! lock_is_named "$1" "$2" || break
    lock_close "$1"
  done
  lock_sign "$@"
  csf_said=${words}held
}

# Opens the file $2 and takes a shared lock on it; $3 is flock's option for the wait.
lock_read() {
  if [ -L "$2" ]; then
    csf_status=$csf_link
  elif [ -e "$2" ] && [ ! -f "$2" ]; then
    csf_status=$csf_not_a_file
  elif ! csf_said=$( (: <"$2") 2>&1) || ! eval "command exec $1<\"\$2\""; then
    csf_status=1
  else
    said=$(flock -s "$3" "$1" 2>&1)
    case $? in
    0) ;;
    1) csf_status=$csf_busy ;;
    *) lock_is_unsupported "$said" || csf_said=$said csf_status=1 ;;
    esac
    [ "$csf_status" != 0 ] || lock_is_named "$1" "$2" || csf_status=$csf_gone
    [ "$csf_status" = 0 ] || lock_close "$1"
  fi
}

# Frees the lock of descriptor $1 for all processes that share it, and empties the file $2 if we have
# signed it; works also in a subshell of the shell that holds the lock.
lock_free() {
  eval "signed=\${csf_signed_$1-}"
  [ -z "$signed" ] || ! lock_is_named "$1" "$2" || : >"$2"
  flock -u "$1" || : # after a cut, there is nothing to free
} 2>/dev/null

# Gives the lock up. $3 is "leave" if another process that shares it must keep it, or "discard" if the
# file is to be removed, provided that we made it and that it is not locked.
lock_end() {
  eval "made=\${csf_made_$1-}"
  [ "$3" = leave ] || lock_free "$1" "$2"
  lock_close "$1"
  [ "$3" != discard ] || [ -z "$made" ] || (
    exec 4<"$2" && { flock -w 2 4 || [ $? != 1 ]; } && rm -f -- "$2"
  )
} 2>/dev/null
