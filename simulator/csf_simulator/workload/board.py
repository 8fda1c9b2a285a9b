"""The progress of all writers, in anonymous memory that they share."""

from __future__ import annotations

import os
import struct
from typing import NamedTuple

_TALLY = struct.Struct("<QQQ")


class Tally(NamedTuple):
    """What one writer, or all together, did so far.

    Attributes:
        started: number of writers that are at work.
        transactions: number of transactions committed.
        refused: number of transactions refused because a database was being restored.
    """

    started: int = 0
    transactions: int = 0
    refused: int = 0


class Board:
    """The tallies of several processes, also of those that died.

    Args:
        fd: file descriptor, open and inherited; `make` returns one.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd

    @classmethod
    def make(cls) -> Board:
        """Make an empty board."""
        return cls(os.memfd_create("workload"))

    def post(self, writer: int, tally: Tally) -> None:
        """Post the tally of one writer, by its number from 0."""
        os.pwrite(self.fd, _TALLY.pack(*tally), writer * _TALLY.size)

    def total(self) -> Tally:
        """Return the sum of all tallies posted."""
        content = os.pread(self.fd, os.fstat(self.fd).st_size, 0)
        return Tally(*map(sum, zip(Tally(), *_TALLY.iter_unpack(content), strict=True)))

    def close(self) -> None:
        """Close the descriptor."""
        os.close(self.fd)
