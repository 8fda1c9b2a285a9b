"""Sizes and numbers, as the utilities take them."""

from __future__ import annotations

import pytest

from csf_simulator.program.errors import UsageError
from csf_simulator.program.numbers import size, whole_number


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("80k", 80 * 1024),
        ("80K", 80 * 1024),
        ("1m", 1024**2),
        ("2g", 2 * 1024**3),
        ("3", 3 * 1024**2),
        ("007", 7 * 1024**2),
    ],
)
def test_size_is_in_bytes(text: str, expected: int) -> None:
    """Units are powers of 1024; without a unit the number counts megabytes."""
    assert size(text) == expected


@pytest.mark.parametrize(
    "text", ["", "k", "0", "0k", "-1", "1.5m", "1 m", "1mb", "m1", "1t", "²", "٣", "1" * 10]
)
def test_other_text_is_no_size(text: str) -> None:
    """What is not a positive number and a unit is refused."""
    with pytest.raises(UsageError, match="not a size"):
        size(text)


@pytest.mark.parametrize("text", ["1", "126", "512"])
def test_whole_number_is_read(text: str) -> None:
    """Both ends of the range belong to it."""
    assert whole_number(text, 1, 512) == int(text)


@pytest.mark.parametrize("text", ["0", "513", "-1", "+1", "", "x", "1k", " 1", "1_0", "9" * 5000])
def test_other_text_is_no_whole_number(text: str) -> None:
    """Anything but digits within the range is refused."""
    with pytest.raises(UsageError, match="not a number from 1 to 512"):
        whole_number(text, 1, 512)
