"""Sizes and numbers as ObjectStore's utilities take them."""

from __future__ import annotations

from csf_simulator.program.errors import UsageError

_UNITS = {"k": 1024, "m": 1024**2, "g": 1024**3}
_DIGITS = 9  # no size or number that a utility accepts has more digits


def size(text: str) -> int:
    """Return the bytes that `80k`, `1m` or `2g` stand for; a bare number is megabytes (inferred).

    Raises:
        UsageError: the text is no size, or it is zero.
    """
    unit = text[-1:].lower()
    digits = text[:-1] if unit in _UNITS else text
    if not _is_number(digits) or int(digits) == 0:
        raise UsageError(f"not a size: {text}; use 10k, 1m, 2g, or a number of megabytes")
    return int(digits) * _UNITS.get(unit, _UNITS["m"])


def whole_number(text: str, lowest: int, highest: int) -> int:
    """Return the number that is written in decimal digits.

    Raises:
        UsageError: the text is not a number, or not between the two, both included.
    """
    if not _is_number(text) or not lowest <= int(text) <= highest:
        raise UsageError(f"not a number from {lowest} to {highest}: {text}")
    return int(text)


def _is_number(text: str) -> bool:
    """Tell whether a text is decimal digits, and not too many."""
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS
