"""A text file that appears whole, or not at all."""

from __future__ import annotations

import contextlib
import os
import tempfile


def write(path: str, text: str) -> None:
    """Write a file that everybody may read, in place of an earlier one.

    It is written beside, under a name that begins with a full stop and has no suffix, so that
    nothing that collects files by suffix reads half of it.

    Args:
        path: the file.
        text: its contents.

    Raises:
        OSError: it cannot be written; an earlier one is as it was.
    """
    directory = os.path.dirname(os.path.abspath(path))
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
    at = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(at)
    finally:
        os.close(at)
