# shellcheck shell=sh disable=SC2154,SC3013,SC2034,SC2015
# Writes whole files: each operation happens completely or leaves nothing behind.
#
# Data goes to a temporary file first, whose name belongs to this operation alone. The temporary files of
# `publish` stay until the answer has arrived: if it is called again after a cut, they show whether it
# has happened, and whether this operation has done it. $1 is the file, $2 the temporary file, $3 the
# size of the data in bytes, $4 a file whose users get access to the new one, or empty.

# Gives the file $1 the new name $2, which must not exist; the file keeps its old name if the file
# system has hard links. The patterns are the errors of FAT and of some network file systems.
name() {
  [ ! -L "$1" ] && [ ! -L "$2" ] && [ "$1" -ef "$2" ] && return
  said=$(ln -T -- "$1" "$2" 2>&1) && return
  case $said in
  *"not permitted"* | *"not supported"* | *"not implemented"*) ;;
  *)
    printf '%s\n' "$said" >&2
    return 1
    ;;
  esac
  if [ -e "$2" ] || [ -L "$2" ]; then
    echo "File exists" >&2
    return 1
  fi
  mv -T -- "$1" "$2"
}

# Syncs the names in a directory; sets unsynced if its file system cannot do that: some network and FUSE
# file systems cannot.
sync_directory() {
  unsynced=
  said=$(sync -- "$1" 2>&1) && return
  case $said in
  *"Invalid argument"* | *"not supported"* | *"not implemented"*) unsynced=1 ;;
  *)
    printf '%s\n' "$said" >&2
    return 1
    ;;
  esac
}

# owners_only DIRECTORY COMMAND... runs a command that replaces or removes files in the directory. On
# failure it exits, with csf_sticky if perhaps only the owner of a file may do that.
owners_only() {
  in=$1
  shift
  if said=$("$@" 2>&1); then # a part may have failed to start, which only the errors show
    printf '%s' "$said" >&2
    return
  fi
  case $said in *"not permitted"* | *"ermission denied"*) [ ! -k "$in" ] || exit "$csf_sticky" ;; esac
  printf '%s\n' "$said" >&2
  exit 1
}

# Removes temporary files that a killed csf of this user has left, as `local.temporary` does.
remove_abandoned() {
  digits='[0-9a-f][0-9a-f][0-9a-f][0-9a-f]'
  temporary=".csf-$digits$digits$digits$digits.tmp"
  find "$1" -maxdepth 1 \( -name "$temporary" -o -name "$temporary.own" \) -type f \
    -user "$(id -u)" \( -links +1 -exec rm -f -- {} \; -o \
    -mmin "+$csf_abandoned" -exec flock -n {} rm -f -- {} \; \) </dev/null >/dev/null 2>&1
}

# Writes the data to the temporary file, and removes that on failure. Fails if $csf_again is "only":
# then nothing may be written any more.
put_aside() {
  [ "$csf_again" != only ] || exit 1
  trap '[ $? = 0 ] || clear_aside "$csf_aside"' EXIT
  csf_aside=$2
  umask o-w
  remove_abandoned "${2%/*}/"
  rm -f -- "$2.own" "$2" || exit
  (
    set -C
    exec 4>"$2" && set +C && csf_data >&4 && [ "$(stat -c %s -- "$2")" = "$3" ] && sync -- "$2"
  ) || exit 1
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
  put_aside "$@"
  [ ! -L "$1" ] || exit "$csf_link"
  [ -e "$1" ] || {
    cat -- "$1"
    exit 1
  }
  [ -f "$1" ] || [ -d "$1" ] || exit "$csf_not_a_file"
  if [ -d "$1" ] || (: 4<>"$1") 2>/dev/null; then exec 4<>"$1"; else exec 4<"$1"; fi || exit 1
  locked=1
  said=$(flock 4 2>&1) || if lock_is_unsupported "$said"; then locked=; else
    printf '%s\n' "$said" >&2
    exit 1
  fi
  whole=$2
  size=$(stat -L -c %s -- "$1") || exit 1
  if [ "$(tail -c 1 -- "$1" | od -An -tx1)" != " 0a" ]; then
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

clear_aside() {
  rm -f -- "$1.own" "$1"
}
