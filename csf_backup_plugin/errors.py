"""Every way a command can end: one table of exit codes, one tree of exceptions."""

from __future__ import annotations

import contextlib
import enum
import errno
import os
import signal
from typing import TYPE_CHECKING

from csf_backup_plugin.names import first, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class ExitCode(enum.IntEnum):
    """The exit codes of every command, with their meaning. A code that is not here is a failure."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> ExitCode:
        """Make the member for `code` and let it know what it means."""
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
    HOST_UNREACHABLE = 30, "the host cannot be reached"
    TIMED_OUT = 31, "timed out"
    UTILITY_MISSING = 32, "an ObjectStore utility was not found"
    OSBACKUP_FAILED = 40, "osbackup failed"
    IMAGE_UNPROVEN = 41, "the image failed its proof"
    FAULT_FOUND = 50, "a fault was found in what is kept, or the newest image is not certain"
    EXTRA_DATABASES = 60, "restore refused: there are extra databases"
    OSRESTORE_FAILED = 61, "osrestore failed"


#: The table of exit codes as help and documents have it: code and meaning of each.
EXIT_CODES = (
    *((str(code.value), code.meaning) for code in ExitCode),
    ("128+N", "stopped by signal N"),
)
#: What the operating system says where a disk, or a user's share of it, is full.
NO_ROOM = (errno.ENOSPC, errno.EDQUOT)
#: What to do where a disk is full, as a rule.
ROOM = "Make room there, and run the same command again."
#: What a command says of its traces where there are none.
NOTHING_LEFT = "Nothing was created or changed."
#: What it says where nobody has looked.
UNKNOWN_LEFT = "Whether anything was created or changed is not known."


class BackupError(Exception):
    """A command ended without doing what it was asked.

    Args:
        what: what happened, on which host, to which file; whole sentences.
        next_step: what to do now, with the command to type where there is one.
        facts: the same for a program, where there is more to it than the sentences.
        left: what was left as it was, and what was not; whole sentences.
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
    """Something happened that nobody has thought of.

    Args:
        error: what.

    Attributes:
        cause: the same.
    """

    def __init__(self, error: BaseException) -> None:
        said = shown(" ".join(str(error).split()))
        super().__init__(
            "This is a fault of csf-backup-plugin; please report it. "
            f"{type(error).__name__}{f': {said}' if said else ''}{_place(error)}.",
            "Report it with the log, which tells where it happened: run the same command again "
            "with -verbose, or with CSF_BACKUP_LOG=FILE in its environment.",
            left=UNKNOWN_LEFT,
        )
        self.cause = error


class Warned(BackupError):
    """All was done, and there were warnings, which -strict makes count."""

    exit_code = ExitCode.WARNINGS


class UsageError(BackupError):
    """An argument cannot be what it should be."""

    exit_code = ExitCode.USAGE


class ImageExists(BackupError):
    """Something already stands where the image, its import file or its receipt would go."""

    exit_code = ExitCode.IMAGE_EXISTS


class NoSpace(BackupError):
    """The file system that is to be written to has no room."""

    exit_code = ExitCode.NO_SPACE


class UnsafeImagePath(BackupError):
    """The image must not, or cannot, be written to that directory."""

    exit_code = ExitCode.UNSAFE_IMAGE_PATH


class NotMounted(BackupError):
    """The file system that should be at a directory is not there."""

    exit_code = ExitCode.UNSAFE_IMAGE_PATH


class NotWritable(BackupError):
    """A directory that databases are to be written to is not writable for this user."""

    exit_code = ExitCode.UNSAFE_IMAGE_PATH


class RepositoryIncomplete(BackupError):
    """Databases the repository should have are missing, or cannot be named."""

    exit_code = ExitCode.REPOSITORY_INCOMPLETE


class WrongRepository(BackupError):
    """An image, a database or a directory is another repository's, or nobody knows whose."""

    exit_code = ExitCode.REPOSITORY_INCOMPLETE


class RepositoryNotFound(BackupError):
    """There is no master database at the path given."""

    exit_code = ExitCode.REPOSITORY_NOT_FOUND


class LockBusy(BackupError):
    """Another command held the repository's lock for longer than we wait."""

    exit_code = ExitCode.LOCK_BUSY


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
    """osbackup ended with anything but success."""

    exit_code = ExitCode.OSBACKUP_FAILED


class ImageUnproven(BackupError):
    """osbackup said it succeeded, and the image does not bear it out."""

    exit_code = ExitCode.IMAGE_UNPROVEN


class FaultFound(BackupError):
    """An image, or what stands beside it, is not as its backup left it.

    Args:
        what: what is at fault; whole sentences.
        next_step: what to do now.
        findings: all that was found, one by one; they are told after `what`.
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
    """An image without a receipt cannot be given one; the findings are why."""

    exit_code = ExitCode.IMAGE_UNPROVEN


class OtherVersion(FaultFound):
    """A document is of a version of this plugin that this one does not read."""


class ExtraDatabases(BackupError):
    """The repository has databases that the image to be restored does not hold."""

    exit_code = ExitCode.EXTRA_DATABASES


class OsrestoreFailed(BackupError):
    """osrestore ended with anything but success, or did not do what it said."""

    exit_code = ExitCode.OSRESTORE_FAILED


class Declined(BackupError):
    """The user was asked, and did not agree."""


class Interrupted(BackupError):
    """A signal asked the command to end.

    Args:
        signum: the signal's number; the exit code is 128 more, as a shell would report it.
        doing: what was stopped.
    """

    def __init__(self, signum: int, doing: str) -> None:
        super().__init__(
            f"{doing} was stopped by {signal.Signals(signum).name}.",
            "Run the same command again when you want it done.",
        )
        self.exit_code = 128 + signum


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


def _words(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        return error.strerror or os.strerror(error.errno)
    return str(error) or type(error).__name__


def _place(error: BaseException) -> str:
    """Return where an error was raised, in words."""
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    if trace is None:
        return ""
    name = trace.tb_frame.f_globals.get("__name__", "unknown module")
    return f" ({name}, line {trace.tb_lineno})"
