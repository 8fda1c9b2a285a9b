"""Renaming files that are not being read, so that no backup is removed while it is read."""

from __future__ import annotations

import errno
import fcntl
import os
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.common import NO_FLOCK
from csf_backup_plugin.hosts.local import entries
from csf_backup_plugin.hosts.local.opening import named, open_file, opened
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.steps import Withdrawal


# Errors of opening for writing a file that may still be readable, and of opening a directory.
_NOT_TO_WRITE = (errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR)


def withdraw(one: Withdrawal) -> str:
    """Rename a file; return an empty string, or why it keeps its name."""
    try:
        try:
            descriptor = _open(one.path)
        except FileNotFoundError:
            return common.GONE
        with opened(descriptor):
            if why := _why_not(descriptor, one):
                return why
            entries.move(one.path, one.to)
    except OSError as error:
        return reason(error)
    return ""


def _open(path: str) -> int:
    """Open a file, for writing if we may: NFS needs that for an exclusive lock."""
    try:
        return open_file(path, os.O_RDWR)
    except OSError as error:
        if error.errno not in _NOT_TO_WRITE:
            raise
    return open_file(path, os.O_RDONLY)


def _why_not(descriptor: int, one: Withdrawal) -> str:
    """Lock an open file; return why it keeps its name, or an empty string."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return common.BEING_READ
    except OSError as error:
        if error.errno not in NO_FLOCK:
            raise
    if why := lost_name(descriptor, one.path):
        return why
    return common.kept(one.unless) if _stands(one.unless) else ""


def lost_name(descriptor: int, path: str) -> str:
    """Return what happened to an open file's name; an empty string if it still has it."""
    try:
        at = os.lstat(path)
    except FileNotFoundError:
        return common.GONE
    with named(path):
        return "" if os.path.samestat(os.fstat(descriptor), at) else common.REPLACED


def _stands(path: str) -> bool:
    """Tell whether anything is at a path; an error is not taken for missing."""
    try:
        os.lstat(path)
    except FileNotFoundError:
        return False
    return True
