"""The word for how an attempt ended, from its exit code."""

from __future__ import annotations

from csf_backup_plugin.exit_codes import ExitCode

DONE, REFUSED, FAILED, STOPPED, KILLED = "done", "refused", "failed", "stopped", "killed"

_SIGNALLED = 128  # a signal's number is added to it
_DONE = {ExitCode.DONE, ExitCode.WARNINGS, ExitCode.WITHHELD}
_REFUSED = {
    ExitCode.USAGE,
    ExitCode.IMAGE_EXISTS,
    ExitCode.NO_SPACE,
    ExitCode.UNSAFE_IMAGE_PATH,
    ExitCode.REPOSITORY_INCOMPLETE,
    ExitCode.REPOSITORY_NOT_FOUND,
    ExitCode.LOCK_BUSY,
    ExitCode.REFUSED,
    ExitCode.HOST_UNREACHABLE,
    ExitCode.UTILITY_MISSING,
    ExitCode.EXTRA_DATABASES,
}


def outcome_of(code: int) -> str:
    """Return what an exit code means: `DONE`, `REFUSED`, `STOPPED`, or otherwise `FAILED`."""
    if code > _SIGNALLED:
        return STOPPED
    if code in _DONE:
        return DONE
    return REFUSED if code in _REFUSED else FAILED
