"""Who is informed of an attempt, and until when."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest
from ledgers import DONE, FACTS

from csf_backup_plugin import notices
from csf_backup_plugin.attempts.line import END, Line
from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.notices import Notices

if TYPE_CHECKING:
    from csf_backup_plugin.hookspecs import Outcome


def test_once_a_signal_has_come_no_more_killed_attempts_are_reported(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A later attempt reports them; the own end is reported in any case."""
    cancellation, told = Cancellation(), list[str | None]()

    def tell(outcome: Outcome, *_: object) -> None:
        told.append(outcome.attempt)
        cancellation.cancel(signal.SIGTERM)

    monkeypatch.setattr(notices, "call_program", tell)
    made = Notices("own", FACTS, {}, cancellation, pytest.fail)
    facts = {**FACTS, **DONE, "driver": "db9"}
    made.killed(Line(END, attempt, facts) for attempt in ("first", "second"))
    assert told == ["first"]
    made.finished(DONE)
    assert told == ["first", "own"]
