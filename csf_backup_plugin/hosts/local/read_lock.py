"""A shared lock on a file that is read, so that it is not withdrawn; the file is not changed."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.common import NO_FLOCK
from csf_backup_plugin.hosts.local.opening import named, open_file, opened
from csf_backup_plugin.hosts.local.withdrawal import lost_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.cancellation import Cancellation

_POLL = 0.05  # seconds between two attempts


@contextlib.contextmanager
def held(path: str, host: str, cancellation: Cancellation) -> Iterator[None]:
    """Hold a shared lock on a file while the block runs; see `Host.reading`."""
    descriptor = open_file(path, os.O_RDONLY)
    with opened(descriptor):
        with named(path):
            _lock(descriptor, path, host, cancellation)
        if lost_name(descriptor, path):
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)
        yield


def _lock(descriptor: int, path: str, host: str, cancellation: Cancellation) -> None:
    """Lock an open file, if its file system has locks.

    Raises:
        LockBusy: somebody held it exclusively for too long.
    """
    deadline = time.monotonic() + common.WITHDRAWAL
    while True:
        cancellation.check()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise common.withdrawing(path, host) from None
            time.sleep(_POLL)
        except OSError as error:
            if error.errno not in NO_FLOCK:
                raise
            return
        else:
            return
