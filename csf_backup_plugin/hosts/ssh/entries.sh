# shellcheck shell=sh disable=SC2154,SC3013,SC2034,SC2015
# Syncs, removes and renames any number of files.

# Prints the arguments after //, each with a NUL after it; no path of ours has two slashes in a row.
csf_behind() {
  printf '%s\0' "$@" | sed -z '1,/^\/\/$/d'
}

# sync_files DIRECTORY... // FILE... prints those directories whose file systems cannot sync them.
sync_files() {
  csf_behind "$@" | xargs -0r sync -- || exit
  for path; do
    [ "$path" != // ] || break
    sync_directory "$path" || exit
    [ -z "$unsynced" ] || printf '%s\0' "${path%/}"
  done
}

csf_remove_behind() {
  csf_behind "$@" | xargs -0r rm -fd --
}

# remove_files DIRECTORY... // FILE... also removes empty directories, even some of DIRECTORY...
remove_files() {
  owners_only "$1" csf_remove_behind "$@"
  for path; do
    [ "$path" != // ] || break
    [ ! -d "$path" ] || sync_directory "$path" || exit "$csf_removed"
  done
}

# Prints a dot for each directory that was made.
make_directories() {
  umask o-w
  for path; do
    if ! said=$(mkdir -- "$path" 2>&1) && ! csf_made_before "$path"; then
      printf '%s\n' "$said" >&2
      exit 1
    fi
    sync_directory "${path%/*}/" || { rmdir -- "$path" && exit 1 || exit "$csf_made"; }
    printf .
  done
}

# After a cut: succeeds if the directory may be the one that was made before the cut.
csf_made_before() {
  [ -n "$csf_again" ] && [ -d "$1" ] && [ ! -L "$1" ] && [ -O "$1" ]
}

# Fails if one of the paths exists, or if that is not known; prints a dot for each path before that.
absent() {
  for path; do
    said=$(stat -- "$path" 2>&1 >/dev/null) && said="File exists"
    case $said in
    *": No such file or directory") printf . ;;
    *)
      printf '%s\n' "$said" >&2
      return 1
      ;;
    esac
  done
}

# remove_trees MINE PATH... prints a dot for each path that is gone. If MINE is not empty, the paths must
# belong to our user. A link that leads nowhere counts as existing. GNU rm follows no links.
remove_trees() {
  mine=$1
  shift
  for path; do
    if [ -e "$path" ] || [ -L "$path" ]; then
      if [ -n "$mine" ] && [ "$(stat -c %u -- "$path")" != "$(id -u)" ]; then exit "$csf_anothers"; fi
      rm -rf --one-file-system -- "$path" || exit 1
      sync_directory "${path%/*}/" || exit "$csf_removed"
    fi
    printf .
  done
}

# move_files DIRECTORY... // OLD NEW... gives each file its new name, and removes the old one once the
# new one has reached the disk; prints how many were moved. The directories are those of all names.
move_files() {
  moved=$(csf_each_pair csf_move_one "$@")
  status=$? left=${#moved}
  { csf_each_pair csf_tell_new "$@" | xargs -0r sync -- && csf_sync_listed "$@"; } || {
    csf_each_pair csf_take_back "$@"
    exit 1
  }
  csf_each_pair csf_tell_old "$@" | xargs -0r rm -f -- && csf_sync_listed "$@" || exit
  echo "$left"
  return $status
}

# csf_each_pair FUNCTION DIRECTORY... // OLD NEW... calls the function with each pair until it fails.
csf_each_pair() {
  each=$1 old='' behind=
  shift
  for path; do
    if [ "$path" = // ]; then behind=1; elif [ -z "$behind" ]; then :; elif [ -z "$old" ]; then
      old=$path
    else
      "$each" "$old" "$path" || return
      old=
    fi
  done
}

# Prints a dot if the file has its new name.
csf_move_one() {
  if [ -n "$csf_again" ] && [ -e "$2" ] && { [ ! -e "$1" ] || [ "$1" -ef "$2" ]; }; then :
  elif [ -k "${1%/*}/" ] && [ ! -O "$1" ] && [ ! -O "${1%/*}/" ] && [ "$(id -u)" != 0 ]; then
    echo "Operation not permitted" >&2
    return 1
  else name "$1" "$2" || return 1; fi
  printf .
}

# Removes the new name of a file that has both; a file without its old name keeps the new one.
csf_take_back() {
  [ ! "$1" -ef "$2" ] || rm -f -- "$2"
}

# Prints the new name, or the old one, for the first $left pairs, whose files have been moved.
csf_tell_new() {
  [ "$left" -gt 0 ] || return 0
  left=$((left - 1))
  printf '%s\0' "$2"
}

csf_tell_old() {
  csf_tell_new "$2" "$1"
}

csf_sync_listed() {
  for path; do
    [ "$path" != // ] || break
    sync_directory "$path" || return
  done
}
