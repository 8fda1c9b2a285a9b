"""Write a page for node_exporter after each attempt, so that a failure is seen at once.

There is one file for each repository. It has the last attempt of each operation, from the ledger.
"""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

from csf_backup_plugin import timestamps
from csf_backup_plugin.attempts import ledger
from csf_backup_plugin.attempts.of_repository import history_of
from csf_backup_plugin.attempts.outcomes import DONE, KILLED
from csf_backup_plugin.attempts.reading import lines_of, parse
from csf_backup_plugin.cli import prometheus, text_file
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.attempts.of_repository import History
    from csf_backup_plugin.attempts.reading import Attempt
    from csf_backup_plugin.attempts.recording import Recording

VARIABLE = "CSF_BACKUP_METRICS_DIR"
#: The label for an image or directory, if neither the repository's id nor its path is known.
TARGET = "target"
_REHEARSAL = "rehearsal"


def write_pages(directory: str, recording: Recording) -> None:
    """Write the page of an attempt's repository, and those of killed attempts.

    Args:
        directory: the absolute path of the directory for the pages.
        recording: the recording of the attempt that has ended.

    Raises:
        OSError: a page cannot be written; the old page is unchanged.
        ValueError: the directory is not an absolute path.
    """
    _check(directory)
    with contextlib.ExitStack() as held:
        # If two attempts end at once, the one that reads last must write last.
        with contextlib.suppress(OSError):
            held.enter_context(ledger.opened(recording.directory))
        attempts = _known(recording)
        for current in _ended(recording.id, attempts):
            if history := history_of(current, attempts):
                _write(directory, history)
    _remove(directory, _REHEARSAL)


def write_rehearsal(directory: str, page: str) -> str:
    """Write a page of a simulated failure; the next attempt removes it.

    It raises what `write_pages` raises.

    Args:
        directory: as for `write_pages`.
        page: the page.

    Returns:
        The path of the page.
    """
    _check(directory)
    path = _path(directory, _REHEARSAL)
    text_file.write(path, page + "\n")
    return path


def _check(directory: str) -> None:
    if not directory.startswith("/"):
        raise ValueError(f"{VARIABLE} is not an absolute path: {shown(directory)}")


def _known(recording: Recording) -> list[Attempt]:
    """Return the attempts in the ledger, and this one, even if it is not in the ledger."""
    lines: list[bytes] = []
    with contextlib.suppress(OSError):
        lines = lines_of(recording.directory)
    return parse([*lines, *recording.lines]).attempts


def _ended(attempt: str, attempts: list[Attempt]) -> Iterator[Attempt]:
    """Yield the killed attempts that were found since this one began, and this one."""
    (this,) = (one for one in attempts if one.id == attempt)
    since, killed = str(this.began), [one for one in attempts if one.outcome == KILLED]
    yield from (one for one in killed if timestamps.between(since, str(one.ended)) >= 0)
    yield this


def _write(directory: str, history: History) -> None:
    text_file.write(_path(directory, history.key), _page(history) + "\n")
    for key in history.other_keys:  # else an earlier failure would be shown for ever
        _remove(directory, key)


def _remove(directory: str, key: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(_path(directory, key))


def _path(directory: str, key: str) -> str:
    return os.path.join(directory, f"csf_backup_attempts_{key}.prom")


def _page(history: History) -> str:
    """Return the page of a repository.

    Its samples have the label ``driver``, the machine that ran csf. The samples of a status have no
    such label, so both pages may be in one directory.
    """
    by_command: dict[str, list[Attempt]] = {}
    for one in history.attempts:
        by_command.setdefault(one.command, []).append(one)
    samples: list[prometheus.Sample] = []
    for attempts in by_command.values():
        last = attempts[-1]
        done = [one for one in attempts if one.outcome == DONE]
        labels = {**_of(history), "driver": shown(last.driver)}
        samples += prometheus.attempt_samples(last, done[-1] if done else None, labels)
    return prometheus.written(samples)


def _of(history: History) -> dict[str, str]:
    """Return the labels that identify a repository.

    Without `TARGET`, the pages of two verified directories would have the same samples, which
    node_exporter refuses.
    """
    master = _last(one.database for one in history.attempts)
    host = _last(one.host for one in history.attempts)
    labels = {"repository": history.id or "", "master": shown(master), "host": shown(host)}
    if not history.id and not master:
        last = history.attempts[-1]
        labels[TARGET] = shown(last.image or " ".join(last.image_dirs))
    return labels


def _last(names: Iterator[str | None]) -> str:
    """Return the last name that is not empty."""
    return ["", *filter(None, names)][-1]
