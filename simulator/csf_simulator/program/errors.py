"""The errors of a utility: number, text and ObjectStore's name of the exception."""

from __future__ import annotations

import errno

from csf_simulator.database.header import NotADatabase, WrongLength
from csf_simulator.server.refusals import DatabaseInUse, NoServer
from csf_simulator.system.text import CONTROL

BROKEN_SERVER_CONNECTION = "err_broken_server_connection"
DATABASE_NOT_FOUND = "err_database_not_found"
DATABASE_LOCK_CONFLICT = "err_database_lock_conflict"
INCONSISTENT_DB = "err_inconsistent_db"
DIRECTORY_NOT_FOUND = "err_directory_not_found"
FILE_NOT_DB = "err_file_not_db"
NOT_A_DATABASE = "err_not_a_database"
PERMISSION_DENIED = "err_permission_denied"
READ_ONLY_FILE_SYSTEM = "err_read_only_file_system"
MISC = "err_misc"

# The names are real: those of the headers of 6.0 SP8. The number of err_misc is the manual's
# example; the others are simulated, for the real ones are not known.
NUMBERS = {
    MISC: "0001-0040",
    DATABASE_NOT_FOUND: "0001-9901",
    INCONSISTENT_DB: "0001-9902",
    PERMISSION_DENIED: "0001-9903",
    DATABASE_LOCK_CONFLICT: "0001-9904",
    BROKEN_SERVER_CONNECTION: "0001-9905",
    DIRECTORY_NOT_FOUND: "0001-9906",
    FILE_NOT_DB: "0001-9907",
    NOT_A_DATABASE: "0001-9908",
    READ_ONLY_FILE_SYSTEM: "0001-9909",
}

_NAMES: dict[type[Exception], str] = {
    DatabaseInUse: DATABASE_LOCK_CONFLICT,
    NoServer: BROKEN_SERVER_CONNECTION,
    NotADatabase: FILE_NOT_DB,
    WrongLength: INCONSISTENT_DB,
}


class UtilityError(Exception):
    """A failure of a utility.

    Attributes:
        text: what happened, for people.
        name: ObjectStore's name of the exception, one of those above.
        status: the exit status it leads to.
    """

    def __init__(self, text: str, name: str = MISC, status: int = 1) -> None:
        super().__init__(text)
        self.text = text
        self.name = name
        self.status = status

    def line(self) -> str:
        """Return the line for stderr, in the shape the ObjectStore 6.0 manual documents."""
        return f"<err-{NUMBERS[self.name]}>{in_one_line(self)} ({self.name})"


class UsageError(Exception):
    """The command line is not one the utility understands."""


def in_one_line(error: Exception) -> str:
    """Return what went wrong, control characters of names in it escaped."""
    text = _describe(error) if isinstance(error, OSError) else str(error)
    return CONTROL.sub(lambda found: repr(found[0])[1:-1], text)


def explain(error: Exception, missing: str = DATABASE_NOT_FOUND) -> UtilityError:
    """Turn a failure of the operating system, of a database or of an image into a utility's.

    Args:
        error: a UtilityError is returned as it is.
        missing: name of the exception for a file that does not exist.
    """
    if isinstance(error, UtilityError):
        return error
    if type(error) in _NAMES:
        return UtilityError(str(error), _NAMES[type(error)])
    if isinstance(error, OSError):
        return UtilityError(_describe(error), _name_of(error, missing))
    return UtilityError(str(error))


def _describe(error: OSError) -> str:
    """Say what the operating system says, and of which file."""
    text = error.strerror or str(error)
    name = error.filename if error.filename2 is None else error.filename2
    return text if name is None else f"{name}: {text}"


def _name_of(error: OSError, missing: str) -> str:
    """Return ObjectStore's name for an error of the operating system."""
    if isinstance(error, FileNotFoundError):
        return missing
    if isinstance(error, NotADirectoryError):
        return DIRECTORY_NOT_FOUND
    if error.errno == errno.EROFS:
        return READ_ONLY_FILE_SYSTEM
    return PERMISSION_DENIED if isinstance(error, PermissionError) else MISC
