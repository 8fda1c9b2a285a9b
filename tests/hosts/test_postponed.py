"""What is asked early, and answered in its turn."""

from __future__ import annotations

import pytest

from csf_backup_plugin.errors import BackupError, HostUnreachable, Interrupted, UtilityMissing
from csf_backup_plugin.hosts.postponed import postponed


def test_what_was_found_is_returned_in_its_turn() -> None:
    """Several calls give the same result of one question."""
    asked: list[int] = []
    found = postponed(lambda: asked.append(1))()
    assert found() is found() is None
    assert asked == [1]


@pytest.mark.parametrize("error", [OSError(5, "Bad"), UtilityMissing("None.", "Do.")])
def test_a_failure_is_reported_in_its_turn(error: Exception) -> None:
    """It is not raised before."""

    def fail() -> None:
        raise error

    found = postponed(fail)()
    for _ in range(2):
        with pytest.raises(type(error)) as caught:
            found()
        assert caught.value is error


@pytest.mark.parametrize(
    "error", [HostUnreachable("Gone.", "Do."), Interrupted(15, "It"), ZeroDivisionError()]
)
def test_what_ends_the_command_is_reported_at_once(error: BackupError | ZeroDivisionError) -> None:
    """This holds for a lost host, a signal and a bug."""

    def fail() -> None:
        raise error

    with pytest.raises(type(error)):
        postponed(fail)()
