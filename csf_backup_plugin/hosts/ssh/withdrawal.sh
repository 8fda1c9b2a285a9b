# shellcheck shell=sh disable=SC2154,SC3013,SC2034,SC2015
# Renames files, unless they are being read; see `local.withdrawal`.

# withdraw_files OLD NEW UNLESS... prints for each file a status, a space, its errors, and a NUL.
withdraw_files() {
  while [ $# -gt 0 ]; do
    said=$(withdraw_file "$1" "$2" "$3" 2>&1)
    printf '%s %s\0' $? "$said"
    shift 3
  done
}

# After a cut, a file that has the new name and not the old one was withdrawn before the cut.
withdraw_file() {
  if [ -z "$csf_again" ] || is_there "$1" || [ ! -f "$2" ]; then
    withdrawal_lock "$1" || return
    said=$(stat -- "$3" 2>&1 >/dev/null) && return "$csf_kept"
    case $said in *": No such file or directory") ;; *) fail "$said" || return ;; esac
  fi
  move_files "$1" "$2" >/dev/null
}

# Locks the file $1 with descriptor 4.
withdrawal_lock() {
  is_there "$1" || return "$csf_gone"
  open_to_lock "$1" || return
  said=$(flock -n 4 2>&1)
  case $? in
  0) ;;
  1) return "$csf_being_read" ;;
  *) lock_is_unsupported "$said" || fail "$said" || return ;;
  esac
  lock_is_named 4 "$1" && return
  ! is_there "$1" || return "$csf_replaced_meanwhile"
  return "$csf_gone"
}
