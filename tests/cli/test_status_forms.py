"""Each form of a status shows what is known, and nothing that is unknown."""

from __future__ import annotations

import re
from typing import Any

import click
import pytest
from prometheus_client.parser import text_string_to_metric_families

from csf_backup_plugin.attempts.reading import Attempt
from csf_backup_plugin.cli import nagios, prometheus
from csf_backup_plugin.cli.status import admin_database_status
from csf_backup_plugin.cli.status_table import table
from csf_backup_plugin.errors import HostUnreachable
from csf_backup_plugin.image.check_record import Check
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.operations.status import Status, Unreached
from csf_backup_plugin.operations.status.health import Health, SetState

STARTED = "2026-11-23T02:10:00+00:00"
SOUND = Check(is_sound=True, at="2026-11-23T03:10:00+00:00", seconds=12.5)


def a_set(**others: Any) -> SetState:
    """Return one set, an hour old."""
    facts: dict[str, Any] = {
        "image": ImagePath("db1", "/b/monday/a.img"),
        "place": "monday",
        "number": 7,
        "started": STARTED,
        "age": 3600.0,
        "size": 1000,
        "databases": 2,
        "verified": None,
        "drilled": SOUND,
        "faults": (),
    }
    return SetState(**{**facts, **others})


def status(**others: Any) -> Status:
    """Return a status of one repository."""
    facts: dict[str, Any] = {"sets": [a_set()], "limits": (None, None)}
    return Status([Health("1" * 32, "db1", "db1", "/r/lib.db", **{**facts, **others})], [], [])


def attempt(**others: Any) -> Attempt:
    """Return an attempt."""
    facts = {"id": "a", "command": "admin_database_rotate", "driver": "m", "user": "u", "pid": 1}
    return Attempt(**{**facts, "began": STARTED, **others})


def names(page: str) -> set[str]:
    """Return the names of all metrics on a page."""
    return {family.name for family in text_string_to_metric_families(page)}


def test_a_restore_takes_as_long_as_the_last_drill() -> None:
    """The record of the drill has the duration."""
    assert "  A restore takes about 12.5 s, by the drill of " in table(status())
    assert "restore" not in table(status(sets=[a_set(drilled=None)]))


def test_room_is_reported_with_its_end() -> None:
    """It is shown if sets are promised and the end is near.

    A set from the future gives no estimate.
    """
    facts: dict[str, Any] = {"room": {"/b": 12}, "interval": 86400.0}
    room = "  /b has room for 12 more sets"
    assert f"{room}, until 2026-12-05 if none is removed.\n" in table(status(**facts))
    for others in ({"interval": None}, {"interval": 40.0 * 86400}, {"sets": [a_set(age=-1e6)]}):
        assert f"{room}.\n" in table(status(**{**facts, **others}))


def test_little_room_is_reported_once() -> None:
    """It is shown above, as a finding."""
    assert table(status(room={"/b": 2}, stale=["/b has room for 2 more"])).count("room for") == 1


def test_a_set_of_the_future_has_no_age() -> None:
    """The work that would be lost is unknown, too."""
    found = status(sets=[a_set(age=-3.2e7)])
    text = table(found)
    assert (
        "  How much work would be lost is not known: the newest set has a date in the future.\n"
        in text
    )
    assert "  monday  future  1.0 kB" in text
    assert "'/r/lib.db age'=U " in nagios.line(found)[1]


def test_a_set_that_is_overdue_was_due() -> None:
    """Its age decides, and not the reader's clock."""
    for age, word in ((3600.0, "is"), (90000.0, "was")):
        found = status(sets=[a_set(age=age)], due="2026-11-24T02:10:00+00:00")
        assert f"  The next set {word} due by 2026-11-24T02:10:00+00:00.\n" in table(found)


def test_nagios_is_told_of_a_failed_attempt_before_anything_is_late() -> None:
    """The state does not change."""
    last = attempt(id="b", outcome="failed", exit_code=40, error="osbackup | failed")
    code, line = nagios.line(status(attempts=[last]))
    told = (
        f"/r/lib.db: 60 min old; the last attempt, of {STARTED}: failed (40). osbackup / failed |"
    )
    assert (code, told in line) == (nagios.OK, True)


def test_a_verdict_is_coloured_only_if_asked_for() -> None:
    """The rest of the text is the same."""
    plain, coloured = table(status()), table(status(), in_colour=True)
    assert (plain[:2], coloured[:5]) == ("OK", "\x1b[32m")
    assert click.unstyle(coloured) == plain


def test_a_repository_without_sets_has_a_verdict_only() -> None:
    """There is nothing to list."""
    assert table(status(sets=[], stale=["nothing"])) == "STALE /r/lib.db on db1\n  ! nothing"


@pytest.mark.parametrize(
    ("last", "told"),
    [
        ({"outcome": "killed"}, f"of {STARTED}: killed."),
        ({"outcome": None}, f"of {STARTED}: is running."),
        ({"outcome": "refused", "exit_code": 20, "error": "Busy."}, ": refused (20). Busy."),
    ],
)
def test_an_attempt_that_made_no_set_is_reported(last: dict[str, Any], told: str) -> None:
    """The number of such attempts is shown."""
    text = table(status(attempts=[attempt(id="b", **last)]))
    assert told in text
    assert "\n  1 attempt since the last that made a set." in text


def test_after_a_success_there_is_nothing_to_tell() -> None:
    """Nothing is shown without any attempt either."""
    for attempts in ([attempt(outcome="done", exit_code=0)], [], None):
        assert "attempt" not in table(status(attempts=attempts))


def test_a_page_has_no_sample_of_what_is_not_known() -> None:
    """A running attempt has no exit code."""
    running = names(prometheus.page(status(attempts=[attempt()])))
    assert "csf_backup_last_attempt_timestamp_seconds" in running
    assert not running & {"csf_backup_last_attempt_exit_code", "csf_backup_last_duration_seconds"}
    begun = names(prometheus.page(status(attempts=[attempt(began=None, outcome="done")])))
    assert not any("attempt" in name or "success" in name for name in begun)
    bare = names(prometheus.page(status(sets=[])))
    assert "csf_backup_recovery_point_timestamp_seconds" not in bare
    assert "csf_backup_proven_images" in bare


def test_names_are_escaped_in_labels() -> None:
    """The escapes are those of Prometheus."""
    one = status().repositories[0]._replace(master='/r/a"b\\c.db')
    page = prometheus.page(Status([one], [], []))
    families = text_string_to_metric_families(page)
    masters = {s.labels.get("master") for family in families for s in family.samples}
    assert '/r/a"b\\c.db' in masters


def test_repositories_of_one_host_give_one_sample_of_it() -> None:
    """Prometheus would refuse two of them."""
    found = status()
    away = Unreached("db2", HostUnreachable("It is away.", "Wait."))
    page = prometheus.page(Status([*found.repositories] * 2, [away], []))
    assert page.count("csf_backup_host_reached{") == 2


def test_a_page_counts_what_is_wrong_and_what_is_late() -> None:
    """The exit code does not show it."""
    page = prometheus.page(status(faults=["torn"], stale=["late", "full"]))
    families = text_string_to_metric_families(page)
    values = {s.name: s.value for family in families for s in family.samples}
    assert (values["csf_backup_faults"], values["csf_backup_stale"]) == (1.0, 2.0)


def test_no_sample_is_there_twice() -> None:
    """A copy of a repository may have the same id, path and host; collectors refuse such pages."""
    one = status().repositories[0]
    others = [one._replace(faults=["torn"]), one, one._replace(machine="db2")]
    page = prometheus.page(Status(others, [], []))
    samples = [line.rpartition(" ")[0] for line in page.splitlines() if line[0] != "#"]
    assert len(samples) == len({*samples})
    faults = [line[-1] for line in page.splitlines() if line.startswith("csf_backup_faults")]
    assert faults == ["1", "0"]


def test_what_the_ledger_says_has_no_control_characters() -> None:
    """Anybody may have written it."""
    text = table(status(attempts=[attempt(id="b", outcome="failed", error="a\x1b[2Jb")]))
    assert "a\\x1b[2Jb" in text


def test_a_set_of_twice_its_age_is_critical_to_nagios() -> None:
    """A set that is merely too old is a warning."""
    stale = {"stale": ["late"]}
    for age, code in ((1500.0, nagios.WARNING), (2500.0, nagios.CRITICAL)):
        found = status(sets=[a_set(age=age)], limits=(1000.0, None), **stale)
        assert nagios.line(found)[0] == code
    assert nagios.line(status(faults=["torn"]))[0] == nagios.CRITICAL
    assert "age'=3600s '" in nagios.line(status())[1]


def test_no_figure_of_a_line_has_the_name_of_another() -> None:
    """There may be two hosts, or a copy, and the names have no separators."""
    one = status().repositories[0]._replace(master="/r/a|b'=.db")
    line = nagios.line(Status([one, one._replace(host="db2"), one._replace(id="2" * 32)], [], []))
    figures = line[1].partition(" | ")[2]
    names = re.findall(r"'([^']*)'=", figures)
    assert len(names) == len({*names}) == 9
    assert "|" not in figures


def test_a_wrong_command_line_is_no_state_to_others_than_nagios() -> None:
    """It has the exit code of every command."""
    with pytest.raises(Exception, match="No such option") as caught:
        admin_database_status.make_context("x", ["-imgae-dir", "y"])
    assert getattr(caught.value, "exit_code", None) == 2
