# shellcheck shell=sh disable=SC2154,SC3013,SC2034,SC2015
# Gives a file the same access rights as another one, as far as permitted; see `local.access`.

# Gives the users of the file $2 access to the file $1; prints the users or groups that remain without.
# getfacl and setfacl are not on every host. cp copies an ACL unchanged where all keep their access.
take_over() {
  chown --reference "$2" -- "$1" 2>/dev/null || chgrp --reference "$2" -- "$1" 2>/dev/null
  wanted=$(stat -L -c '%a %u %g' -- "$2") && given=$(stat -c '%u %g' -- "$1") || return
  # shellcheck disable=SC2086
  set -- "$1" "$2" $wanted $given
  owners=$(($3 / 100 % 10 & 6)) groups=$(($3 / 10 % 10 & 6)) others=$(($3 % 10 & 6))
  user=$4 group=$5
  [ "$user" != "$6" ] || user=
  [ "$group" != "$7" ] || group=
  acl=$(getfacl -cpn -- "$2" 2>/dev/null |
    sed -e 's/:[rwx-]*[[:space:]]*#effective:/:/' -e '/^mask:/d' -e '/^$/d' -e 's/x$/-/')
  if [ -z "$group" ] && { [ -z "$user" ] || may_by_group "$2" "$5"; }; then
    cp --attributes-only --preserve=mode -- "$2" "$1" && chmod "$owners$groups$others" -- "$1"
    return
  fi
  {
    printf '%s\n' "$acl" | if [ -z "$group" ]; then cat; else
      sed -e "s/^group::.*/group::$(acl_of other)/" -e "/^group:$group:/d"
    fi | if [ -z "$user" ]; then cat; else sed "/^user:$user:/d"; fi
    [ -z "$group" ] || echo "group:$group:$(acl_of group)"
    [ -z "$user" ] || echo "user:$user:$(acl_of user)"
  } | setfacl --set-file=- -- "$1" 2>/dev/null && [ -n "$acl" ] && return
  [ -z "$group" ] || groups=$others
  chmod "$owners$groups$others" -- "$1" || return
  lost="${group:+group $(stat -L -c %G -- "$2")}${group:+${user:+ and }}"
  echo "$lost${user:+$(stat -L -c %U -- "$2")}"
}

acl_of() {
  printf '%s\n' "$acl" | sed -n "s/^$1:://p"
}

# Succeeds if the owner of the file $1 is in the group $2, which may do what the owner may.
may_by_group() {
  case " $(id -G -- "$(stat -L -c %U -- "$1")" 2>/dev/null) " in
  *" $2 "*) ;;
  *) return 1 ;;
  esac
  if [ -n "$acl" ]; then [ "$(acl_of user)" = "$(acl_of group)" ]; else [ "$owners" = "$groups" ]; fi
}
