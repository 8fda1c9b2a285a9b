"""Write a text file as a whole, or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import stat
import tempfile

from csf_backup_plugin.attempts.files import sync_directory
from csf_backup_plugin.system_errors import reason


def write(path: str, text: str) -> None:
    """Write a file that all users may read; replace an earlier one.

    The text goes to a temporary file first. Its name begins with a full stop and has no suffix, so
    that no collector reads an unfinished file.

    Args:
        path: the file; if it is a link, the link stays and its target is written.
        text: the contents.

    Raises:
        OSError: the file cannot be written; or it is a device, a pipe or a directory, which are
            never replaced. What was there is unchanged.
    """
    named = path
    try:
        path = _plain(path)
        _write(path, text)
    except OSError as error:
        raise OSError(error.errno, reason(error), named) from None


def _plain(path: str) -> str:
    """Return the path of a file with links resolved; the file need not exist."""
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
