"""docs/monitoring.md describes the alert rules as they are."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from promtool import RULES

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.cli import rehearsal, text_file
from csf_backup_plugin.notices import program
from csf_backup_plugin.operations.status.request import StatusRequest

DOCUMENT = (Path(__file__).parents[1] / "docs" / "monitoring.md").read_text()


def test_the_document_lists_every_alert() -> None:
    """The list has the severities."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ", DOCUMENT, re.MULTILINE)
    rules = RULES.read_text()
    assert rows == [
        *zip(
            re.findall(r"- alert: (\w+)", rules), re.findall(r"severity: (\w+)", rules), strict=True
        )
    ]


def test_the_document_tells_where_the_rules_are(tmp_path: Path) -> None:
    """The command uses csf's Python."""
    found = re.search(r"<!-- where the rules are -->\n```sh\n(.*)\n```", DOCUMENT)
    assert found
    program, *words = shlex.split(found[1])
    assert program == "/opt/csf/bin/python"
    ended = subprocess.run([sys.executable, *words], cwd=tmp_path, capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == (f"{RULES}\n", "")


def test_the_rehearsal_is_shown_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The program and the directory exist, and no plugin is installed."""
    found = re.search(
        r"<!-- rehearsal -->\n```text\n\$ csf (.*) -rehearse\n(.*?)```", DOCUMENT, re.S
    )
    assert found
    _, _, directory, _, database = shlex.split(found[1])
    monkeypatch.setattr(text_file, "write", lambda *_: None)
    monkeypatch.setattr(program, "_ended", lambda *_: "")
    monkeypatch.setattr("csf_backup_plugin.notices.plugins.load", lambda *_: [])
    shown = rehearsal.rehearse(
        StatusRequest.parse([directory], [database]),
        "text",
        {
            "CSF_BACKUP_ON_FINISH": "/etc/csf/heartbeat",
            "CSF_BACKUP_METRICS_DIR": "/var/lib/prometheus/node-exporter",
        },
        Cancellation(),
    )
    assert (shown.output, shown.code) == (found[2].removesuffix("\n"), 0)
