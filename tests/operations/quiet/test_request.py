"""Options that say how a repository is made quiet."""

from __future__ import annotations

import pytest

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.operations.quiet.request import AS_THERE, LIMIT_VARIABLE, Quiescing


def test_nothing_is_said_as_a_rule() -> None:
    """The environment on the host may still name a program."""
    assert Quiescing.parse({}, None, is_required=False) == AS_THERE == ("", 300.0, False)


def test_a_program_is_an_absolute_path() -> None:
    """Both calls must find the same program."""
    asked = Quiescing.parse({LIMIT_VARIABLE: "1.5"}, "/etc//csf/quiesce", is_required=True)
    assert asked == ("/etc/csf/quiesce", 1.5, True)
    for path in ("", "quiesce", "/", "/a\nb"):
        with pytest.raises(UsageError, match="-quiesce"):
            Quiescing.parse({}, path, is_required=False)


@pytest.mark.parametrize("text", ["x", "0", "-1", "nan", "inf", "0.5", "1e7"])
def test_a_time_is_a_number_of_seconds(text: str) -> None:
    """A call without a limit could keep the servers stopped."""
    with pytest.raises(UsageError, match=f"{LIMIT_VARIABLE}={text} is not a number"):
        Quiescing.parse({LIMIT_VARIABLE: text}, None, is_required=False)
