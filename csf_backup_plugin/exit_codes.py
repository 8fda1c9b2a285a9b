"""The exit codes: one table, from which help and documents come."""

from __future__ import annotations

import enum


class ExitCode(enum.IntEnum):
    """The exit codes of every command, with their meaning. A code that is not here is a failure."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> ExitCode:
        """Create the member for `code`, with its meaning."""
        member = int.__new__(cls, code)
        member._value_ = code
        member.meaning = meaning
        return member

    DONE = 0, "done"
    UNEXPECTED = 1, "unexpected error"
    USAGE = 2, "the command line is wrong"
    WARNINGS = 3, "done, with warnings, under -strict"
    IMAGE_EXISTS = 10, "the image, or a file of its set, exists"
    NO_SPACE = 11, "not enough space"
    UNSAFE_IMAGE_PATH = 12, "a directory is missing, not writable, unsafe, or not mounted"
    REPOSITORY_INCOMPLETE = 13, "the repository is incomplete, ambiguous, or another one"
    REPOSITORY_NOT_FOUND = 14, "the repository was not found"
    LOCK_BUSY = 20, "the repository is locked by another command"
    REFUSED = 21, "refused: not quiet, or by a plugin"
    HOST_UNREACHABLE = 30, "the host cannot be reached, or lacks what is needed"
    TIMED_OUT = 31, "timed out"
    UTILITY_MISSING = 32, "an ObjectStore utility was not found"
    OSBACKUP_FAILED = 40, "osbackup failed"
    IMAGE_UNPROVEN = 41, "the image failed its proof"
    FAULT_FOUND = 50, "a fault was found in the images, or which one is the newest is not certain"
    EXTRA_DATABASES = 60, "restore refused: there are extra databases"
    OSRESTORE_FAILED = 61, "osrestore failed"
    STALE = 70, "no proven image, too old, not drilled, or hardly any room left"
    WITHHELD = 71, "backed up, but nothing was deleted"
    FLEET = 80, "jobs of a fleet failed with different codes"


#: The table of exit codes as help and documents have it: code and meaning of each.
EXIT_CODES = (
    *((str(code.value), code.meaning) for code in ExitCode),
    ("128+N", "stopped by signal N"),
)
