# shellcheck shell=sh disable=SC2154,SC3013,SC2034,SC2015
# Looking at paths, any number of them in one go, and at the host itself.

csf_block=100 # paths

# Kind, size, sectors, device and stamp of the paths, as far as they lead somewhere; a link that does
# not is "l", or N or L where find tells so. Then whether the path itself is a link, and whether it may
# be read.
stat_paths() {
  in_blocks csf_stat_block "$@"
  printf '//\0'
}

csf_stat_block() {
  find -L "$@" -maxdepth 0 -printf '%p\0%y\0%s\0%b\0%D\0%i-%s-%T@-%C@\0' , -xtype l -printf l \
    , -printf '\0' , -readable -printf r , -printf '\0'
}

# in_blocks FUNCTION PATH... calls the function with the paths, of which a program can have $csf_block.
in_blocks() {
  in_block=$1 words='' count=0
  shift
  while [ $((count += 1)) -le "$csf_block" ]; do words="$words \"\${$count}\""; done
  while [ $# -gt "$csf_block" ]; do
    eval "$in_block $words"
    shift "$csf_block"
  done
  [ $# = 0 ] || "$in_block" "$@"
}

# What find says of each path, if it is not to be found; nobody can tell so from all errors at once.
# Before it, whether it is a link.
why_not() {
  for path; do
    link=
    [ ! -L "$path" ] || link=l
    printf '%s\0%s\0' "$link" "$(find -L "$path" -maxdepth 0 2>&1 >/dev/null)"
  done
}

# Of each path besides: itself without links, whether it may be written to, free blocks and their size;
# then each device that one of them is on, with its disks as `raid.parse` reads them, found as in
# `local.disks`. At last, when all have been looked at and what mounts itself is mounted, all mounts.
look_at() {
  stat_paths "$@"
  for path; do
    realpath -mz -- "$path" || printf '\0'
    writable=
    [ ! -w "$path" ] || { [ -d "$path" ] && [ ! -x "$path" ]; } || writable=w
    printf '%s\0' "$writable"
    stat -f --printf '%a\0%S\0' -- "$path" || printf '0\0000\000'
  done 2>/dev/null
  told=/
  for device in $(in_blocks csf_devices_of "$@"); do
    case $told in */$device/*) continue ;; esac
    told=$told$device/
    printf '%s\0%s\0' "$device" "$(disks_on "$device")"
  done 2>/dev/null
  cat "$csf_mountinfo" 2>/dev/null
  printf '\0'
}

csf_devices_of() {
  stat -L -c %d -- "$@"
}

# Nothing is told of a device whose disks are not all known.
disks_on() {
  major=$(($1 >> 8 & 4095 | $1 >> 32 & ~4095))
  minor=$(($1 & 255 | $1 >> 12 & ~255))
  entry=$(readlink -f "/sys/dev/block/$major:$minor")
  [ -d "$entry" ] && found=$(disks_of "$entry") && echo "$found"
}

disks_of() (
  if [ -e "$1/partition" ]; then
    disks_of "${1%/*}"
  elif [ -e "$1/loop/backing_file" ]; then
    device=$(csf_devices_of "$(cat "$1/loop/backing_file")") && disks_on "$device"
  elif parts=$(ls "$1/slaves" 2>/dev/null) && [ -n "$parts" ]; then
    for part in $parts; do disks_of "$(readlink -f "$1/slaves/$part")" || exit 1; done
    array=$(first_word "$1/md/level")/$(first_word "$1/md/raid_disks")/$(first_word "$1/md/degraded")
    # shellcheck disable=SC2086
    set -- $parts
    echo "$#/$array"
  else echo "${1##*/}"; fi
)

first_word() {
  word=
  read -r word _ <"$1"
  echo "$word"
} 2>/dev/null

# Names, kinds, sizes and times of what is in a directory, with links followed, and whether each is a link;
# then, if not all could be told, the names of all links: of one in a circle the first find tells nothing.
list_directory() {
  find -L "$1/" -mindepth 1 -maxdepth 1 -printf '%P\0%y\0%s\0%T@\0' , -xtype l -printf l , -printf '\0'
  status=$?
  printf '//\0'
  [ $status != 0 ] && [ -d "$1/" ] || return $status
  find "$1/" -mindepth 1 -maxdepth 1 -type l -printf '%P\0' || return
  return $status
}

# Who the host is, its clock, and $1 bytes at most of each of the files that follow.
machine() {
  name=$(uname -n) && seconds=$(date +%s) &&
    now=$(date -u -d "@$seconds" +%Y-%m-%dT%H:%M:%S+00:00) &&
    local=$(date -d "@$seconds" +%Y-%m-%dT%H:%M:%S%:z) || exit
  printf '%s\0' "$name" "$now" "$local"
  size=$1
  shift
  for path; do
    head -c "$size" -- "$path"
    printf '\0'
  done 2>/dev/null
}

# Looks for the utility $1, which the variable $2 may name. Found or not, the places follow.
find_utility() {
  named=$(printenv -- "$2")
  if [ -n "$named" ]; then
    is_program "$named" && return
  elif [ -n "$OS_ROOTDIR" ] && is_program "$OS_ROOTDIR/bin/$1"; then
    return
  else
    is_program "$1" && return
  fi
  printf '\0%s\0%s\0%s\0' "$named" "$OS_ROOTDIR" "$PATH"
}

is_program() {
  path=$(command -v -- "$1") && [ -f "$path" ] && [ -x "$path" ] || return
  case $path in /*) ;; *) path=$PWD/$path ;; esac
  printf '%s\0' "$path"
}

# Tells the program $1, or what the variable $2 names if that is empty, and whether it is the absolute
# path of an executable file.
find_program() {
  named=${1:-$(printenv -- "$2")}
  case $named in /*) [ -f "$named" ] && [ -x "$named" ] ;; *) false ;; esac && is=1 || is=
  printf '%s\0' "$named" "$is"
}
