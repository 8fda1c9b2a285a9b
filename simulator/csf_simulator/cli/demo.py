"""Play the story of csf-sim demo: run every command and check what it does."""

from __future__ import annotations

import datetime
import os
import shlex
import sys
import tempfile

import click

from csf_simulator.cli.screen import say, show_command, show_output
from csf_simulator.cli.story import NO_PLUGIN, STORY, THE_END, Step
from csf_simulator.simulator import Result, Simulator
from csf_simulator.system.executables import write_executable

_DIRECTORIES = ("images", "copy")
_CSF_SIM = [sys.executable, "-I", "-c", "from csf_simulator.cli.main import main; main()"]
_NIGHTS = 7


def play() -> None:
    """Tell the whole story on a throw-away home.

    Raises:
        click.ClickException: a step did not do what the story says, or the plugin is missing.
    """
    with tempfile.TemporaryDirectory(prefix="csf-demo-") as place:
        for name in _DIRECTORIES:
            os.mkdir(os.path.join(place, name))
        with Simulator(os.path.join(place, "simulator")) as sim:
            script = f'#!/bin/sh\nexec {shlex.join(_CSF_SIM)} "$@"\n'
            write_executable(os.path.join(sim.home.bin, "csf-sim"), os.fsencode(script))
            nights = _nights()
            for step in STORY:
                _play_step(sim, step, place, nights)
    say(THE_END)


def _nights() -> dict[str, str]:
    """Return the dates of the week that ends today: the first one, and the others in one string."""
    today = datetime.date.today()
    days = [today - datetime.timedelta(days=count) for count in reversed(range(_NIGHTS))]
    first, *others = map(str, days)
    return {"night": first, "nights": " ".join(others)}


def _play_step(sim: Simulator, step: Step, place: str, nights: dict[str, str]) -> None:
    """Print and run one step, and check its output, in which the directory is left out of names."""
    say(step.words)
    show_command(step.command.format(place="", **nights))
    typed = step.command.format(place=shlex.quote(place), **nights)
    result = sim.run(["sh", "-c", f"exec 2>&1\n{typed}"])
    _require_plugin(result)
    output = result.stdout.replace(place, "")
    show_output(output, result.exit_code)
    if wrong := _wrong(step, output, result.exit_code):
        raise click.ClickException(f"the demonstration has failed: {wrong}")


def _require_plugin(result: Result) -> None:
    if "No such command 'admin_database_" in result.stdout:
        advice = NO_PLUGIN.format(python=shlex.quote(sys.executable))
        raise click.ClickException(f"{advice}\n\ncsf said:\n{result.stdout}")


def _wrong(step: Step, output: str, exit_code: int) -> str:
    """Return how the output differs from what the step says, or an empty string."""
    missing = [text for text in step.shows if text not in output]
    extra = [text for text in step.hides if text in output]
    if exit_code != step.exit_code:
        return f"exit code {exit_code}"
    if missing or extra:
        return f"missing in the output: {missing}; in it, but should not be: {extra}"
    return ""
