"""The table of a fleet's running jobs, as lines that fit any terminal."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from csf_backup_plugin.fleet.driver.loop import Running, State

_CUT = "..."
_GAP = 2  # spaces between two columns


def table(action: str, state: State, columns: int, rows: int) -> list[str]:
    """Return the lines: the counts, and a line for each running job that there is room for.

    Args:
        action: the action of the jobs.
        state: the state of the jobs.
        columns: the columns of the terminal; the last one stays empty.
        rows: the rows of the terminal; the last one stays empty.
    """
    room, shown_rows = max(1, columns - 1), max(1, rows - 2)
    running = state.running
    if len(running) > shown_rows:
        running = running[: shown_rows - 1]
    cells = [_cells(one) for one in running]
    widths = [max((len(row[at]) for row in cells), default=0) for at in (0, 1, 2)]
    lines = [_head(action, state), *(_row(row, widths, room) for row in cells)]
    if more := len(state.running) - len(running):
        lines.append(f"  and {more:,} more")
    return [_cut(line, room) for line in lines]


def _head(action: str, state: State) -> str:
    done = sum(one.exit_code == ExitCode.DONE for one in state.results)
    failed = len(state.results) - done
    counts = [f"{done:,} done", f"{failed:,} failed", f"{len(state.running):,} running"]
    waiting = "stopping" if state.is_stopping else f"{state.waiting:,} waiting"
    return f"{action}: {', '.join([*counts, waiting])}"


def _cells(one: Running) -> tuple[str, str, str]:
    minutes, seconds = divmod(int(time.monotonic() - one.began), 60)
    return shown(one.spec.name), shown(one.spec.host), f"{minutes:,}:{seconds:02}"


def _row(cells: tuple[str, str, str], widths: list[int], room: int) -> str:
    """Return a line; cut its host, and then its name, if there is not enough room."""
    name, host, clock = cells
    free = max(0, room - 3 * _GAP - widths[2])
    first = min(widths[0], max(free - widths[1], free * 2 // 3))
    second = min(widths[1], max(0, free - first))
    parts = (_cut(name, first).ljust(first), _cut(host, second).ljust(second))
    return "".join(" " * _GAP + part for part in (*parts, clock.rjust(widths[2])))


def _cut(text: str, width: int) -> str:
    if len(text) <= width:
        return text
    return text[: max(0, width - len(_CUT))] + _CUT[:width]
