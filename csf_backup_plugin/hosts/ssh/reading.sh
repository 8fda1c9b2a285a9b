# shellcheck shell=sh disable=SC2154,SC3013,SC2034,SC2015
# Reading files, any number of them in one go. What is told of some stands behind their contents, and
# behind that its length in 8 digits: so the answer is read from its end.

# What `list_directory` tells of the directory $2, and `read_files` of those files in it whose names end
# with $3.
read_directory() {
  list_directory "$2"
  status=$?
  printf '//\0'
  read_matches "$1" "$2"/*"$3"
  read_matches "$1" "$2"/.*"$3"
  return $status
}

# A pattern that fits none stands for itself.
read_matches() {
  [ $# -gt 2 ] || [ -e "$2" ] || [ -L "$2" ] || return 0
  read_files "$@"
}

# Of each file, of which none that is larger than $1 bytes is read: its contents, and what is told.
read_files() {
  largest=$1
  shift
  in_blocks read_block "$@"
} 4>&1

# Of files that can all be read: the contents of all by one program, and then "block", the bytes of all
# and of each, and behind a slash each name. Were they changed meanwhile, they are read one by one.
read_block() {
  stamps='' told='' total=0 files=0 large=
  if [ $# -gt 1 ] || [ -e "$1" ]; then stamps=$(stamps_of "$@"); fi
  for stamp in $stamps; do
    size=${stamp%%-*}
    [ "$size" -le "$largest" ] || large=1
    told="$told $size" total=$((total + size)) files=$((files + 1))
  done
  if [ -z "$large" ] && [ $files -gt 1 ] && [ $files = $# ]; then
    copied=$(cat -- "$@" 2>/dev/null | dd iflag=fullblock,count_bytes count=$((total + 1)) bs=64k 2>&1 >&4)
    copied=${copied% byte*}
    copied=${copied##*[!0-9]}
    if [ "$copied" = $total ] && [ "$(stamps_of "$@")" = "$stamps" ]; then
      told="block $total$told"
      for path; do told=$told/${path##*/}; done
      printf '%s%8d' "$told" "${#told}"
      return
    fi
    told="block ${copied:-0}"
    printf '%s%8d' "$told" "${#told}"
  fi
  for path; do read_file "$path"; done
}

# The bytes and the state of each file that is no link and can be read.
stamps_of() {
  find "$@" -maxdepth 0 -type f -readable -printf '%s-%i-%T@-%C@\n' 2>/dev/null
}

# The contents of one file, its status, what dd said, which tells how many bytes it has copied, and
# behind a slash its name. It is asked for its size only if one of them is too large; it may grow, so dd
# stops by itself.
read_file() {
  if [ -L "$1" ]; then
    said=$csf_link
  elif [ -e "$1" ] && [ ! -f "$1" ]; then
    said=$csf_not_a_file
  elif [ -n "$large" ] && is_larger "$1"; then
    said=$csf_too_large
  else
    said=$(dd if="$1" iflag=nofollow,nonblock,count_bytes count=$((largest + 1)) bs=1M 2>&1 >&4)
    said="$? $said"
  fi
  said=$said/${1##*/}
  printf '%s%8d' "$said" "${#said}"
}

is_larger() {
  size=$(stat -c %s -- "$1" 2>/dev/null) && [ "$size" -gt "$largest" ]
}
