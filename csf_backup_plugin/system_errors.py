"""Errors of the operating system: in words, and as errors of ours."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import NOTHING_LEFT, BackupError, NoSpace, Unexpected
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The operating system's errors for a full disk, or an exceeded quota.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
#: What to do about a full disk, by default.
ROOM = "Make room there, and run the same command again."


class HalfDone(OSError):
    """An operation failed after it had changed a file.

    Args:
        error: the system's error.
        left: what was changed; a whole sentence.
    """

    def __init__(self, error: OSError, left: str) -> None:
        super().__init__(error.errno, error.strerror, error.filename)
        self.left = left


def add_left(error: BaseException, sentence: str) -> None:
    """Add to an error of the system what was left; other errors are not changed.

    Raises:
        HalfDone: instead of an error of the system.
    """
    if isinstance(error, OSError):
        raise HalfDone(error, sentence) from None


@contextlib.contextmanager
def translated(host: str, room: str = ROOM, left: str = NOTHING_LEFT) -> Iterator[None]:
    """Turn an `OSError`, or an unexpected error, of the block into an error of ours.

    Args:
        host: the host that it happens on.
        room: what to do if the disk is full.
        left: what was left, if it is an `OSError`.
    """
    try:
        yield
    except BackupError:
        raise
    except OSError as error:
        raise from_os_error(error, host, room, left=left) from None
    except Exception as error:
        raise Unexpected(error) from error


def from_os_error(
    error: OSError, host: str, room: str = ROOM, before: str = "", left: str = NOTHING_LEFT
) -> BackupError:
    """Return an error of the operating system as an error of ours.

    Args:
        error: its text and its file name go into the message.
        host: the host that it happened on.
        room: what to do if the disk is full.
        before: a sentence, with a blank after it, that the message begins with.
        left: what was left, unless the error says that itself.
    """
    what = f"{before}{in_words(error)} on {host}."
    left = error.left if isinstance(error, HalfDone) else left
    if error.errno in NO_ROOM:
        return NoSpace(what, room, left=left)
    return BackupError(what, "Fix that, and run the same command again.", left=left)


def in_words(error: OSError) -> str:
    """Return an error's reason, and the name of its file if it has one."""
    path = path_of(error)
    return f"{_words(error)}: {shown(path)}" if path else _words(error)


def path_of(error: OSError) -> str:
    """Return the path that an error is about; empty where it has none."""
    name = error.filename
    # A file descriptor's number is no name for a user.
    return os.fsdecode(name) if isinstance(name, (str, bytes)) else ""


def is_about(error: OSError, path: str) -> bool:
    """Tell whether an error names a file."""
    return bool(error.filename == path)


def reason(error: Exception) -> str:
    """Return an error's reason, never empty, and without a file's name.

    Args:
        error: an error of the system, of ours, or any other.
    """
    if isinstance(error, BackupError):
        return error.what
    if isinstance(error, HalfDone):
        return f"{_words(error)}; {error.left.removesuffix('.')}"
    return _words(error)


def why(error: Exception) -> str:
    """Return `in_words` for an error of the system, and `reason` for any other."""
    return in_words(error) if isinstance(error, OSError) else reason(error)


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        return error.strerror or os.strerror(error.errno)
    return str(error) or type(error).__name__
