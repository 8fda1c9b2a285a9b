"""A text file that appears whole, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile

from csf_backup_plugin.attempts.files import sync_directory
from csf_backup_plugin.system_errors import reason


def write(path: str, text: str) -> None:
    """Write a file that everybody may read, in place of an earlier one.

    It is written beside, under a name that begins with a full stop and has no suffix, so that
    nothing that collects files by suffix reads half of it.

    Args:
        path: the file; a link stays, and what it leads to is written.
        text: its contents.

    Raises:
        OSError: it cannot be written, or is a device, a pipe or a directory, which nothing may
            take the place of; what was there is as it was.
    """
    named = path
    try:
        path = _plain(path)
        _write(path, text)
    except OSError as error:
        raise OSError(error.errno, reason(error), named) from None


def _plain(path: str) -> str:
    """Return where a file is, or can be; links are followed."""
    with contextlib.suppress(FileNotFoundError):
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise OSError(errno.EINVAL, "Not a plain file")
    return os.path.realpath(path)


def _write(path: str, text: str) -> None:
    directory = os.path.dirname(path)
    descriptor, beside = tempfile.mkstemp(prefix=".csf-", dir=directory)
    try:
        with open(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fchmod(descriptor, 0o644)
            os.fsync(descriptor)
        os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
    sync_directory(directory)
