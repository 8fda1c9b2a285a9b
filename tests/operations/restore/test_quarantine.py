"""Extra databases are moved, never deleted, and can be moved back."""

from __future__ import annotations

import pytest

from csf_backup_plugin.errors import HostUnreachable
from csf_backup_plugin.operations.restore import quarantine
from csf_backup_plugin.repository.model import Repository
from doubles import MemoryHost

REPOSITORY = Repository("/d/r/lib.db")
EXTRA = ("/d/r/a.db", "/d/r/it's.db")


@pytest.fixture
def host() -> MemoryHost:
    """Return a host with a repository that has two extra databases."""
    return MemoryHost({REPOSITORY.master: b"m", **{path: path.encode() for path in EXTRA}}, ["/d"])


@pytest.mark.parametrize("facts", [{}, {"writable": False}, {"device": 2}, {"mount": "/d"}])
def test_it_is_beside_the_repository_where_that_can_be(
    host: MemoryHost, facts: dict[str, object]
) -> None:
    """It is inside if the repository has its own file system, or we cannot write beside it."""
    host.facts["/d"] = facts
    directory = quarantine.quarantine_for(REPOSITORY, EXTRA, host).directory
    assert directory.startswith("/d/r/quarantine-" if facts else "/d/r.quarantine-")


def test_what_was_moved_can_be_moved_back(host: MemoryHost) -> None:
    """No trace of the move is left."""
    files, directories = dict(host.files), set(host.directories)
    place = quarantine.quarantine_for(REPOSITORY, EXTRA, host)
    quarantine.fill(place, host)
    assert {path for path in host.files if path.startswith(place.directory)} == {
        f"{place.directory}/a.db",
        f"{place.directory}/it's.db",
    }
    assert quarantine.empty(place, host) == (None, "The extra databases are where they were.")
    assert (host.files, host.directories) == (files, directories)


def test_what_was_only_begun_is_moved_back_too(host: MemoryHost) -> None:
    """What was moved so far is moved back."""
    files = dict(host.files)
    place = quarantine.quarantine_for(REPOSITORY, EXTRA, host)
    assert quarantine.empty(place, host)[0] is None
    host.make_directories([place.directory])
    host.move(place.moves[:1])
    assert quarantine.empty(place, host)[0] is None
    assert host.files == files


@pytest.mark.parametrize(
    "error", [OSError(17, "File exists"), HostUnreachable("db1 is gone", "Try again.")]
)
def test_what_cannot_be_moved_back_is_kept_and_reported(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """The message has the reason and the path."""
    place = quarantine.quarantine_for(REPOSITORY, EXTRA, host)
    quarantine.fill(place, host)

    def refuse(_moves: object) -> None:
        raise error

    monkeypatch.setattr(host, "move", refuse)
    stays, sentence = quarantine.empty(place, host)
    assert stays is place
    reason = "File exists" if isinstance(error, OSError) else "db1 is gone"
    assert sentence == (
        f"The extra databases are kept in {place.directory}. "
        f"They could not all be moved back: {reason}."
    )


def test_a_quarantine_that_was_never_made_is_not_told_as_one(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No message mentions one either if the host cannot be asked."""
    place = quarantine.quarantine_for(REPOSITORY, EXTRA, host)
    at_home = "The extra databases are where they were"
    assert quarantine.empty(place, host) == (None, f"{at_home}.")

    def refuse(_paths: object) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(host, "remove", refuse)
        assert quarantine.empty(place, host) == (
            None,
            f"{at_home}. {place.directory} could not be removed: Input/output error.",
        )
    monkeypatch.setattr(host, "stat", refuse)
    assert quarantine.empty(place, host) == (
        place,
        f"{at_home}, or in {place.directory}. That cannot be looked at: Input/output error.",
    )
