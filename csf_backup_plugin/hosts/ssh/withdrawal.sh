# shellcheck shell=sh disable=SC2154,SC3013,SC2034,SC2015
# Files that get other names, unless somebody reads them; see `local.withdrawal`.

# withdraw_files OLD NEW UNLESS... prints of each a status, a blank, what was said, and a NUL.
withdraw_files() {
  while [ $# -gt 0 ]; do
    said=$(withdraw_file "$1" "$2" "$3" 2>&1)
    printf '%s %s\0' $? "$said"
    shift 3
  done
}

# After a cut, a file that has gone from its old name and stands at the new one was withdrawn then.
withdraw_file() {
  if [ -z "$csf_again" ] || [ -e "$1" ] || [ -L "$1" ] || [ ! -f "$2" ]; then
    withdrawal_lock "$1" || return
    said=$(stat -- "$3" 2>&1 >/dev/null) && return "$csf_kept"
    case $said in *": No such file or directory") ;; *)
      printf '%s\n' "$said" >&2
      return 1
      ;;
    esac
  fi
  move_files "${1%/*}/" "${2%/*}/" // "$1" "$2" >/dev/null
}

# Has the file $1 locked by descriptor 4. It is opened for writing, if we may: NFS locks no other one
# exclusively. That is done by the open file, since nothing is to be made where it has just gone.
withdrawal_lock() {
  [ ! -L "$1" ] || return "$csf_link"
  [ -e "$1" ] || return "$csf_gone"
  [ -f "$1" ] || return "$csf_not_a_file"
  exec 4<"$1" || return 1
  ! (: 4<>/proc/self/fd/4) 2>/dev/null || exec 4<>/proc/self/fd/4
  said=$(flock -n 4 2>&1)
  case $? in
  0) ;;
  1) return "$csf_being_read" ;;
  *) lock_is_unsupported "$said" || {
    printf '%s\n' "$said" >&2
    return 1
  } ;;
  esac
  lock_is_named 4 "$1" && return
  if [ -e "$1" ] || [ -L "$1" ]; then return "$csf_replaced_meanwhile"; fi
  return "$csf_gone"
}
