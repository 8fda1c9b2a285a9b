"""docs/monitoring.md tells of the alert rules as they are."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from promtool import RULES

DOCUMENT = (Path(__file__).parents[1] / "docs" / "monitoring.md").read_text()


def test_the_document_lists_every_alert() -> None:
    """With its severity."""
    rows = re.findall(r"^\| `(\w+)` \| (\w+) \| ", DOCUMENT, re.MULTILINE)
    rules = RULES.read_text()
    assert rows == [
        *zip(
            re.findall(r"- alert: (\w+)", rules), re.findall(r"severity: (\w+)", rules), strict=True
        )
    ]


def test_the_document_tells_where_the_rules_are(tmp_path: Path) -> None:
    """By the Python of csf."""
    found = re.search(r"<!-- where the rules are -->\n```sh\n(.*)\n```", DOCUMENT)
    assert found
    program, *words = shlex.split(found[1])
    assert program == "/opt/csf/bin/python"
    ended = subprocess.run([sys.executable, *words], cwd=tmp_path, capture_output=True, text=True)
    assert (ended.stdout, ended.stderr) == (f"{RULES}\n", "")
