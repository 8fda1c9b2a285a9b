"""A schedule's request is checked before anything is examined."""

from __future__ import annotations

import pytest
from scheduling import asked

from csf_backup_plugin.errors import UsageError


def test_a_time_has_an_hour_and_a_minute() -> None:
    """The hour may have one digit; without a time, one is chosen later."""
    assert asked("cron", at="23:59").at == (23, 59)
    assert asked("cron", at="4:05").at == (4, 5)
    assert asked("cron").at is None


@pytest.mark.parametrize(
    "at", ["24:00", "4", "04:60", "04:5", "", " 4:05", "04:05\n", "\u0660\u0664:05"]
)
def test_what_is_no_time_of_the_day_is_refused(at: str) -> None:
    """It is a usage error."""
    with pytest.raises(UsageError, match="-at .* is not a time of the day"):
        asked("cron", at=at)


def test_what_a_rotation_refuses_is_refused() -> None:
    """Otherwise the error would come at night."""
    with pytest.raises(UsageError, match="must be given together"):
        asked("cron", drill_every=1.0)
