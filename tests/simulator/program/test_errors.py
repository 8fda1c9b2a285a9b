"""What the utilities say when they fail."""

from __future__ import annotations

import errno
import re

import pytest

from csf_simulator.database.header import NotADatabase, WrongLength
from csf_simulator.image.layout import ImageError
from csf_simulator.program.errors import MISC, NUMBERS, UtilityError, explain


@pytest.mark.parametrize("name", NUMBERS)
def test_line_has_the_documented_shape(name: str) -> None:
    """A line has the number in angle brackets, the text, and the name in parentheses."""
    line = UtilityError("what happened", name).line()
    assert re.fullmatch(r"<err-\d{4}-\d{4}>what happened \((err_[a-z_]+)\)", line)
    assert line.endswith(f"({name})")


def test_names_are_real_ones() -> None:
    """All names are in ObjectStore's headers, and the manual's example is reproduced."""
    assert UtilityError("text").line() == "<err-0001-0040>text (err_misc)"
    assert NUMBERS.keys() <= {
        "err_broken_server_connection",
        "err_database_lock_conflict",
        "err_database_not_found",
        "err_directory_not_found",
        "err_file_not_db",
        "err_inconsistent_db",
        "err_misc",
        "err_not_a_database",
        "err_permission_denied",
        "err_read_only_file_system",
    }


def test_line_is_one_line() -> None:
    """Control characters of a name are escaped."""
    assert UtilityError("/a\nb\x1b\u00e9\udcff: no").line() == (
        "<err-0001-0040>/a\\nb\\x1b\u00e9\udcff: no (err_misc)"
    )


def test_numbers_differ() -> None:
    """No number stands for two names."""
    assert len(set(NUMBERS.values())) == len(NUMBERS)


@pytest.mark.parametrize(
    ("error", "text", "name"),
    [
        (UtilityError("as it is"), "as it is", "err_misc"),
        (NotADatabase("/a: not a database"), "/a: not a database", "err_file_not_db"),
        (WrongLength("/a: 9 bytes"), "/a: 9 bytes", "err_inconsistent_db"),
        (
            NotADirectoryError(errno.ENOTDIR, "Not a directory", "/a/b"),
            "/a/b: Not a directory",
            "err_directory_not_found",
        ),
        (
            OSError(errno.EROFS, "Read-only file system", "/a"),
            "/a: Read-only file system",
            "err_read_only_file_system",
        ),
        (OSError(errno.EIO, "No", "/old", None, "/new"), "/new: No", "err_misc"),
        (
            FileNotFoundError(errno.ENOENT, "No such file", "/a"),
            "/a: No such file",
            "err_database_not_found",
        ),
        (
            PermissionError(errno.EACCES, "Permission denied", "/a"),
            "/a: Permission denied",
            "err_permission_denied",
        ),
        (OSError(errno.ENOSPC, "No space"), "No space", "err_misc"),
        (OSError("odd"), "odd", "err_misc"),
        (ImageError("cut short"), "cut short", "err_misc"),
    ],
)
def test_every_failure_has_a_name(error: Exception, text: str, name: str) -> None:
    """Each failure gets the name of the exception that ObjectStore would have raised."""
    explained = explain(error)
    assert (explained.text, explained.name) == (text, name)


def test_missing_file_need_not_be_a_database() -> None:
    """A missing image is not reported as a missing database."""
    assert explain(FileNotFoundError(errno.ENOENT, "No such file", "/i"), missing=MISC).name == MISC
