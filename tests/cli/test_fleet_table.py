"""The table of running jobs fits its terminal, and is updated in place."""

from __future__ import annotations

import io
import re
import sys
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING

import pytest
from fleets import result, spec

from csf_backup_plugin.cli.fleet_screen import FleetScreen
from csf_backup_plugin.cli.fleet_table import table
from csf_backup_plugin.fleet.driver.loop import Running, State

if TYPE_CHECKING:
    from collections.abc import Sequence

NAMES = ("lib", "a-shop-with-a-long-name", "bücher\x1b")


def state(names: Sequence[str] = NAMES, *, is_stopping: bool = False) -> State:
    """Return three ended jobs, and some running ones."""
    running = [
        Running(spec(name, "db1.example.com"), Future(), 1000.0 - 61 * at)
        for at, name in enumerate(names)
    ]
    results = [result("x"), result("y", 40), result("z", None)]
    return State(results, running, 4, is_stopping)


class Clock:
    """A clock that shows one second since the start of the first job, until the test sets it."""

    now = 1001.0


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Replace the clock."""
    clock = Clock()
    monkeypatch.setattr(time, "monotonic", lambda: clock.now)
    return clock


def test_the_table_has_counts_and_a_row_for_each_job() -> None:
    """Rows have the time since the start, and printable names."""
    assert table("rotate", state(), 80, 24) == [
        "rotate: 1 done, 2 failed, 3 running, 4 waiting",
        "  lib                      db1.example.com  0:01",
        "  a-shop-with-a-long-name  db1.example.com  1:02",
        "  bücher\\x1b               db1.example.com  2:03",
    ]
    assert table("rotate", state(is_stopping=True), 80, 24)[0].endswith("running, stopping")
    assert table("rotate", state(()), 80, 24) == ["rotate: 1 done, 2 failed, 0 running, 4 waiting"]


def test_names_are_cut_where_there_is_no_room() -> None:
    """The host's name is cut first."""
    assert table("rotate", state(), 40, 24) == [
        "rotate: 1 done, 2 failed, 3 running,...",
        "  lib                  db1.exa...  0:01",
        "  a-shop-with-a-lo...  db1.exa...  1:02",
        "  bücher\\x1b           db1.exa...  2:03",
    ]


@pytest.mark.parametrize("columns", [1, 2, 5, 12, 13, 20, 33, 40, 80, 120])
def test_no_line_is_longer_than_the_terminal(columns: int) -> None:
    """The last column stays empty."""
    lines = table("rotate", state(), columns, 24)
    assert max(map(len, lines)) <= max(1, columns - 1)


@pytest.mark.parametrize(("rows", "lines"), [(1, 2), (3, 2), (4, 3), (5, 4), (24, 4)])
def test_no_more_rows_than_the_terminal_has(rows: int, lines: int) -> None:
    """The number of jobs that are left out is shown."""
    found = table("rotate", state(), 80, rows)
    assert len(found) == lines
    assert ("more" in found[-1]) == (lines < 4)


class Terminal(io.StringIO):
    """A standard error that is a terminal."""

    def isatty(self) -> bool:
        return True


def test_a_table_takes_the_place_of_the_one_before(
    monkeypatch: pytest.MonkeyPatch, clock: Clock
) -> None:
    """It disappears in the end; nothing is written if nothing changes within a second."""
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setattr(sys, "stderr", terminal := Terminal())
    with FleetScreen("rotate") as screen:
        screen.watch(state(["a"]))
        first = terminal.getvalue()
        clock.now += 0.5
        screen.watch(state(["a"]))
        assert terminal.getvalue() == first
        clock.now += 0.5
        screen.watch(state(["a"]))
        screen.watch(state(["a", "b"]))
    tables = re.split(r"\x1b\[(\d)F\x1b\[J", terminal.getvalue())
    assert tables[1::2] == ["2", "2", "3"]
    assert [text.count("\n") for text in tables[::2]] == [2, 2, 3, 0]


def test_nothing_is_shown_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    """Cron's mail has no table."""
    with FleetScreen("rotate") as screen:
        screen.watch(state())
    assert capsys.readouterr() == ("", "")
