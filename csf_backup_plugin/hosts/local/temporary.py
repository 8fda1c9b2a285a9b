"""Temporary files, which get their final name once they are written, and those of a killed csf.

A temporary file is locked by flock(2) while it is written. One that is old and not locked is
abandoned: no csf, on whatever host, takes so long to write one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.common import ABANDONED
from csf_backup_plugin.hosts.local import entries
from csf_backup_plugin.hosts.local.opening import named, open_file

if TYPE_CHECKING:
    from collections.abc import Iterator

_OURS = re.compile(r"\.csf-[0-9a-f]{16}\.tmp(\.own)?")


@contextlib.contextmanager
def temporary(path: str, data: bytes) -> Iterator[str]:
    """Create a temporary file beside another file; remove it at the end if it still exists.

    Args:
        path: the other file.
        data: the contents, which are on the disk when the block begins.

    Yields:
        The path of the temporary file.
    """
    directory = os.path.dirname(path)
    _remove_abandoned(directory)
    aside = os.path.join(directory, f".csf-{os.urandom(8).hex()}.tmp")
    descriptor = create(aside)
    try:
        with contextlib.suppress(OSError):  # without locks, its age protects it
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        with named(aside):
            entries.write(descriptor, data)
        yield aside
    except BaseException as error:
        entries.take_back(aside, error)
        raise
    finally:
        with contextlib.suppress(OSError):
            os.unlink(aside)
        with contextlib.suppress(OSError):  # its contents were flushed to the disk before
            os.close(descriptor)


def create(path: str) -> int:
    """Create a file that must not exist yet, not writable for everybody; return its descriptor.

    A daemon's umask is often 0.
    """
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o664)


def _remove_abandoned(directory: str) -> None:
    """Remove temporary files of this user that a killed csf has left there; ignore failures."""
    with contextlib.suppress(OSError), os.scandir(directory) as found:
        for name in [one.name for one in found if _OURS.fullmatch(one.name)]:
            with contextlib.suppress(OSError):
                _remove_if_abandoned(os.path.join(directory, name))


def _remove_if_abandoned(path: str) -> None:
    descriptor = open_file(path, os.O_RDWR)
    try:
        status = os.fstat(descriptor)
        if status.st_uid != os.geteuid():
            return
        if status.st_nlink == 1:  # it has no other name yet
            if status.st_mtime > time.time() - ABANDONED:
                return
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.path.samestat(status, os.lstat(path)):
            os.unlink(path)
    finally:
        os.close(descriptor)
