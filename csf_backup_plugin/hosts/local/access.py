"""Copy the access rights of one file to another: owner, group, mode and access ACL."""

from __future__ import annotations

import contextlib
import functools
import operator
import os
import struct

_ACL = "system.posix_acl_access"  # acl(5); its layout is in linux/posix_acl_xattr.h
_HEAD, _ENTRY, _VERSION = "<I", "<HHI", 2
_OWNER, _USER, _GROUP_OF_FILE, _GROUP, _MASK, _OTHER = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
_NOBODY = 0xFFFFFFFF  # the id in entries that need none
_MASKED = (_USER, _GROUP_OF_FILE, _GROUP)
_READ_AND_WRITE = 6

_Entries = dict[tuple[int, int], int]  # permissions by tag and id


def take_over(path: str, like: str) -> str:
    """Give the users of another file access to this one, as far as we may.

    Only root can change a file's owner, and only a group's members its group. A user who would lose
    access by that gets an entry in the file's ACL, if its file system has ACLs.

    Args:
        path: the file; it belongs to our user.
        like: the other one; if it does not exist, nothing is done.

    Returns:
        The users of the other file who cannot be given the same access to this one; empty if there
        are none.
    """
    try:
        meant = os.stat(like)
    except FileNotFoundError:
        return ""
    try:
        os.chown(path, meant.st_uid, meant.st_gid)
    except OSError:  # EPERM; in a user namespace, EINVAL
        with contextlib.suppress(OSError):
            os.chown(path, -1, meant.st_gid)
    made = os.stat(path)
    entries, lost = _read(like, meant.st_mode), []
    group, others = entries[_GROUP_OF_FILE, _NOBODY], entries[_OTHER, _NOBODY]
    if made.st_gid != meant.st_gid and group != others:
        entries[_GROUP, meant.st_gid], entries[_GROUP_OF_FILE, _NOBODY] = group, others
        lost.append((_GROUP, meant.st_gid))
    if made.st_uid != meant.st_uid and not _may_by_group(meant, entries):
        entries[_USER, meant.st_uid] = entries[_OWNER, _NOBODY]
        lost.append((_USER, meant.st_uid))
    return " and ".join(map(_name, lost)) if not _write(path, entries) else ""


def _read(path: str, mode: int) -> _Entries:
    """Return the permissions of a file's users, with the ACL's mask applied."""
    mask = _READ_AND_WRITE
    entries: _Entries = {
        (_OWNER, _NOBODY): mode >> 6,
        (_GROUP_OF_FILE, _NOBODY): mode >> 3,
        (_OTHER, _NOBODY): mode,
    }
    with contextlib.suppress(OSError):  # it has no ACL, or its file system has none
        acl = os.getxattr(path, _ACL)[struct.calcsize(_HEAD) :]
        entries = {(tag, one): may for tag, may, one in struct.iter_unpack(_ENTRY, acl)}
        mask = entries.pop((_MASK, _NOBODY), mask)
    return {
        (tag, one): may & _READ_AND_WRITE & (mask if tag in _MASKED else _READ_AND_WRITE)
        for (tag, one), may in entries.items()
    }


def _write(path: str, entries: _Entries) -> bool:
    """Set a file's mode and ACL; return whether it has all of the entries."""
    tags = ((_OWNER, 6), (_GROUP_OF_FILE, 3), (_OTHER, 0))
    mode = sum(entries[tag, _NOBODY] << shift for tag, shift in tags)
    with contextlib.suppress(OSError):  # what it has inherited from its directory
        os.removexattr(path, _ACL)
    os.chmod(path, mode)
    if {tag for tag, _ in entries} <= {_OWNER, _GROUP_OF_FILE, _OTHER}:
        return True
    mask = functools.reduce(
        operator.or_, (may for (tag, _), may in entries.items() if tag in _MASKED)
    )
    whole = {**entries, (_MASK, _NOBODY): mask}
    packed = (struct.pack(_ENTRY, tag, may, one) for (tag, one), may in sorted(whole.items()))
    try:
        os.setxattr(path, _ACL, struct.pack(_HEAD, _VERSION) + b"".join(packed))
    except OSError:
        return False
    return True


def _may_by_group(meant: os.stat_result, entries: _Entries) -> bool:
    """Tell whether the owner gets the same permissions as a member of the group, or as anybody."""
    import pwd

    owner = entries[_OWNER, _NOBODY]
    if not owner & ~entries[_OTHER, _NOBODY]:
        return True
    group = entries.get((_GROUP, meant.st_gid), entries[_GROUP_OF_FILE, _NOBODY])
    try:
        who = pwd.getpwuid(meant.st_uid)
        groups = os.getgrouplist(who.pw_name, who.pw_gid)
    except (KeyError, OSError):
        return False
    return meant.st_gid in groups and not owner & ~group


def _name(entry: tuple[int, int]) -> str:
    """Return a user or a group in words, by number if it has no name."""
    import grp
    import pwd

    tag, number = entry
    try:
        if tag == _USER:
            return pwd.getpwuid(number).pw_name
        return f"group {grp.getgrgid(number).gr_name}"
    except KeyError:
        return f"{'user' if tag == _USER else 'group'} {number}"
