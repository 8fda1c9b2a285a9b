"""The alert rules for Prometheus: each uses existing metrics, fires, and stays silent."""

from __future__ import annotations

import re
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families
from promtool import RULES, promtool

from csf_backup_plugin.attempts.reading import Attempt
from csf_backup_plugin.cli import prometheus
from csf_backup_plugin.cli.attempt_metrics import TARGET
from csf_backup_plugin.errors import HostUnreachable
from csf_backup_plugin.image.check_record import Check
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.operations.status import Status, Unreached
from csf_backup_plugin.operations.status.health import Health, SetState
from csf_backup_plugin.operations.status.judgement import MAX_AGE

TESTS = Path(__file__).with_name("prometheus_alerts_test.yml")
AT = "2026-11-23T02:10:00+00:00"
ELSEWHERE = {"instance", TARGET}  # of the scrape, and of an attempt's own page


def whole_page() -> str:
    """Return a page with every metric, of a repository about which everything is known."""
    drill = Check(is_sound=True, at=AT, seconds=1.0)
    image = ImagePath("db1", "/b/monday/a.img")
    made = SetState(image, "monday", 7, AT, 1.0, 9, 2, None, drill, ())
    attempt = Attempt("a", "admin_database_rotate", "m", "u", 1, AT, exit_code=0, outcome="done")
    one = Health("1", "db1", "db1", "/r/lib.db", [made], room={"/b": 9}, coverage=2)
    one = one._replace(interval=86400.0, attempts=[attempt])
    away = Unreached("db2", HostUnreachable("It is away.", "Wait."))
    return prometheus.page(Status([one], [away], []))


def alerts(text: str) -> list[str]:
    """Return the names of alerts in a text."""
    return re.findall(r"- alert: (\w+)", text)


def test_every_metric_and_every_label_is_there() -> None:
    """A rule on a missing metric would never fire, and nobody would notice."""
    families = [*text_string_to_metric_families(whole_page())]
    labels = {label for family in families for one in family.samples for label in one.labels}
    rules = RULES.read_text()
    metrics = {*re.findall(r"\bcsf_backup_\w*[a-z]\b", rules)}
    assert metrics
    assert metrics <= {family.name for family in families}
    assert {*re.findall(r"\$labels\.(\w+)", rules)} <= labels | ELSEWHERE


def test_promtool_reads_the_rules() -> None:
    """Prometheus reads them in the same way."""
    promtool("check", "rules", str(RULES))


def test_the_rules_fire_when_they_should() -> None:
    """Otherwise they are silent."""
    promtool("test", "rules", str(TESTS))


def test_every_alert_is_seen_to_fire_and_to_be_silent() -> None:
    """The test compares the text that a reader gets."""
    found = re.findall(r"alertname: (\w+)[,\n]\s*exp_alerts:( \[\])?", TESTS.read_text())
    silent = {name for name, none in found if none}
    fires = {name for name, none in found if not none}
    names = alerts(RULES.read_text())
    assert sorted(names) == sorted(fires)
    assert {*names} == silent


def test_every_alert_says_what_happened_and_what_to_type() -> None:
    """They have a summary, and a description with a command."""
    for rule in RULES.read_text().split("- alert: ")[1:]:
        assert re.search(r"\n          summary: \"[^\n]+\.\"\n", rule), rule
        description = rule.partition("description:")[2]
        told = " ".join(description.split())
        assert re.search(r"\bcsf admin_database_|: (ssh|curl|df|date) ", told), rule


def test_the_limit_is_the_one_of_a_status() -> None:
    """It counts if nothing is promised."""
    assert RULES.read_text().count(f" + {MAX_AGE:.0f})") == 2
