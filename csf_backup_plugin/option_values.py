"""The values that options and the fleet file have, as a user writes them: lengths and counts."""

from __future__ import annotations

import math
import re

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
#: What stands for no length of time, where one need not be given.
NONE = "none"


def duration(text: str, *, none: bool = False) -> float:
    """Return a length of time, such as 30d or 24h, in seconds.

    Args:
        text: as the user wrote it.
        none: whether ``none`` is one, too, and 0.

    Raises:
        ValueError: it is none; the message is a sentence.
    """
    if none and text == NONE:
        return 0.0
    found = re.fullmatch(r"([0-9]{1,6})([smhdw])", text, re.ASCII)
    if not found or not int(found[1]):
        raise ValueError(f"{text} is not a length of time, such as 90m, 24h, 7d or 4w.")
    return float(int(found[1]) * _SECONDS[found[2]])


def seconds(text: str, least: float = 0) -> float:
    """Return a number of seconds that ends.

    Args:
        text: as the user wrote it.
        least: the smallest that makes sense.

    Raises:
        ValueError: it is none, or smaller; the message is a sentence.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not least <= number < math.inf:
        raise ValueError(f"{text} is not a number of seconds from {least:g} on.")
    return number


def count(text: str) -> int:
    """Return how many; 0 is a number, too.

    Raises:
        ValueError: it is no such number; the message is a sentence.
    """
    if not re.fullmatch(r"[0-9]{1,9}", text, re.ASCII):
        raise ValueError(f"{text} is not a number, such as 0 or 12.")
    return int(text)
