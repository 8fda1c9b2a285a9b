"""Bring any number of files to the disk, without waiting for each of them by itself.

The journal of a file system that is asked for one file after another is written for each of them.
What is asked for at the same time it takes together: 4,000 small files take 0.5 s, not 6 to 12.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.local.entries import sync

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_AT_ONCE = 16


def sync_each(paths: Iterable[str]) -> list[str]:
    """Bring files and their names to the disk; see `Host.sync`."""
    files = list(paths)
    if len(files) > _AT_ONCE:
        _sync_many(files)
    else:
        _sync_some(files)
    return [path for path in dict.fromkeys(map(os.path.dirname, files)) if not sync(path)]


def _sync_some(files: Sequence[str]) -> None:
    for path in files:
        sync(path)


def _sync_many(files: Sequence[str]) -> None:
    """Bring files to the disk, in threads.

    Raises:
        OSError: one could not be brought there; all threads have ended then.
    """
    # Only a restore of many databases needs it, and it takes a while to load.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(_sync_some, [files[at::_AT_ONCE] for at in range(_AT_ONCE)]))
