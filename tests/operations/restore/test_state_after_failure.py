"""A restore that failed reports the state of each database."""

from __future__ import annotations

import pytest

from csf_backup_plugin.operations.aftermath import Left
from csf_backup_plugin.operations.restore import quarantine
from csf_backup_plugin.operations.restore.state_after_failure import (
    compare,
    is_untouched,
    look_at,
    state_left,
)
from csf_backup_plugin.repository.model import Repository
from doubles import MemoryHost

EXTRA = "/d/r/extra.db"


@pytest.fixture
def host() -> MemoryHost:
    """Return a host with three databases, one of them extra."""
    return MemoryHost(dict.fromkeys(("/d/r/lib.db", "/d/r/a.db", EXTRA), b"x"), ["/d"])


def failed(host: MemoryHost, place: quarantine.Quarantine | None, *changed: str) -> Left:
    """Return the state after a restore that failed when some databases had changed."""
    before = look_at(("/d/r/lib.db", "/d/r/a.db"), host)
    for path in changed:
        host.facts[path] = {"stamp": "another"}
    return state_left(before, place, host)[0]


def quarantined(host: MemoryHost) -> quarantine.Quarantine:
    """Return a quarantine with the extra database."""
    place = quarantine.quarantine_for(Repository("/d/r/lib.db"), [EXTRA], host)
    quarantine.fill(place, host)
    return place


def test_each_database_has_a_state(host: MemoryHost) -> None:
    """It says whether it existed, whether it exists, and whether it was replaced."""
    before = look_at(("/d/r/lib.db", "/d/r/a.db", EXTRA, "/d/r/new.db", "/d/r/never.db"), host)
    host.facts["/d/r/a.db"] = {"stamp": "another"}
    del host.files[EXTRA]
    host.files["/d/r/new.db"] = b""
    states = compare(before, look_at(before, host))
    assert states == {
        "/d/r/lib.db": "unchanged",
        "/d/r/a.db": "restored or changed",
        EXTRA: "gone",
        "/d/r/new.db": "new",
        "/d/r/never.db": "still missing",
    }
    assert not is_untouched(states)


def test_where_nothing_changed_the_quarantine_is_undone(host: MemoryHost) -> None:
    """All files are at their places again."""
    left = failed(host, quarantined(host))
    assert left.text == "No database was changed.\nThe extra databases are where they were."
    assert EXTRA in host.files
    assert left.facts["quarantine"] is None
    assert failed(host, None).text == "No database was changed."


def test_where_something_changed_the_quarantine_is_kept(host: MemoryHost) -> None:
    """Each database is named with its state."""
    place = quarantined(host)
    left = failed(host, place, "/d/r/a.db")
    assert "\n    unchanged: /d/r/lib.db\n    restored or changed: /d/r/a.db\n" in left.text
    assert left.text.endswith(f"The extra databases are kept in {place.directory}.")
    assert EXTRA not in host.files
    assert left.facts == {
        "databases": {"/d/r/lib.db": "unchanged", "/d/r/a.db": "restored or changed"},
        "quarantine": place.directory,
    }
    assert "extra" not in failed(host, None, "/d/r/lib.db").text


def test_what_cannot_be_found_out_is_said_to_be_unknown(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unreachable host is not one on which nothing has changed."""
    place = quarantined(host)
    before = look_at(["/d/r/lib.db"], host)

    def refuse(_paths: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(host, "stat", refuse)
    for where in (place, None):
        left, untouched = state_left(before, where, host)
        assert left.text.startswith("It could not be found out what was restored.")
        assert not untouched
        told = f"The extra databases are where they were, or in {place.directory}."
        assert (told in left.text) == (where is place)
