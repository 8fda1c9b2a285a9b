"""The alert rules, as promtool reads them: in their tests, and on pages of a status."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import needed
from prometheus_client.parser import text_string_to_metric_families

from csf_backup_plugin.cli import prometheus

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

RULES = Path(prometheus.__file__).with_name("prometheus_alerts.yml")
_LATER = 864_000  # seconds from the beginning of time, where promtool's clock begins
_FIRING = 'count by (alertname) (ALERTS{alertstate="firing"})'


def promtool(*words: str) -> None:
    """Run promtool, and check that it finds nothing wrong."""
    program = needed.program("promtool", "prometheus")
    ended = subprocess.run([program, *words], capture_output=True, text=True)
    assert ended.returncode == 0, ended.stdout + ended.stderr


def check_firing(pages: Mapping[str, str], alerts: Mapping[str, Iterable[str]], at: Path) -> None:
    """Check which alerts fire when Prometheus reads a page right after it is written.

    Args:
        pages: by a name.
        alerts: which fire then, by the same name.
        at: the file for promtool.
    """
    step = f"{_LATER}s"
    tests = [
        {
            "name": name,
            "interval": step,
            "input_series": [*_series(page)],
            "promql_expr_test": [
                {"expr": _FIRING, "eval_time": step, "exp_samples": [*_samples(alerts[name])]}
            ],
        }
        for name, page in pages.items()
    ]
    whole = {"rule_files": [str(RULES)], "evaluation_interval": step, "tests": tests}
    at.write_text(json.dumps(whole))
    promtool("test", "rules", str(at))


def _series(page: str) -> Iterator[dict[str, str]]:
    """Yield a page's samples in promtool's form, written at `_LATER`."""
    families = text_string_to_metric_families(page)
    samples = [sample for family in families for sample in family.samples]
    (now,) = [s.value for s in samples if s.name == "csf_backup_status_timestamp_seconds"]
    for sample in samples:
        is_moment = sample.name.endswith("_timestamp_seconds")
        value = sample.value - (now - _LATER if is_moment else 0)
        labels = ",".join(f"{key}={json.dumps(text)}" for key, text in sample.labels.items())
        yield {"series": f"{sample.name}{{{labels}}}", "values": f"_ {value:f}"}


def _samples(alerts: Iterable[str]) -> Iterator[dict[str, Any]]:
    for alert in alerts:
        yield {"labels": f'{{alertname="{alert}"}}', "value": 1}
