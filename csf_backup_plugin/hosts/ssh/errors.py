"""Answers of the host; a failure becomes the error that the local host would raise."""

from __future__ import annotations

import enum
import errno
import os
import re
from typing import NamedTuple

from csf_backup_plugin.hosts import common
from csf_backup_plugin.names import shown
from csf_backup_plugin.system_errors import HalfDone


class Status(enum.IntEnum):
    """The exit statuses of the library's functions, where they have these names in lower case."""

    NOT_A_FILE = 81
    TORN = 82
    LINK = 83
    TOO_LARGE = 84
    ANOTHERS = 85
    STICKY = 86
    PART = 87
    REPLACED = 88
    MADE = 89
    REMOVED = 90
    NOT_BEGUN = 91  # whether the utility will begin is not known yet
    LEFT = 92  # the utility cannot be ended
    ANOTHERS_RUN = 93  # the record now belongs to another run
    NOT_STARTED = 94  # the record is missing, or belongs to another run
    GONE = 95  # this and the next three are why a file is not withdrawn
    BEING_READ = 96
    KEPT = 97
    REPLACED_MEANWHILE = 98
    BUSY = 99  # the file is about to be withdrawn


_OURS: dict[int, tuple[int, str]] = {
    Status.NOT_A_FILE: (errno.EINVAL, "Not a file"),
    Status.TORN: (errno.EINVAL, "Not one whole line in it"),
    Status.LINK: (errno.ELOOP, "Is a symbolic link"),
    Status.GONE: (errno.ENOENT, os.strerror(errno.ENOENT)),
    Status.TOO_LARGE: (errno.EFBIG, os.strerror(errno.EFBIG)),
    Status.ANOTHERS: (errno.EPERM, "Belongs to another user"),
    Status.STICKY: (errno.EPERM, f"{os.strerror(errno.EPERM)} {common.STICKY}"),
}
# What a script with such a status has done before it failed.
_LEFT: dict[int, str] = {
    Status.PART: "What was to be added to {} may be in it, in part or in whole.",
    Status.REPLACED: "{} was replaced anyway; a power cut may undo that.",
    Status.MADE: "{} was made, and could not be removed again.",
    Status.REMOVED: "{} was removed anyway; a power cut may undo that.",
}

# What bash, dash and busybox print instead of the system's words.
_WORDS = {
    "cannot overwrite existing file": errno.EEXIST,
    "Directory nonexistent": errno.ENOENT,
    "nonexistent directory": errno.ENOENT,
    "No such file": errno.ENOENT,
    "no such file": errno.ENOENT,
}
_WORDS.update({os.strerror(number): number for number in errno.errorcode})
_PATTERN = re.compile("|".join(map(re.escape, sorted(_WORDS, key=len, reverse=True))))


class Answer(NamedTuple):
    """How a call ended.

    Attributes:
        status: its exit status.
        output: what it printed on standard output.
        errors: what it printed on standard error.
    """

    status: int
    output: bytes
    errors: bytes


def check(answer: Answer, path: str) -> Answer:
    """Return the answer of a script, which must have succeeded.

    Args:
        answer: how the script ended.
        path: the file that the script was about.

    Raises:
        OSError: the script failed; its errors contain the system's words for the number.
    """
    if answer.status:
        raise os_error(answer, path)
    return answer


def os_error(answer: Answer, path: str) -> OSError:
    """Return the error that a failed script reports."""
    if answer.status in _OURS:
        return OSError(*_OURS[answer.status], path)
    if answer.status in _LEFT:
        error = os_error(answer._replace(status=1), path)
        return HalfDone(error, _LEFT[answer.status].format(shown(path)))
    said = answer.errors.decode("utf-8", "backslashreplace")
    numbers = [_WORDS[found] for found in _PATTERN.findall(said)]
    if numbers:
        return OSError(numbers[-1], os.strerror(numbers[-1]), path)
    lines = said.strip().splitlines() or [f"exit status {answer.status}"]
    return OSError(errno.EIO, lines[-1], path)
