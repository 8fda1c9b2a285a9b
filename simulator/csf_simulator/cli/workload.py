"""The command csf-sim workload."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click

from csf_simulator.cli.terminal import reported_errors
from csf_simulator.workload.background import start_workload
from csf_simulator.workload.running import Result
from csf_simulator.workload.transfer import Totals, totals

_ENDING = {signal.SIGINT, signal.SIGTERM}


@click.command("workload")
@click.argument("master")
@click.option("--writers", type=click.IntRange(min=1), default=4, show_default=True)
@click.option(
    "--seconds", type=click.FloatRange(min=0), help="How long to run.  [default: until Ctrl-C]"
)
@click.option("--durable", is_flag=True, help="Flush every transaction to the disk.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def workload_command(
    ctx: click.Context,
    master: str,
    *,
    writers: int,
    seconds: float | None,
    durable: bool,
    as_json: bool,
) -> None:
    """Move money between the classes of MASTER, in transactions.

    Ends after a time, or by SIGINT or SIGTERM, and says how many transactions there were. The sum
    of all accounts never changes; if it did, the exit code is 1.
    """
    with reported_errors(), _signals_blocked():
        ctx.obj.create()
        with start_workload(ctx.obj.server, master, writers=writers, durable=durable) as workload:
            _wait(seconds)
        sums = totals(ctx.obj.server, master)
    if as_json:
        facts = {"master": os.path.abspath(master), "writers": writers, "durable": durable}
        click.echo(json.dumps({"schema": "csf-sim/1", **facts, **_facts(workload.result(), sums)}))
    else:
        click.echo(_sentences(workload.result(), sums))
    ctx.exit(sums.held != sums.opened)


def _facts(result: Result, sums: Totals) -> dict[str, Any]:
    rate = round(result.rate, 1)
    return {**result._asdict(), "per_second": rate, **sums._asdict()}


def _sentences(result: Result, sums: Totals) -> str:
    """Return sentences that say what the workload did."""
    rate = f"{result.rate:.0f} a second"
    refused = f", {result.refused} refused" if result.refused else ""
    instead = "" if sums.held == sums.opened else f" instead of {sums.opened}"
    return (
        f"{result.transactions} transactions in {result.seconds:.1f} seconds, {rate}{refused}\n"
        f"all accounts together hold {sums.held}{instead}"
    )


def _wait(seconds: float | None) -> None:
    """Wait until the time is over or a blocked signal comes."""
    if seconds is None:
        signal.sigwait(_ENDING)
    else:
        signal.sigtimedwait(_ENDING, seconds)


@contextmanager
def _signals_blocked() -> Iterator[None]:
    """Block SIGINT and SIGTERM, so that `_wait` can wait for them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
