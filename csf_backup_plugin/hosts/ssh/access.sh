# shellcheck shell=sh disable=SC2154,SC3013,SC2034,SC2015
# Gives a file the same access rights as another one, as far as permitted; see `local.access`.

# Gives the users of the file $2 access to the file $1; prints the users or groups that remain without.
# getfacl and setfacl are not on every host. cp copies an ACL unchanged where all keep their access.
take_over() {
  chown --reference "$2" -- "$1" 2>/dev/null || chgrp --reference "$2" -- "$1" 2>/dev/null
  mode=$(printf %o $((0$(stat -L -c %a -- "$2") & 0666))) || return
  user=$(stat -L -c %u -- "$2") group=$(stat -L -c %g -- "$2")
  [ "$user" = "$(stat -c %u -- "$1")" ] && user=
  [ "$group" = "$(stat -c %g -- "$1")" ] && group=
  acl=$(getfacl -cpn -- "$2" 2>/dev/null |
    sed -e 's/:[rwx-]*[[:space:]]*#effective:/:/' -e '/^mask:/d' -e '/^$/d' -e 's/x$/-/')
  if [ -z "$group" ] && { [ -z "$user" ] || may_by_group "$2"; }; then
    cp --attributes-only --preserve=mode -- "$2" "$1" && chmod "$mode" -- "$1"
    return
  fi
  {
    printf '%s\n' "$acl" | if [ -z "$group" ]; then cat; else
      sed -e "s/^group::.*/group::$(acl_of other)/" -e "/^group:$group:/d"
    fi | if [ -z "$user" ]; then cat; else sed "/^user:$user:/d"; fi
    [ -z "$group" ] || echo "group:$group:$(acl_of group)"
    [ -z "$user" ] || echo "user:$user:$(acl_of user)"
  } | setfacl --set-file=- -- "$1" 2>/dev/null && [ -n "$acl" ] && return
  [ -z "$group" ] || mode=$((mode / 100))$((mode % 10))$((mode % 10))
  chmod "$mode" -- "$1" || return
  lost="${group:+group $(stat -L -c %G -- "$2")}${group:+${user:+ and }}"
  echo "$lost${user:+$(stat -L -c %U -- "$2")}"
}

acl_of() {
  printf '%s\n' "$acl" | sed -n "s/^$1:://p"
}

may_by_group() {
  case " $(id -G -- "$(stat -L -c %U -- "$1")" 2>/dev/null) " in
  *" $(stat -L -c %g -- "$1") "*) ;;
  *) return 1 ;;
  esac
  if [ -n "$acl" ]; then [ "$(acl_of user)" = "$(acl_of group)" ]; else
    [ "$((mode / 100))" = "$((mode / 10 % 10))" ]
  fi
}
