# shellcheck shell=sh disable=SC2154,SC3013,SC2034,SC2015
# Locks that this shell holds. $1 is the descriptor, 7 to 9; $2 the lock file. Of each descriptor
# csf_lock_N is the file it is open on, csf_made_N whether we made that, csf_signed_N the file if its
# text tells that we hold it. What is to be told goes to csf_said.

# The file may have been removed under its lock, or another one have its name.
lock_is_named() {
  [ "/proc/self/fd/$1" -ef "$2" ] && [ ! -L "$2" ]
}

lock_is_unsupported() {
  case $1 in
  *"No locks available"* | *"not supported"* | *"not implemented"*) ;;
  *) return 1 ;;
  esac
}

# Makes the file, if there is none, and opens it. A failed exec would end the shell.
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

# Says in the file who has the lock: $3 in words, $4 the driver.
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

# Takes the lock. $3 what for, $4 the driver, $5 whether the file may be made, $6 seconds to wait.
# Tells how it stands, a word a line.
lock_take() {
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

# Has the file $2 open under a shared lock, if it stands there; $3 is how flock waits for that.
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

# Takes the lock from all who have it by descriptor $1, and from the file $2 what it says of us; also in a
# subshell of the shell that holds it.
lock_free() {
  eval "signed=\${csf_signed_$1-}"
  [ -z "$signed" ] || ! lock_is_named "$1" "$2" || : >"$2"
  flock -u "$1" || : # after a cut, there is nothing to be freed
} 2>/dev/null

# Gives the lock up. $3 is leave if another process that has it is to keep it, or discard if the file
# is to go, if we made it and nobody has it.
lock_end() {
  eval "made=\${csf_made_$1-}"
  [ "$3" = leave ] || lock_free "$1" "$2"
  lock_close "$1"
  [ "$3" != discard ] || [ -z "$made" ] || (
    exec 4<"$2" && { flock -w 2 4 || [ $? != 1 ]; } && rm -f -- "$2"
  )
} 2>/dev/null
