"""A table of what commands have cost, for a page in Markdown."""

from __future__ import annotations

import statistics
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from benchmarks.timing import Case, Cost

_MIB = 1 << 20


class Table(NamedTuple):
    """What a subject has measured.

    Attributes:
        title: what all rows have in common.
        cases: a row each.
        costs: what each has cost, by its name.
    """

    title: str
    cases: Sequence[Case]
    costs: Mapping[str, Sequence[Cost]]


def text_of(table: Table) -> str:
    """Return the table's lines: medians, and the median and the range of the rounds' ratios."""
    rounds = min(map(len, table.costs.values()))
    head = [
        f"| {table.title}, n = {rounds} | time | ratio | to | goal | memory |",
        "|---|---:|---:|---|---:|---:|",
    ]
    return "\n".join([*head, *(_row(case, table.costs) for case in table.cases)])


def _row(case: Case, costs: Mapping[str, Sequence[Cost]]) -> str:
    mine = costs[case.name]
    seconds = statistics.median(cost.seconds for cost in mine)
    peak = max(cost.peak for cost in mine)
    ratio, goal = "", "" if case.goal is None else f"≤ {case.goal}"
    if case.beside:
        pairs = zip(mine, costs[case.beside], strict=True)
        ratios = [one.seconds / other.seconds for one, other in pairs]
        ratio = f"**{statistics.median(ratios):.2f}** ({min(ratios):.2f}-{max(ratios):.2f})"
    cells = (
        case.name,
        f"{seconds:.3f} s",
        ratio,
        case.beside,
        goal,
        f"{peak / _MIB:.0f} MiB" if peak else "",
    )
    return f"| {' | '.join(cells)} |"
