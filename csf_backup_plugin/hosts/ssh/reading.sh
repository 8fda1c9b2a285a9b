# shellcheck shell=sh disable=SC2154,SC3013,SC2034,SC2015
# Reads any number of files. The description of files follows their contents, and its length in 8 digits
# follows that: so the answer is read from its end.

# Prints what `list_directory` prints for the directory $2, and what `read_files` prints for those files
# in it whose names end with $3.
read_directory() {
  list_directory "$2"
  status=$?
  printf '//\0'
  read_matches "$1" "$2"/*"$3"
  read_matches "$1" "$2"/.*"$3"
  return $status
}

# A pattern without a match stays as it is.
read_matches() {
  [ $# -gt 2 ] || [ -e "$2" ] || [ -L "$2" ] || return 0
  read_files "$@"
}

# Prints the contents of each file, and its description. Files of more than $1 bytes are not read whole.
read_files() {
  largest=$1
  shift
  in_blocks read_block "$@"
} 4>&1

# If all of several files can be read: prints the contents of all with one program, and then "block", the
# bytes of all and of each, and each name after a slash. If they have changed meanwhile, reads them one by
# one.
read_block() {
  stamps='' told='' total=0 files=0 large=
  if [ $# = 1 ]; then large=1; else stamps=$(stamps_of "$@"); fi
  for stamp in $stamps; do
    size=${stamp%%-*}
    [ "$size" -le "$largest" ] || large=1
    told="$told $size" total=$((total + size)) files=$((files + 1))
  done
  if [ -z "$large" ] && [ $files = $# ]; then
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

# Prints the size and the state of each file that is not a link and can be read.
stamps_of() {
  find "$@" -maxdepth 0 -type f -readable -printf '%s-%i-%T@-%C@\n' 2>/dev/null
}

# Prints the contents of one file, its status, dd's message with the number of bytes copied, and the name
# after a slash. The size is checked only if one of the files may be too large; a file may grow, so dd
# has a limit anyway.
read_file() {
  if [ -L "$1" ]; then
    said=$csf_link
  elif [ -e "$1" ] && [ ! -f "$1" ]; then
    said=$csf_not_a_file
  elif [ -n "$large" ] && [ -e "$1" ] && size=$(stat -c %s -- "$1") && [ "$size" -gt "$largest" ]; then
    said=$csf_too_large
  else
    said=$(dd if="$1" iflag=nofollow,nonblock,count_bytes count=$((largest + 1)) bs=1M 2>&1 >&4)
    said="$? $said"
  fi
  said=$said/${1##*/}
  printf '%s%8d' "$said" "${#said}"
}
