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

# Prints what `stat_paths` prints. Then for each path: its path without links, and whether it can be
# written. Then those that lead somewhere, with their free blocks and the size of a block, and //. Then
# their devices, each with its disks in the form that `raid.parse` reads; nothing for a device whose disks
# are not all known. All mounts come last, so that automounts are among them.
look_at() {
  stat_paths "$@"
  for path; do
    { cd -P "$path" && printf '%s\0' "$PWD"; } || realpath -mz -- "$path" || printf '\0'
    writable=
    [ ! -w "$path" ] || { [ -d "$path" ] && [ ! -x "$path" ]; } || writable=w
    printf '%s\0' "$writable"
  done 2>/dev/null
  in_blocks csf_space_at "$@" 2>/dev/null
  printf '//\0'
  told=/
  for device in $(in_blocks csf_devices_of "$@"); do
    case $told in */$device/*) continue ;; esac
    told=$told$device/
    disks=$(disks_on "$device") || disks=
    printf '%s\0%s\0' "$device" "$disks"
  done 2>/dev/null
  cat "$csf_mountinfo" 2>/dev/null
  printf '\0'
}

csf_space_at() {
  stat -f --printf '%n\0%a\0%S\0' -- "$@"
}

csf_devices_of() {
  stat -L -c %d -- "$@"
}

# Finds the disks of a device as `local.disks` does; goes from entry to entry of sysfs by cd.
disks_on() {
  major=$(($1 >> 8 & 4095 | $1 >> 32 & ~4095))
  minor=$(($1 & 255 | $1 >> 12 & ~255))
  cd -P "/sys/dev/block/$major:$minor" && disks_here
}

disks_here() {
  parts=0
  if [ -e partition ]; then
    cd -P .. && disks_here
  elif [ -e loop/backing_file ]; then
    device=$(csf_devices_of "$(cat loop/backing_file)") && disks_on "$device"
  else
    for part in slaves/*; do
      [ "$part" != 'slaves/*' ] || break
      (cd -P "$part" && disks_here) || return
      parts=$((parts + 1))
    done
    if [ $parts = 0 ]; then echo "${PWD##*/}"; else
      echo "$parts/$(first_word md/level)/$(first_word md/raid_disks)/$(first_word md/degraded)"
    fi
  fi
}

first_word() {
  word=
  read -r word _ <"$1"
  echo "$word"
} 2>/dev/null

# Prints the names, kinds, sizes and times of what is in a directory, with links followed, and whether
# each is a link. Then, if the first find has failed, prints the names of all links: that find does not
# print links in a circle. Where there is nothing, as in many places of backups, no process is needed.
list_directory() {
  [ -e "$1" ] || [ ! -d "${1%/*}/" ] || : <"$1/" || return
  find -L "$1/" -mindepth 1 -maxdepth 1 -printf '%P\0%y\0%s\0%T@\0' , -xtype l -printf l , -printf '\0'
  status=$?
  printf '//\0'
  [ $status != 0 ] && [ -d "$1/" ] || return $status
  find "$1/" -mindepth 1 -maxdepth 1 -type l -printf '%P\0' || return
  return $status
}

# Prints the host's name, the time of its clock, and the first line of each file.
machine() {
  read -r name </proc/sys/kernel/hostname && now=$(date +%Y-%m-%dT%H:%M:%S%:z) || exit
  printf '%s\0' "$name" "$now"
  for path; do
    first_word "$path"
    printf '\0'
  done
}

# Prints the path of the utility $1, which the variable $2 may name; if it is not found, prints the
# places.
find_utility() {
  eval "named=\${$2-}"
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
  named=$1
  [ -n "$named" ] || eval "named=\${$2-}"
  case $named in /*) [ -f "$named" ] && [ -x "$named" ] ;; *) false ;; esac && is=1 || is=
  printf '%s\0' "$named" "$is"
}
