"""Answers of the host, and of those that tell of an error, the one the local host would raise."""

from __future__ import annotations

import errno
import os
import re
from typing import NamedTuple

from csf_backup_plugin.hosts import common
from csf_backup_plugin.names import shown
from csf_backup_plugin.system_errors import HalfDone

NOT_A_FILE = 81  # exit statuses of the library's functions
TORN = 82
LINK = 83
TOO_LARGE = 84
ANOTHERS = 85
STICKY = 86
PART, REPLACED, MADE, REMOVED = 87, 88, 89, 90
NOT_BEGUN = 91  # nobody knows whether the utility will begin yet
LEFT = 92  # it cannot be ended
ANOTHERS_RUN = 93  # the record is another run's by now
NOT_STARTED = 94  # the record is not the one that was to be made
GONE, BEING_READ, KEPT, REPLACED_MEANWHILE = 95, 96, 97, 98  # why a file is not withdrawn
BUSY = 99  # it is about to be withdrawn
#: By what name the library has each.
STATUSES = {
    "not_a_file": NOT_A_FILE,
    "torn": TORN,
    "link": LINK,
    "too_large": TOO_LARGE,
    "anothers": ANOTHERS,
    "sticky": STICKY,
    "part": PART,
    "replaced": REPLACED,
    "made": MADE,
    "removed": REMOVED,
    "not_begun": NOT_BEGUN,
    "left": LEFT,
    "anothers_run": ANOTHERS_RUN,
    "not_started": NOT_STARTED,
    "busy": BUSY,
    "gone": GONE,
    "being_read": BEING_READ,
    "kept": KEPT,
    "replaced_meanwhile": REPLACED_MEANWHILE,
}
_OURS = {
    NOT_A_FILE: (errno.EINVAL, "Not a file"),
    TORN: (errno.EINVAL, "Not one whole line in it"),
    LINK: (errno.ELOOP, "Is a symbolic link"),
    GONE: (errno.ENOENT, os.strerror(errno.ENOENT)),
    TOO_LARGE: (errno.EFBIG, os.strerror(errno.EFBIG)),
    ANOTHERS: (errno.EPERM, "Belongs to another user"),
    STICKY: (errno.EPERM, f"{os.strerror(errno.EPERM)} {common.STICKY}"),
}
# What such a script has done before it failed.
_LEFT = {
    PART: "What was to be added to {} may be in it, in part or in whole.",
    REPLACED: "{} was replaced anyway; a power cut may undo that.",
    MADE: "{} was made, and could not be removed again.",
    REMOVED: "{} was removed anyway; a power cut may undo that.",
}

# What bash, dash and busybox say in words of their own.
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
    """Return the answer of a script that succeeded.

    Args:
        answer: how it ended.
        path: the file it was about.

    Raises:
        OSError: it failed; the number is that of the system's words in what it said.
    """
    if answer.status:
        raise os_error(answer, path)
    return answer


def os_error(answer: Answer, path: str) -> OSError:
    """Return a failure as the error it stands for."""
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
