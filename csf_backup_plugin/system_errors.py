"""What the operating system refuses: why, in words, and as an error of ours."""

from __future__ import annotations

import contextlib
import errno
import os
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import NOTHING_LEFT, BackupError, NoSpace, Unexpected
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What the operating system says where a disk, or a user's share of it, is full.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
#: What to do where a disk is full, as a rule.
ROOM = "Make room there, and run the same command again."


class HalfDone(OSError):
    """The system refused the end of what has changed a file all the same.

    Args:
        error: what it said.
        left: what was changed; a whole sentence.
    """

    def __init__(self, error: OSError, left: str) -> None:
        super().__init__(error.errno, error.strerror, error.filename)
        self.left = left


def add_left(error: BaseException, sentence: str) -> None:
    """Let an error of the system's say what was left; any other says nothing of that.

    Raises:
        HalfDone: instead of the error.
    """
    if isinstance(error, OSError):
        raise HalfDone(error, sentence) from None


@contextlib.contextmanager
def translated(host: str, room: str = ROOM, left: str = NOTHING_LEFT) -> Iterator[None]:
    """Turn an `OSError` of the block, or what nobody has thought of, into an error of ours.

    Args:
        host: the host it happens on.
        room: what to do where the disk is full.
        left: what was left, where the system has refused something.
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
    """Return what the operating system refused as an error of ours.

    Args:
        error: its words and its file name go into the message.
        host: the host it happened on.
        room: what to do where the disk is full.
        before: a sentence, and a blank, that the message begins with.
        left: what was left, unless the error tells.
    """
    what = f"{before}{in_words(error)} on {host}."
    left = error.left if isinstance(error, HalfDone) else left
    if error.errno in NO_ROOM:
        return NoSpace(what, room, left=left)
    return BackupError(what, "Put that right and run the same command again.", left=left)


def in_words(error: OSError) -> str:
    """Return why something went wrong, and with which file, if that has a name."""
    name = error.filename
    if isinstance(name, bytes):
        name = os.fsdecode(name)
    # An open file's number is nobody's name for it.
    return f"{_words(error)}: {shown(name)}" if name and isinstance(name, str) else _words(error)


def is_about(error: OSError, path: str) -> bool:
    """Tell whether an error names a file."""
    return bool(error.filename == path)


def reason(error: Exception) -> str:
    """Return why something went wrong, in words that are never empty, and without a file's name.

    Args:
        error: of the system's, of ours, or any other.
    """
    if isinstance(error, BackupError):
        return error.what
    if isinstance(error, HalfDone):
        return f"{_words(error)}; {error.left.removesuffix('.')}"
    return _words(error)


def why(error: Exception) -> str:
    """Return `in_words` of the system's errors, and `reason` of all others."""
    return in_words(error) if isinstance(error, OSError) else reason(error)


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        return error.strerror or os.strerror(error.errno)
    return str(error) or type(error).__name__
