"""A rehearsed failure reaches everybody who would learn of a real one, and is marked."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from installed_plugins import Installed
from prometheus_client.parser import text_string_to_metric_families

from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.hookspecs import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from conftest import Place

    Csf = Callable[..., tuple[int, str, str]]

pytestmark = pytest.mark.usefixtures("tools")

SAID = "Rehearsal: nothing has failed; this is from admin_database_status -rehearse."
PLUGIN = "\n@hookimpl\ndef attempt_finished(outcome):\n    told.append(outcome)\n"
STATUS = ("admin_database_status", "-image-dir", "localhost:/no/such", "-rehearse")


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the path of the test's ledger; the environment has no other settings."""
    for name in ("CSF_BACKUP_ON_FINISH", "CSF_BACKUP_METRICS_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CSF_BACKUP_STATE_DIR", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the directory of the test's pages."""
    directory = tmp_path / "metrics"
    directory.mkdir()
    monkeypatch.setenv("CSF_BACKUP_METRICS_DIR", str(directory))
    return directory


def failing(page: str) -> list[tuple[str, str]]:
    """Return operation and repository of each failed attempt on a page."""
    return [
        (sample.labels["operation"], sample.labels["repository"])
        for family in text_string_to_metric_families(page)
        for sample in family.samples
        if sample.name.endswith("last_attempt_exit_code") and sample.value
    ]


def test_without_any_way_it_says_so(csf: Csf, state: Path) -> None:
    """Nothing is examined, and nothing is written to the ledger."""
    code, out, err = csf(*STATUS)
    assert (code, err) == (0, "")
    assert out.splitlines()[:4] == [
        SAID,
        "  plugins: none is installed (entry-point group csf_backup).",
        "  program: CSF_BACKUP_ON_FINISH is not set.",
        "  metrics: CSF_BACKUP_METRICS_DIR is not set.",
    ]
    assert not state.exists()


def test_every_way_gets_a_marked_failure(
    csf: Csf, tmp_path: Path, metrics: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has the repository that is named."""
    installed = Installed(tmp_path / "site", monkeypatch)
    installed.add("night", PLUGIN)
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\nexec cat >{tmp_path}/told\n")
    program.chmod(0o755)
    monkeypatch.setenv("CSF_BACKUP_ON_FINISH", str(program))
    code, out, err = csf(*STATUS, "-database", "db1:/r/lib.db")
    assert (code, err) == (0, "")
    (outcome,) = installed.told("night")
    assert isinstance(outcome, Outcome)
    told = json.loads((tmp_path / "told").read_text())
    for facts in (outcome._asdict(), told):
        assert (facts["rehearsal"], facts["outcome"], facts["exit_code"]) == (True, "failed", 1)
        assert (facts["host"], facts["database"], facts["error"]) == ("db1", "/r/lib.db", SAID)
    (page,) = metrics.iterdir()
    assert failing(page.read_text()) == [("rotate", "rehearsal")]
    assert f"  plugins: notified the plugin night (night).\n  program: called {program}.\n" in out
    assert f"  metrics: wrote {page}; the next attempt removes it.\n" in out


def test_the_next_attempt_removes_the_page(csf: Csf, place: Place, metrics: Path) -> None:
    """No alert of a rehearsal stays."""
    assert csf(*STATUS)[0] == 0
    assert csf("admin_database_verify", "-image-file", f"localhost:{place.image}")[0] == 50
    pages = [path.read_text() for path in metrics.iterdir()]
    assert [failing(page) for page in pages] == [[("verify", "")]]


def test_a_way_that_fails_is_a_warning(
    csf: Csf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit code is 3, so that the problem is noticed in time."""
    monkeypatch.setenv("CSF_BACKUP_METRICS_DIR", str(tmp_path / "missing"))
    monkeypatch.setenv("CSF_BACKUP_ON_FINISH", "relative")
    code, out, err = csf(*STATUS)
    assert code == ExitCode.WARNINGS
    assert f"  metrics: nothing was written to {tmp_path}/missing.\n" in out
    assert [line.partition(":")[0] for line in err.splitlines()] == ["warning", "warning"]
    monkeypatch.setenv("CSF_BACKUP_METRICS_DIR", "relative")
    document = json.loads(csf(*STATUS, "-json")[1])
    assert (document["exit_code"], document["rehearsal"], len(document["warnings"])) == (3, True, 2)
    assert document["metrics"] == "metrics: nothing was written to relative."


def test_nagios_and_prometheus_get_the_failure_itself(csf: Csf, tmp_path: Path) -> None:
    """It replaces the status."""
    assert csf(*STATUS, "-format", "nagios")[:2] == (2, f"BACKUP CRITICAL - {SAID}\n")
    page = tmp_path / "csf.prom"
    assert csf(*STATUS, "-format", "prometheus", "-output", str(page))[:2] == (0, "")
    assert failing(page.read_text()) == [("rotate", "rehearsal")]
