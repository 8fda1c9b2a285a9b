"""Faults that damage the finished image of an osbackup that reports success."""

from __future__ import annotations

import os

from csf_simulator.faults.effect import Effect
from csf_simulator.program.numbers import size


class Truncate(Effect):
    """The image is cut short."""

    kind, metavar, tools = "truncate", "[SIZE]", ("osbackup",)
    happens = "cuts its image to SIZE, or to half, and reports success"
    takes = "a size or nothing, as in: truncate 1k"

    def __init__(self, value: str) -> None:
        self._size = size(value) if value else None

    def end(self, image: str) -> None:
        """Cut the image; it always loses at least one byte."""
        whole = os.path.getsize(image)
        os.truncate(image, min(self._size or whole // 2, whole - 1))


class Corrupt(Effect):
    """The image has one wrong bit."""

    kind, tools = "corrupt", ("osbackup",)
    happens = "flips a bit in the middle of its image, and reports success"

    def end(self, image: str) -> None:
        """Flip the bit."""
        middle = os.path.getsize(image) // 2
        with open(image, "r+b") as file:
            file.seek(middle)
            (byte,) = file.read(1)
            file.seek(middle)
            file.write(bytes([byte ^ 1]))


class Empty(Effect):
    """The image is an empty file."""

    kind, tools = "empty", ("osbackup",)
    happens = "empties its image, and reports success"

    def end(self, image: str) -> None:
        """Empty the image."""
        os.truncate(image, 0)
