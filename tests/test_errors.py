"""Exit codes and exceptions: one table, and complete messages."""

from __future__ import annotations

import signal

import pytest

from csf_backup_plugin import errors
from csf_backup_plugin.errors import (
    BackupError,
    FaultFound,
    Interrupted,
)
from csf_backup_plugin.exit_codes import EXIT_CODES, ExitCode

TABLE = {
    "UsageError": 2,
    "Warned": 3,
    "ImageExists": 10,
    "NoSpace": 11,
    "UnsafeImagePath": 12,
    "NotMounted": 12,
    "NotWritable": 12,
    "RepositoryIncomplete": 13,
    "WrongRepository": 13,
    "RepositoryNotFound": 14,
    "LockBusy": 20,
    "RefusedByPlugin": 21,
    "HostUnreachable": 30,
    "TimedOut": 31,
    "UtilityMissing": 32,
    "OsbackupFailed": 40,
    "ImageUnproven": 41,
    "NotQuiet": 21,
    "FaultFound": 50,
    "ExtraDatabases": 60,
    "OsrestoreFailed": 61,
    "Stale": 70,
    "Withheld": 71,
    "Declined": 1,
    "FleetFailed": 80,
}


@pytest.mark.parametrize(("name", "code"), TABLE.items())
def test_every_error_has_its_documented_exit_code(name: str, code: int) -> None:
    """Scripts rely on the numbers."""
    error = getattr(errors, name)("What happened.", "What to do.")
    assert error.exit_code == code
    assert str(error) == "What happened.\nNothing was created or changed.\nWhat to do."


def test_every_error_is_in_the_table() -> None:
    """The exceptions are the error whose exit code is a signal's, and the unexpected one."""
    others = {kind.__name__ for kind in BackupError.__subclasses__()} - {*TABLE}
    assert others == {"Interrupted", "Unexpected"}


def test_every_exit_code_belongs_to_an_error_or_to_no_error() -> None:
    """Every documented code is used."""
    classes = {error.exit_code for error in BackupError.__subclasses__()}
    assert classes | {ExitCode.DONE, ExitCode.UNEXPECTED, ExitCode.WARNINGS} == set(ExitCode)
    assert all(code.meaning for code in ExitCode)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_with_128_and_its_number(signum: signal.Signals) -> None:
    """A shell reports it in the same way."""
    assert EXIT_CODES[-1] == ("128+N", "stopped by signal N")
    error = Interrupted(signum, "The backup")
    assert error.exit_code == 128 + signum
    assert signum.name in error.what


def test_findings_are_reported_one_by_one() -> None:
    """Without findings, the message itself is the finding."""
    error = FaultFound("It is at fault:", "Do this.", ["a is missing", "b is empty"])
    assert error.what == "It is at fault:\n  a is missing\n  b is empty"
    assert error.findings == ("a is missing", "b is empty")
    assert FaultFound("It is not there.", "Do this.").findings == ("It is not there.",)
