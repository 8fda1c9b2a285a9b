"""Every way a command can end without doing what it was asked: one tree of exceptions."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.names import first, shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: What a command says about its changes if there are none.
NOTHING_LEFT = "Nothing was created or changed."
#: What it says if that was not checked.
UNKNOWN_LEFT = "Whether anything was created or changed is not known."


class BackupError(Exception):
    """A command ended without doing what it was asked.

    Args:
        what: what happened, on which host, to which file; whole sentences.
        next_step: what to do now, with the command to type where there is one.
        facts: details for a program, if there are more than in the sentences.
        left: what was left unchanged, and what was not; whole sentences.
    """

    exit_code: int = ExitCode.UNEXPECTED

    def __init__(
        self,
        what: str,
        next_step: str,
        facts: Mapping[str, object] | None = None,
        left: str = NOTHING_LEFT,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step
        self.left = left
        self.facts = dict(facts or {})

    def __str__(self) -> str:
        """Return the whole message: what happened, what was left, what to do."""
        return "\n".join((self.what, self.left, self.next_step))


class Unexpected(BackupError):
    """An unexpected error happened.

    Args:
        error: the error.

    Attributes:
        cause: the error.
    """

    def __init__(self, error: BaseException) -> None:
        said = shown(" ".join(str(error).split()))
        super().__init__(
            "This is a fault of csf-backup-plugin; please report it. "
            f"{type(error).__name__}{f': {said}' if said else ''}{_place(error)}.",
            "Report it with the log, which shows where it happened: run the same command again "
            "with -verbose, or with CSF_BACKUP_LOG=FILE in its environment.",
            left=UNKNOWN_LEFT,
        )
        self.cause = error


class Warned(BackupError):
    """All was done, with warnings, and -strict was given."""

    exit_code = ExitCode.WARNINGS


class UsageError(BackupError):
    """An argument is not valid."""

    exit_code = ExitCode.USAGE


class ImageExists(BackupError):
    """Something exists already at the path of the image, its import file or its receipt."""

    exit_code = ExitCode.IMAGE_EXISTS


class NoSpace(BackupError):
    """The file system that is to be written to has not enough space."""

    exit_code = ExitCode.NO_SPACE


class UnsafeImagePath(BackupError):
    """The image must not, or cannot, be written to that directory."""

    exit_code = ExitCode.UNSAFE_IMAGE_PATH


class NotMounted(BackupError):
    """The file system that should be at a directory is not there."""

    exit_code = ExitCode.UNSAFE_IMAGE_PATH


class NotWritable(BackupError):
    """This user cannot write to a directory that databases are to be written to."""

    exit_code = ExitCode.UNSAFE_IMAGE_PATH


class RepositoryIncomplete(BackupError):
    """Databases that the repository should have are missing, or cannot be named."""

    exit_code = ExitCode.REPOSITORY_INCOMPLETE


class WrongRepository(BackupError):
    """An image, a database or a directory belongs, or may belong, to another repository."""

    exit_code = ExitCode.REPOSITORY_INCOMPLETE


class RepositoryNotFound(BackupError):
    """There is no master database at the path given."""

    exit_code = ExitCode.REPOSITORY_NOT_FOUND


class LockBusy(BackupError):
    """Another command held the repository's lock for longer than we wait."""

    exit_code = ExitCode.LOCK_BUSY


class RefusedByPlugin(BackupError):
    """A plugin's hook has refused the attempt."""

    exit_code = ExitCode.REFUSED


class NotQuiet(BackupError):
    """The databases must be quiet, and somebody may be using them."""

    exit_code = ExitCode.REFUSED


class HostUnreachable(BackupError):
    """Commands cannot be run on the host."""

    exit_code = ExitCode.HOST_UNREACHABLE


class TimedOut(BackupError):
    """A utility did not end in time."""

    exit_code = ExitCode.TIMED_OUT


class UtilityMissing(BackupError):
    """osbackup or osrestore is not where it is looked for."""

    exit_code = ExitCode.UTILITY_MISSING


class OsbackupFailed(BackupError):
    """osbackup failed."""

    exit_code = ExitCode.OSBACKUP_FAILED


class ImageUnproven(BackupError):
    """osbackup reported success, but the image failed its proof."""

    exit_code = ExitCode.IMAGE_UNPROVEN


class FaultFound(BackupError):
    """An image, or a file beside it, is not as its backup left it.

    Args:
        what: what is at fault; whole sentences.
        next_step: what to do now.
        findings: all that was found, one by one; the message lists them after `what`.
        left: as for `BackupError`.
    """

    exit_code = ExitCode.FAULT_FOUND

    def __init__(
        self, what: str, next_step: str, findings: Sequence[str] = (), left: str = NOTHING_LEFT
    ) -> None:
        lines = (f"  {finding}" for finding in first(findings))
        super().__init__("\n".join((what, *lines)), next_step, left=left)
        self.findings = tuple(findings) or (what,)
        self.facts = {"findings": list(self.findings)}


class CannotBeProven(FaultFound):
    """An image cannot be given a receipt; the findings say why."""

    exit_code = ExitCode.IMAGE_UNPROVEN


class NoReceipt(FaultFound):
    """There is no such image, or it has no receipt and so is not a backup."""


class NotRestorable(FaultFound):
    """An image is as its backup left it, and still could not be restored whole."""


class OtherVersion(FaultFound):
    """A document was written by a version of this plugin that this one cannot read."""


class ExtraDatabases(BackupError):
    """The repository has databases that the image to be restored does not hold."""

    exit_code = ExitCode.EXTRA_DATABASES


class OsrestoreFailed(BackupError):
    """osrestore failed, or did not do what it reported."""

    exit_code = ExitCode.OSRESTORE_FAILED


class Stale(BackupError):
    """The newest backup is too old, or not known to be restorable, or space runs out."""

    exit_code = ExitCode.STALE


class Withheld(BackupError):
    """A backup was made and proven, but older ones that were due for removal were kept."""

    exit_code = ExitCode.WITHHELD


class FleetFailed(BackupError):
    """Jobs of a fleet were not done; if all have the same exit code, this error has it, too."""

    exit_code: int = ExitCode.FLEET


class Declined(BackupError):
    """The user was asked, and did not agree."""


class Interrupted(BackupError):
    """A signal asked the command to end.

    Args:
        signum: the signal's number; the exit code is 128 plus that, as a shell reports it.
        doing: what was stopped.
    """

    def __init__(self, signum: int, doing: str) -> None:
        super().__init__(
            f"{doing} was stopped by {signal.Signals(signum).name}.",
            "Run the same command again when you want it done.",
        )
        self.exit_code = 128 + signum


def _place(error: BaseException) -> str:
    """Return where an error was raised, in words."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    if trace is None:
        return ""
    name = trace.tb_frame.f_globals.get("__name__", "unknown module")
    return f" ({name}, line {trace.tb_lineno})"
