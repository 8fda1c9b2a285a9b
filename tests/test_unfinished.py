"""A restore that has begun and not succeeded."""

from __future__ import annotations

import pytest

from csf_backup_plugin.errors import RepositoryIncomplete
from csf_backup_plugin.repository import Repository
from csf_backup_plugin.unfinished import check_not_half_restored
from doubles import MemoryHost

REPOSITORY = Repository("/r/lib.db")


def test_without_a_mark_there_is_none() -> None:
    """Nothing is said."""
    check_not_half_restored(REPOSITORY, MemoryHost({}), "?")


def test_with_a_mark_it_says_how_to_repeat_the_restore() -> None:
    """Or to say that it was done otherwise."""
    host = MemoryHost({REPOSITORY.unfinished_restore: b"csf restore\n"})
    with pytest.raises(RepositoryIncomplete, match="/r/lib.db on db1 .* What then") as caught:
        check_not_half_restored(REPOSITORY, host, "What then")
    assert caught.value.next_step.startswith("Repeat the restore: csf restore\n")
    assert caught.value.next_step.endswith("removing /r/lib.db.unfinished-restore.")
