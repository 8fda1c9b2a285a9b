"""Timestamps, as receipts have them."""

from __future__ import annotations

import pytest

from csf_backup_plugin import timestamps


def test_now_is_read_back_as_it_is_written() -> None:
    """It is UTC, to the second."""
    now = timestamps.now()
    assert now.endswith("+00:00")
    assert timestamps.read(now) == now


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23T02:10:00Z\n",
        "2026-11-23T02:10:00+00:00",
        "2026-11-23T03:10:00+01:00",
        "2026-11-23 02:10:00.700+00:00",
    ],
)
def test_any_form_with_an_offset_is_read(text: str) -> None:
    """A shell writes it differently from Python."""
    assert timestamps.read(text) == "2026-11-23T02:10:00+00:00"


@pytest.mark.parametrize(
    "text", ["", "2026-11-23T02:10:00", "yesterday", "Z", "0001-01-01T00:00:00+23:00", "9" * 9000]
)
def test_what_is_no_certain_moment_is_none(text: str) -> None:
    """Without an offset, the time is ambiguous."""
    assert timestamps.read(text) is None
