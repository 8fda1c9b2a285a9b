"""A restore that has begun and not succeeded."""

from __future__ import annotations

import errno

import pytest

from csf_backup_plugin.errors import RepositoryIncomplete
from csf_backup_plugin.repository.model import Repository
from csf_backup_plugin.repository.unfinished_restore import check_not_half_restored
from doubles import MemoryHost

REPOSITORY = Repository("/r/lib.db")


def test_without_a_mark_there_is_none() -> None:
    """No message is given."""
    check_not_half_restored(REPOSITORY, MemoryHost({}), "?")


def test_with_a_mark_it_says_how_to_repeat_the_restore() -> None:
    """The message also says how to declare it as done in another way."""
    host = MemoryHost({REPOSITORY.unfinished_restore: b"csf restore\n"})
    with pytest.raises(RepositoryIncomplete, match="/r/lib.db on db1 .* What then") as caught:
        check_not_half_restored(REPOSITORY, host, "What then")
    assert caught.value.next_step.startswith("Repeat the restore: csf restore\n")
    assert caught.value.next_step.endswith("remove /r/lib.db.unfinished-restore.")


@pytest.mark.parametrize("mark", [b"", b"\n", b"\0" * 100, b"x" * 60_000_000, b"csf\ncsf\n"])
def test_a_mark_that_tells_no_command_is_not_shown(mark: bytes) -> None:
    """The size of the file does not matter."""
    host = MemoryHost({REPOSITORY.unfinished_restore: mark})
    with pytest.raises(RepositoryIncomplete, match="has begun and not succeeded") as caught:
        check_not_half_restored(REPOSITORY, host, "What then")
    assert caught.value.next_step.startswith(
        "Repeat the restore: with the same image; /r/lib.db.unfinished-restore does not record"
    )
    assert len(str(caught.value)) < 1000


def test_a_mark_that_cannot_be_read_is_one() -> None:
    """A restore may have begun."""
    host = MemoryHost({})
    error = OSError(errno.EINVAL, "Not a file", REPOSITORY.unfinished_restore)
    host.unreadable[REPOSITORY.unfinished_restore] = error
    with pytest.raises(RepositoryIncomplete) as caught:
        check_not_half_restored(REPOSITORY, host, "What then")
    assert caught.value.what.startswith(
        "A restore of /r/lib.db on db1 may have begun and not succeeded "
        "(/r/lib.db.unfinished-restore cannot be read: Not a file)"
    )
