"""What is at a path; an error is raised, and never taken for "missing"."""

from __future__ import annotations

import errno
import os
import stat as modes
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.protocol import Stat

if TYPE_CHECKING:
    from collections.abc import Iterable

    from csf_backup_plugin.hosts.protocol import Kind

_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)  # of a path that leads to nothing
_SECTOR = 512  # bytes; the unit of st_blocks, whatever the file system's block size is


def stat(paths: Iterable[str]) -> list[Stat]:
    """Return what is at each path, in order; see `Host.stat`."""
    return [_stat(path) for path in paths]


def _stat(path: str) -> Stat:
    kind, status = standing(path)
    link = is_link(path)
    if status is None:
        return Stat(kind, link=link)
    is_file = kind == "file"
    return Stat(
        kind,
        size=status.st_size if is_file else 0,
        link=link,
        stamp=_stamp(status) if is_file else "",
        allocated=status.st_blocks * _SECTOR if is_file else 0,
        device=status.st_dev,
        inode=status.st_ino,
        readable=os.access(path, os.R_OK),
    )


def _stamp(status: os.stat_result) -> str:
    return f"{status.st_ino}-{status.st_size}-{status.st_mtime_ns}-{status.st_ctime_ns}"


def standing(path: str) -> tuple[Kind, os.stat_result | None]:
    """Return what is at `path`, and the status of what it leads to, if it leads to anything.

    Raises:
        OSError: it cannot be found out; that is not taken for missing.
    """
    try:
        status = os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return ("other" if is_link(path) else "missing"), None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return "other", None
        raise
    if modes.S_ISREG(status.st_mode):
        return "file", status
    return ("directory" if modes.S_ISDIR(status.st_mode) else "other"), status


def kind_of(path: str) -> tuple[Kind, int]:
    """Return the kind of what is at `path`, and its size in bytes; symbolic links are followed."""
    kind, status = standing(path)
    return kind, status.st_size if status and kind == "file" else 0


def is_link(path: str) -> bool:
    """Return whether a path itself is a symbolic link."""
    try:
        return modes.S_ISLNK(os.lstat(path).st_mode)
    except OSError as error:
        if error.errno in _NOWHERE:
            return False
        raise
