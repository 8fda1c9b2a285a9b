# shellcheck shell=sh disable=SC2154,SC3013,SC2034,SC2015
# Writes whole files: each operation happens completely or leaves nothing behind.
#
# Data goes to a temporary file first, whose name belongs to this operation alone. The temporary files of
# `publish` stay until the answer has arrived: if it is called again after a cut, they show whether it
# has happened, and whether this operation has done it. $1 is the file, $2 the temporary file, $3 the
# size of the data in bytes, $4 a file whose users get access to the new one, or empty.

# Prints an error, and fails.
fail() {
  printf '%s\n' "$1" >&2
  return 1
}

# A link that leads nowhere is there, too.
is_there() {
  [ -e "$1" ] || [ -L "$1" ]
}

# Gives the file $1 the new name $2, which must not exist; the file keeps its old name if the file
# system has hard links. The patterns are the errors of FAT and of some network file systems.
name() {
  [ ! -L "$1" ] && [ ! -L "$2" ] && [ "$1" -ef "$2" ] && return
  said=$(ln -T -- "$1" "$2" 2>&1) && return
  case $said in
  *"not permitted"* | *"not supported"* | *"not implemented"*) ;;
  *) fail "$said" || return ;;
  esac
  ! is_there "$2" || fail "File exists" || return
  mv -T -- "$1" "$2"
}

# Syncs the names in a directory; sets unsynced if its file system cannot do that: some network and FUSE
# file systems cannot.
sync_directory() {
  unsynced=
  said=$(sync -- "$1" 2>&1) && return
  case $said in
  *"Invalid argument"* | *"not supported"* | *"not implemented"*) unsynced=1 ;;
  *) fail "$said" ;;
  esac
}

# owners_only DIRECTORY COMMAND... runs a command that replaces or removes files in the directory. On
# failure it exits, with csf_sticky if perhaps only the owner of a file may do that.
owners_only() {
  in=$1
  shift
  said=$("$@" 2>&1) && return
  status=$?
  case $said in *"not permitted"* | *"ermission denied"*) [ ! -k "$in" ] || exit "$csf_sticky" ;; esac
  fail "$said" || exit "$status"
}

# Removes temporary files that a killed csf of this user has left, as `local.temporary` does.
remove_abandoned() {
  digits='[0-9a-f][0-9a-f][0-9a-f][0-9a-f]'
  temporary=".csf-$digits$digits$digits$digits.tmp"
  set -- "$1" "$1".csf-*.tmp*
  is_there "$2" || return 0 # the usual case takes no process
  find "$1" -maxdepth 1 \( -name "$temporary" -o -name "$temporary.own" \) -type f \
    -user "$(id -u)" \( -links +1 -exec rm -f -- {} \; -o \
    -mmin "+$csf_abandoned" -exec flock -n {} rm -f -- {} \; \) </dev/null >/dev/null 2>&1
}

# Writes the data to the temporary file and, unless there is an empty $5, to the disk; removes the file on
# failure. Fails if $csf_again is "only": then nothing may be written any more.
put_aside() {
  [ "$csf_again" != only ] || exit 1
  trap '[ $? = 0 ] || clear_aside "$csf_aside"' EXIT
  csf_aside=$2
  umask o-w
  remove_abandoned "${2%/*}/"
  [ -z "$csf_again" ] || clear_aside "$2" || exit
  said=$(csf_data | dd of="$2" bs=64k conv="excl${5-,fsync}" 2>&1)
  status=$?
  case $status$said in
  0*"
$3 byte"*) ;;
  0*) fail "Not all of the data has arrived" || exit ;;
  *) fail "${said%%"
"*}" || exit $status ;; # the other lines are dd's counts
  esac
  if [ -n "$4" ] && [ -e "$4" ]; then take_over "$2" "$4" || exit 1; fi
}

# Without hard links, the temporary file is gone afterwards; then .own shows that we published the file.
is_published() {
  [ "$1" -ef "$2" ] || { [ -e "$2.own" ] && [ ! -e "$2" ] && [ -e "$1" ]; }
}

publish() {
  if [ -z "$csf_again" ] || ! is_published "$@"; then
    put_aside "$@"
    : >"$2.own" && name "$2" "$1" || exit 1
  fi
  sync_directory "${1%/*}/" || { rm -f -- "$1" && exit 1 || exit "$csf_made"; }
}

# Undoes what `publish` may have done.
unpublish() {
  ! is_published "$@" || { rm -f -- "$1" && sync -- "${1%/*}/"; }
  clear_aside "$2"
}

# Replaces the file; repeating that does no harm.
replace() {
  [ -z "$4" ] || [ ! -e "$1" ] || set -- "$1" "$2" "$3" "$1"
  put_aside "$@"
  owners_only "${1%/*}/" mv -Tf -- "$2" "$1"
  sync_directory "${1%/*}/" || exit "$csf_replaced"
}

# Appends whole lines in one write, which also ends an incomplete last line; nothing is replaced. dd does
# not follow a link and does not create the file; it writes all that fits into a block at once.
append() {
  if [ -n "$csf_again" ] && [ "$(tail -c "$3" -- "$1" | cksum)" = "$(csf_data | cksum)" ]; then
    sync -- "$1" && clear_aside "$2"
    return
  fi
  put_aside "$@" ''
  [ ! -d "$1" ] || fail "Is a directory" || exit
  open_to_lock "$1" || exit
  locked=1
  said=$(flock 4 2>&1) || if lock_is_unsupported "$said"; then locked=; else fail "$said" || exit; fi
  whole=$2
  size=$(stat -L -c %s -- "$1") || exit 1
  if [ "$(tail -c 1 -- "$1" && echo .)" != "
." ]; then
    length=$(tail -n 1 -- "$1" | wc -c) || exit 1
    [ "$length" -lt "$size" ] || exit "$csf_torn"
    whole=$2.own
    printf '%s\n' "$csf_cut_short" | cat -- - "$2" >"$whole" || exit 1 # cat prints why
  fi
  dd if="$whole" of="$1" bs=$(($3 + 64)) oflag=append,nofollow conv=notrunc,nocreat,fsync \
    status=none && clear_aside "$2" && return
  [ -n "$locked" ] && truncate -s "$size" /proc/self/fd/4 2>/dev/null && exit 1
  exit "$csf_part"
}

# Opens the file $1 as descriptor 4, for writing if permitted: NFS requires that for an exclusive lock.
# It is opened again by its descriptor, so that no file is made if it was just removed.
open_to_lock() {
  [ ! -L "$1" ] || return "$csf_link"
  [ -f "$1" ] || [ ! -e "$1" ] || return "$csf_not_a_file"
  exec 4<"$1" || return 1
  { command exec 4<>/proc/self/fd/4; } 2>/dev/null || :
}

clear_aside() {
  rm -f -- "$1.own" "$1"
}
