"""A status or attempts in the text format of Prometheus, for node_exporter's textfile collector.

Times are given as points in time, never as ages, and samples have no timestamps of their own. So an
outdated page can be recognized.
"""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from csf_backup_plugin import __version__
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from csf_backup_plugin.attempts.reading import Attempt
    from csf_backup_plugin.operations.status import Status
    from csf_backup_plugin.operations.status.health import Health

_HELP = {
    "recovery_point_timestamp_seconds": "When the newest proven backup began.",
    "last_drill_timestamp_seconds": "When the last good drill ended.",
    "last_attempt_timestamp_seconds": "When the last attempt of that operation began.",
    "last_attempt_exit_code": "Its exit code, 137 if it was killed; absent while it runs.",
    "last_success_timestamp_seconds": "When the last attempt that was done began.",
    "last_duration_seconds": "How long that attempt took.",
    "expected_interval_seconds": "How often a set is promised.",
    "image_size_bytes": "The size of the newest proven image.",
    "proven_images": "How many proven images there are.",
    "unproven_images": "How many images without a receipt there are.",
    "faults": "The number of findings for which a status ends with 50.",
    "stale": "The number of findings for which a status ends with 70.",
    "coverage_databases": "How many databases there are, by where.",
    "directory_free_bytes": "The bytes that are free in an image directory.",
    "directory_needed_bytes": "The bytes that must be free there for another set.",
    "directory_sets_that_fit": "How many more sets of the newest one's size fit.",
    "unread_directories": "How many image directories could not be read.",
    "fleet_repository_state": "0 means ok, 1 stale, 2 host not reached, 3 a fault.",
    "host_reached": "Whether the host could be asked.",
    "status_timestamp_seconds": "When this was written.",
    "build_info": "The version that has written this.",
}

_KILLED = 128 + 9.0  # as a shell reports a program that SIGKILL has ended

Sample = tuple[str, dict[str, str], float]


def page(status: Status, more: Collection[Sample] = ()) -> str:
    """Return the page of a status, with more samples."""
    samples = [
        *more,
        *(sample for one in status.repositories for sample in _repository(one)),
        *(("host_reached", {"host": one.host}, 0.0) for one in status.unreached),
        ("unread_directories", {}, float(len(status.unread))),
        ("status_timestamp_seconds", {}, datetime.datetime.now().timestamp()),
        ("build_info", {"version": __version__}, 1.0),
    ]
    return written(samples)


def written(samples: Collection[Sample]) -> str:
    """Return a page of samples; each is a name in `_HELP`, labels and a value."""
    lines: list[str] = []
    for name, text in _HELP.items():
        own: dict[str, float] = {}
        for _, labels, value in (sample for sample in samples if sample[0] == name):
            own.setdefault(_labels(labels), value)  # a page with a sample twice is refused
        if own:
            lines += [f"# HELP csf_backup_{name} {text}", f"# TYPE csf_backup_{name} gauge"]
            lines += [f"csf_backup_{name}{suffix} {value:.15g}" for suffix, value in own.items()]
    return "\n".join(lines)


def _repository(one: Health) -> Iterator[Sample]:
    labels = {"repository": one.id or "", "master": shown(one.master), "host": one.host}
    labels["machine"] = shown(one.machine)  # a copy may share all other labels
    yield "host_reached", {"host": one.host}, 1.0
    yield "proven_images", labels, float(len(one.sets))
    yield "unproven_images", labels, float(one.leftovers)
    yield "faults", labels, float(len(one.faults))
    yield "stale", labels, float(len(one.stale))
    if one.interval:
        yield "expected_interval_seconds", labels, one.interval
    if one.coverage is not None:
        yield "coverage_databases", {**labels, "where": "disk"}, float(one.coverage)
    if one.sets:
        newest = one.sets[0]
        yield "recovery_point_timestamp_seconds", labels, _moment(newest.started)
        yield "image_size_bytes", labels, float(newest.size)
        yield "coverage_databases", {**labels, "where": "image"}, float(newest.databases)
    yield from attempt_samples(one.last_attempt, one.last_success, labels)
    if drill := one.last_drill:
        yield "last_drill_timestamp_seconds", labels, _moment(drill.at)
    for directory, count in one.room.items():
        fitting = {**labels, "directory": shown(directory)}
        yield "directory_sets_that_fit", fitting, float(count)
    for directory, free in one.free.items():
        at = {**labels, "directory": shown(directory)}
        yield "directory_free_bytes", at, float(free)
        yield "directory_needed_bytes", at, float(one.needed)


def attempt_samples(
    last: Attempt | None, success: Attempt | None, labels: dict[str, str]
) -> Iterator[Sample]:
    """Yield the samples of the last attempt, and of the last successful one.

    Args:
        last: the last attempt, which may still run; None if there is none.
        success: the last successful attempt; None if there is none.
        labels: the labels of each sample; the operation is added.
    """
    if last and last.began:
        operation = {**labels, "operation": last.command.rpartition("_")[2]}
        yield "last_attempt_timestamp_seconds", operation, _moment(last.began)
        if last.outcome is not None:
            code = _KILLED if last.exit_code is None else last.exit_code
            yield "last_attempt_exit_code", operation, float(code)
    if success and success.began:
        operation = {**labels, "operation": success.command.rpartition("_")[2]}
        yield "last_success_timestamp_seconds", operation, _moment(success.began)
        yield "last_duration_seconds", operation, success.seconds or 0.0


def _labels(labels: dict[str, str]) -> str:
    pairs = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{{{pairs}}}" if pairs else ""


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _moment(text: str) -> float:
    return datetime.datetime.fromisoformat(text).timestamp()
