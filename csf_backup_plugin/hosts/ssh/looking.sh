# shellcheck shell=sh disable=SC2154,SC3013,SC2034,SC2015
# Looks at any number of paths, and at the host itself.

csf_block=100 # paths

# Prints kind, size, sectors, device and stamp of those paths that lead somewhere; the kind of a link
# that does not is "l", or find's N or L. Then it prints whether the path itself is a link, and whether
# it can be read.
stat_paths() {
  in_blocks csf_stat_block "$@"
  printf '//\0'
}

csf_stat_block() {
  find -L "$@" -maxdepth 0 -printf '%p\0%y\0%s\0%b\0%D\0%i-%s-%T@-%C@\0' , -xtype l -printf l \
    , -printf '\0' , -readable -printf r , -printf '\0'
}

# in_blocks FUNCTION PATH... calls the function with at most $csf_block of the paths at a time.
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

# Prints for each path whether it is a link, and find's error if it is not found; the errors of one find
# for all paths cannot be matched to the paths.
why_not() {
  for path; do
    link=
    [ ! -L "$path" ] || link=l
    printf '%s\0%s\0' "$link" "$(find -L "$path" -maxdepth 0 2>&1 >/dev/null)"
  done
}

# Prints what `stat_paths` prints. Then for each path: its path without links, whether it can be written,
# its free blocks and their size. Then each device of these paths, with its disks in the form that
# `raid.parse` reads, found as in `local.disks`. All mounts come last, so that automounts are among them.
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

# Prints nothing for a device whose disks are not all known.
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

# Prints the names, kinds, sizes and times of what is in a directory, with links followed, and whether
# each is a link. Then, if the first find has failed, prints the names of all links: that find does not
# print links in a circle.
list_directory() {
  find -L "$1/" -mindepth 1 -maxdepth 1 -printf '%P\0%y\0%s\0%T@\0' , -xtype l -printf l , -printf '\0'
  status=$?
  printf '//\0'
  [ $status != 0 ] && [ -d "$1/" ] || return $status
  find "$1/" -mindepth 1 -maxdepth 1 -type l -printf '%P\0' || return
  return $status
}

# Prints the host's name, the time of its clock, and at most $1 bytes of each of the other arguments'
# files.
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

# Prints the path of the utility $1, which the variable $2 may name; if it is not found, prints the
# places.
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

# Prints the program $1, or the value of the variable $2 if $1 is empty, and whether it is the absolute
# path of an executable file.
find_program() {
  named=${1:-$(printenv -- "$2")}
  case $named in /*) [ -f "$named" ] && [ -x "$named" ] ;; *) false ;; esac && is=1 || is=
  printf '%s\0' "$named" "$is"
}
