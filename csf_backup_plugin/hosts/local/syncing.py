"""Flush any number of files to the disk, without waiting for each of them separately.

If files are flushed one after another, the file system writes its journal once for each. It
combines requests that come at the same time: 4,000 small files take 0.5 s, not 6 to 12.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.local.entries import sync

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_AT_ONCE = 16


def sync_each(paths: Iterable[str]) -> list[str]:
    """Flush files and their names to the disk; see `Host.sync`."""
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
    """Flush files to the disk, in threads.

    Raises:
        OSError: one could not be flushed; all threads have ended by then.
    """
    # Only a restore of many databases needs it, and it takes a while to load.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        list(pool.map(_sync_some, [files[at::_AT_ONCE] for at in range(_AT_ONCE)]))
