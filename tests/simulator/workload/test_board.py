"""Where writers post how far they have come."""

from __future__ import annotations

import os
from contextlib import closing

from csf_simulator.workload.board import Board, Tally


def test_an_empty_board_adds_up_to_nothing() -> None:
    """A board without tallies adds up to zero."""
    with closing(Board.make()) as board:
        assert board.total() == Tally(0, 0, 0)


def test_the_last_tally_of_each_writer_counts() -> None:
    """The last tally of each writer counts, in any order, also that of a dead writer."""
    with closing(Board.make()) as board:
        board.post(2, Tally(1, 7, 0))
        other = Board(os.dup(board.fd))
        other.post(0, Tally(1, 5, 3))
        other.post(2, Tally(1, 8, 1))
        other.close()
        assert board.total() == Tally(2, 13, 4)
