"""Parsers of values in options and the fleet file: lengths of time and counts."""

from __future__ import annotations

import math
import re

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
#: The word for no length of time, if an option need not have one.
NONE = "none"


def duration(text: str, *, none: bool = False) -> float:
    """Return a length of time, such as 30d or 24h, in seconds.

    Args:
        text: as the user wrote it.
        none: whether ``none`` is valid, too; it means 0.

    Raises:
        ValueError: it is not a length of time; the message is a sentence.
    """
    if none and text == NONE:
        return 0.0
    found = re.fullmatch(r"([0-9]{1,6})([smhdw])", text, re.ASCII)
    if not found or not int(found[1]):
        raise ValueError(f"{text} is not a length of time, such as 90m, 24h, 7d or 4w.")
    return float(int(found[1]) * _SECONDS[found[2]])


def seconds(text: str, least: float = 0) -> float:
    """Return a finite number of seconds.

    Args:
        text: as the user wrote it.
        least: the smallest valid value.

    Raises:
        ValueError: it is not a number, or is smaller; the message is a sentence.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number < math.inf:
        raise ValueError(f"{text} is not a number of seconds from {least:g} on.")
    return number


def count(text: str) -> int:
    """Return a count, 0 or more.

    Raises:
        ValueError: it is not a count; the message is a sentence.
    """
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        raise ValueError(f"{text} is not a number, such as 0 or 12.")
    return int(text)
