"""What is at a path, in all that `Host.stat` tells."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.local.kinds import is_link, standing
from csf_backup_plugin.hosts.protocol.values import Stat

if TYPE_CHECKING:
    from collections.abc import Iterable

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
