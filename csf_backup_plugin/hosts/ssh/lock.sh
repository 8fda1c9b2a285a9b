# shellcheck shell=sh
# Locks that this shell holds. $1 is the descriptor, 7 to 9; $2 the lock file. Of each descriptor
# csf_lock_N is the file it is open on, csf_made_N whether we made that, csf_signed_N the file if its
# text tells that we hold it, csf_waiter_N who waits for the lock while this shell does other things.

# The file may have been removed under its lock, or another one have its name.
lock_is_named() {
  [ "$(stat -L -c %d:%i "/proc/self/fd/$1")" = "$(stat -c %d:%i -- "$2" 2>/dev/null)" ]
}

lock_is_unsupported() {
  case $1 in
  *"No locks available"* | *"not supported"* | *"not implemented"*) printf 'unsupported %s\n' "$1" ;;
  *) return 1 ;;
  esac
}

# Opens the file, which is made if $3 is not empty. A failed exec would end the shell.
lock_open() {
  if [ ! -e "$2" ] && [ ! -L "$2" ]; then
    if (
      umask 0
      set -C
      : >"$2"
    ); then eval "csf_made_$1=1"; else [ -e "$2" ] || return 1; fi
  fi
  [ ! -L "$2" ] || {
    echo "Too many levels of symbolic links"
    return 1
  }
  [ ! -e "$2" ] || [ -f "$2" ] || return 81
  if (: 3<>"$2") 2>/dev/null; then
    eval "command exec $1<>\"\$2\"" || return 1
  else
    eval "command exec $1<\"\$2\"" || return 1
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

lock_wait_no_longer() {
  eval "waiter=\${csf_waiter_$1-}; csf_waiter_$1="
  [ -z "$waiter" ] || kill -KILL "$waiter" 2>/dev/null
}

# Takes the lock. $3 what for, $4 the driver, $5 whether the file may be made, $6 seconds to wait now,
# $7 whether to go on waiting afterwards. Says how it stands, a word a line.
lock_take() {
  while :; do
    eval "opened=\${csf_lock_$1-}"
    if [ -z "$opened" ] && [ -z "$5" ] && [ ! -e "$2" ] && [ ! -L "$2" ]; then
      [ -d "${2%/*}/" ] || {
        ls -- "${2%/*}/"
        return 1
      }
      echo none
      return
    fi
    [ -n "$opened" ] || lock_open "$1" "$2" || return
    if [ "$6" = 0 ]; then said=$(flock -n "$1" 2>&1); else said=$(flock -w "$6" "$1" 2>&1); fi
    case $? in
    0) ;;
    1)
      eval "csf_made_$1="
      [ -z "$7" ] || eval "csf_waiter_$1=\$(flock $1 >/dev/null 2>&1 5<&- 6>&- & echo \$!)"
      printf 'busy %s\n' "$(held_by "$2")"
      return
      ;;
    *)
      lock_is_unsupported "$said" || {
        eval "[ -z \"\$csf_made_$1\" ]" || rm -f -- "$2"
        lock_close "$1"
        printf '%s\n' "$said"
        return 1
      }
      ;;
    esac
    ! lock_is_named "$1" "$2" || break
    lock_close "$1"
  done
  lock_sign "$@"
  echo held
}

# Gives the lock up. $3 is leave if another process that has it is to keep it, or discard if the file
# is to go, if we made it and nobody has it.
lock_end() {
  lock_wait_no_longer "$1"
  eval "made=\${csf_made_$1-} signed=\${csf_signed_$1-}"
  if [ "$3" != leave ]; then
    [ -z "$signed" ] || ! lock_is_named "$1" "$2" || : >"$2"
    flock -u "$1"
  fi
  lock_close "$1"
  [ "$3" != discard ] || [ -z "$made" ] || (
    exec 3<"$2" && { flock -w 2 3 || [ $? != 1 ]; } && rm -f -- "$2"
  )
}

csf_born=$(sed 's/.*) //' "/proc/$$/stat" | cut -d ' ' -f 20)
