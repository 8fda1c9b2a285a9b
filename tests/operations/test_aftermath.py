"""What a failed command leaves is found by its cleanup and added to its error."""

from __future__ import annotations

import pytest

from csf_backup_plugin.errors import NOTHING_LEFT, BackupError
from csf_backup_plugin.operations.aftermath import Left, on_failure, preceded


def test_an_error_says_what_clean_up_has_left() -> None:
    """It adds the next step, too, and the same for programs."""
    seen = []

    def clean_up(so_far: str) -> Left:
        seen.append(so_far)
        return Left("All is gone.", "Then look.", {"gone": True})

    with pytest.raises(BackupError) as caught, on_failure(clean_up):
        raise BackupError("It failed.", "Try again.", {"why": "x"}, "It is as it was.")
    assert seen == ["It is as it was."]
    assert str(caught.value) == "It failed.\nAll is gone.\nTry again.\nThen look."
    assert caught.value.facts == {"why": "x", "gone": True}


def test_without_a_failure_nothing_is_cleaned_up() -> None:
    """All files that were made stay."""
    with on_failure(lambda so_far: pytest.fail(so_far)):
        pass


@pytest.mark.parametrize(("failures", "cleaned"), [(BackupError, []), (Exception, [NOTHING_LEFT])])
def test_what_is_no_error_of_ours_is_cleaned_up_after_if_that_is_asked_for(
    failures: type[BaseException], cleaned: list[str]
) -> None:
    """The exception itself is unchanged."""
    seen = []

    def clean_up(so_far: str) -> Left:
        seen.append(so_far)
        return Left(so_far)

    with pytest.raises(ZeroDivisionError), on_failure(clean_up, failures):
        raise ZeroDivisionError
    assert seen == cleaned


def test_what_was_done_before_all_else_is_said_first() -> None:
    """The words "nothing was changed" refer to everything else."""
    assert preceded("", NOTHING_LEFT).text == NOTHING_LEFT
    assert preceded("/s/a was removed", NOTHING_LEFT).text == (
        "/s/a was removed. Nothing else was created or changed."
    )
