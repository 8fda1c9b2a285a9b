# shellcheck shell=sh disable=SC2154,SC3013,SC2034,SC2015
# Syncs, removes and renames any number of files.

# each_directory FUNCTION PATH... calls the function with the directory of each path, with a slash behind
# it, once for each directory. No path of ours has two slashes in a row.
each_directory() {
  each=$1 seen=
  shift
  for path; do
    directory=//${path%/*}//.
    case $seen in *"$directory"*) continue ;; esac
    seen=$seen$directory
    "$each" "${path%/*}/" || return
  done
}

# Prints those directories whose file systems cannot sync them.
sync_files() {
  in_blocks csf_sync_block "$@"
  each_directory csf_sync_and_tell "$@"
}

csf_sync_block() {
  sync -- "$@" || exit
}

csf_sync_and_tell() {
  sync_directory "$1" || return
  [ -z "$unsynced" ] || printf '%s\0' "${1%/}"
}

# Also removes empty directories, even some of those that other paths are in.
remove_files() {
  owners_only "${1%/*}/" in_blocks csf_remove_block "$@"
  each_directory csf_sync_after_removal "$@"
}

csf_remove_block() {
  rm -fd -- "$@" || exit
}

csf_sync_after_removal() {
  [ ! -d "$1" ] || sync_directory "$1" || exit "$csf_removed"
}

# Prints a dot for each directory that was made.
make_directories() {
  umask o-w
  for path; do
    said=$(mkdir -- "$path" 2>&1) || csf_made_before "$path" || fail "$said" || exit
    sync_directory "${path%/*}/" || { rmdir -- "$path" && exit 1 || exit "$csf_made"; }
    printf .
  done
}

# After a cut: succeeds if the directory may be the one that was made before the cut.
csf_made_before() {
  [ -n "$csf_again" ] && [ -d "$1" ] && [ ! -L "$1" ] && [ -O "$1" ]
}

# Fails if one of the paths exists, or if that is not known; prints a dot for each path before that. stat
# prints one line for each path that is missing.
absent() {
  lines=$(stat -- "$@" 2>&1 >/dev/null)
  for path; do
    said=${lines%%"
"*}
    lines=${lines#"$said"}
    lines=${lines#"
"}
    ! is_there "$path" || said="File exists"
    case $said in
    *": No such file or directory") printf . ;;
    *) fail "$said" || return ;;
    esac
  done
}

# remove_trees MINE PATH... prints a dot for each path that is gone. If MINE is not empty, the paths must
# belong to our user. GNU rm follows no links.
remove_trees() {
  mine=$1
  shift
  for path; do
    if is_there "$path"; then
      [ -z "$mine" ] || [ "$(stat -c %u -- "$path")" = "$(id -u)" ] || exit "$csf_anothers"
      rm -rf --one-file-system -- "$path" || exit 1
      sync_directory "${path%/*}/" || exit "$csf_removed"
    fi
    printf .
  done
}

# move_files OLD NEW... gives each file its new name, and removes the old one once the new one has
# reached the disk; prints how many were moved.
move_files() {
  moved=$(csf_move_each "$@")
  status=$? count=${#moved}
  { (shift && csf_firsts "$count" "$@") | xargs -0r sync -- && each_directory sync_directory "$@"; } || {
    csf_take_back "$@"
    exit 1
  }
  csf_firsts "$count" "$@" | xargs -0r rm -f -- && each_directory sync_directory "$@" || exit
  echo "$count"
  return $status
}

# Prints a dot for each file that has its new name.
csf_move_each() {
  while [ $# -gt 0 ]; do
    if [ -n "$csf_again" ] && [ -e "$2" ] && { [ ! -e "$1" ] || [ "$1" -ef "$2" ]; }; then :
    elif [ -k "${1%/*}/" ] && [ ! -O "$1" ] && [ ! -O "${1%/*}/" ] && [ "$(id -u)" != 0 ]; then
      fail "Operation not permitted" || return
    else name "$1" "$2" || return; fi
    printf .
    shift 2
  done
}

# Prints the first path of each of the first $1 pairs.
csf_firsts() {
  left=$1
  shift
  while [ $((left -= 1)) -ge 0 ]; do
    printf '%s\0' "$1"
    [ $left = 0 ] || shift 2
  done
}

# Removes the new name of each file that has both; a file without its old name keeps the new one.
csf_take_back() {
  while [ $# -gt 0 ]; do
    [ ! "$1" -ef "$2" ] || rm -f -- "$2"
    shift 2
  done
}
