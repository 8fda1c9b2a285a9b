"""Errors of the operating system become errors that say what happened, and where."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import pytest

from csf_backup_plugin import errors
from csf_backup_plugin.errors import (
    NOTHING_LEFT,
    UNKNOWN_LEFT,
    BackupError,
    NoSpace,
    Unexpected,
)
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.system_errors import HalfDone, from_os_error, reason, translated


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_and_a_full_quota_are_no_space(number: int) -> None:
    """It does not matter which call fails."""
    error = from_os_error(OSError(number, "Full", "/b/a.img.dbn"), "db1")
    assert error.exit_code == ExitCode.NO_SPACE
    assert error.what == "Full: /b/a.img.dbn on db1."


def test_any_other_refusal_of_the_system_is_unexpected_and_names_the_file() -> None:
    """Without a number and a file, or with an open file's number only, it says just that."""
    assert (
        from_os_error(PermissionError(13, "Denied", "/r/x"), "db1").what == "Denied: /r/x on db1."
    )
    error = from_os_error(OSError("odd"), "db1")
    assert error.exit_code == ExitCode.UNEXPECTED
    assert error.what == "odd on db1."
    assert from_os_error(OSError(), "db1").what == "OSError on db1."
    assert from_os_error(OSError(5, None), "db1").what == "Input/output error on db1."
    for name, words in ((3, ""), (0, ""), ("", ""), (b"/r/\xff", ": /r/\\xff")):
        error = from_os_error(IsADirectoryError(21, "Is a directory", name), "db1")
        assert error.what == f"Is a directory{words} on db1."


def test_no_message_is_made_of_an_errors_own_attributes() -> None:
    """They may be None, or an open file's number; `reason` and `in_words` handle that."""
    package = Path(errors.__file__).parent
    for path in package.rglob("*.py"):
        if path.parent.parent.name == "hosts" or path.name == "system_errors.py":
            continue
        assert not re.search(r"(?<!\bos)\.(strerror|filename)\b", path.read_text()), path


def test_what_was_changed_before_an_error_is_reported() -> None:
    """The message does not say that nothing was changed."""
    half = HalfDone(OSError(5, "Input/output error", "/r/x"), "/r/x was replaced.")
    error = from_os_error(half, "db1")
    assert (error.what, error.left) == (
        "Input/output error: /r/x on db1.",
        "/r/x was replaced.",
    )
    assert reason(half) == "Input/output error; /r/x was replaced"
    assert reason(error) == error.what


def test_what_to_do_where_a_disk_is_full_is_the_commands_own() -> None:
    """Only a backup may go to another file system."""
    full = OSError(errno.ENOSPC, "Full", "/r/x")
    step = "Make room there, and run the same command again."
    assert from_os_error(full, "db1").next_step == step
    with pytest.raises(NoSpace) as caught, translated("db1", "Name another directory."):
        raise full
    assert caught.value.next_step == "Name another directory."


def test_what_was_left_is_the_errors_own_or_the_blocks() -> None:
    """Without either, nothing is added."""
    for error, left in (
        (OSError(5, "Input/output error"), "Nobody has looked."),
        (HalfDone(OSError(5, "Input/output error"), "/r/x was replaced."), "/r/x was replaced."),
    ):
        with pytest.raises(BackupError) as caught, translated("db1", left="Nobody has looked."):
            raise error
        assert caught.value.left == left
    assert from_os_error(OSError(5, None), "db1").left == NOTHING_LEFT


def test_a_block_may_be_translated_as_a_whole() -> None:
    """Errors of ours pass unchanged."""
    with pytest.raises(BackupError, match="Denied: /r/x on db1"), translated("db1"):
        raise PermissionError(13, "Denied", "/r/x")
    with pytest.raises(NoSpace, match=r"Full\."), translated("db1"):
        raise NoSpace("Full.", "Do this.")


def test_what_nobody_has_thought_of_is_a_fault_of_ours() -> None:
    """It names the error and its place; what was left is not known."""
    with pytest.raises(Unexpected, match=r"ZeroDivisionError \(.*, line \d+\)\.") as caught:  # noqa: SIM117
        with translated("db1"):
            raise ZeroDivisionError
    assert caught.value.exit_code == ExitCode.UNEXPECTED
    assert "please report it" in caught.value.what
    assert caught.value.left == UNKNOWN_LEFT
    assert Unexpected(ValueError("a\n  b\0")).what.endswith(" ValueError: a b\\x00.")
