"""What the utilities say when they fail."""

from __future__ import annotations

import errno
import re

import pytest

from csf_simulator.database import NotADatabase
from csf_simulator.image.layout import ImageError
from csf_simulator.utilities.errors import MISC, NUMBERS, UtilityError, explain


@pytest.mark.parametrize("name", NUMBERS)
def test_line_has_the_documented_shape(name: str) -> None:
    """Number in angle brackets, text, name in parentheses."""
    line = UtilityError("what happened", name).line()
    assert re.fullmatch(r"<err-\d{4}-\d{4}>what happened \((err[-_]\w+)\)", line)
    assert line.endswith(f"({name})")


def test_numbers_differ() -> None:
    """No number stands for two names."""
    assert len(set(NUMBERS.values())) == len(NUMBERS)


@pytest.mark.parametrize(
    ("error", "text", "name"),
    [
        (UtilityError("as it is"), "as it is", "err-misc"),
        (NotADatabase("/a: not a database"), "/a: not a database", "err_inconsistent_db"),
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
        (OSError(errno.ENOSPC, "No space"), "No space", "err-misc"),
        (OSError("odd"), "odd", "err-misc"),
        (ImageError("cut short"), "cut short", "err-misc"),
    ],
)
def test_every_failure_has_a_name(error: Exception, text: str, name: str) -> None:
    """Whoever reads the line finds the exception ObjectStore would have raised."""
    explained = explain(error)
    assert (explained.text, explained.name) == (text, name)


def test_missing_file_need_not_be_a_database() -> None:
    """An image that is not there is no missing database."""
    assert explain(FileNotFoundError(errno.ENOENT, "No such file", "/i"), missing=MISC).name == MISC
