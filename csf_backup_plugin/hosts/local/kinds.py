"""The kind of what is at a path; an error is raised, and never taken for "missing"."""

from __future__ import annotations

import errno
import os
import stat as modes
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.values import Kind

_NOWHERE = (errno.ENOENT, errno.ENOTDIR, errno.ELOOP)  # of a path that leads to nothing


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
