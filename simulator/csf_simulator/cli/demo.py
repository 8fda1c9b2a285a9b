"""Play the story of csf-sim demo: every command really runs, and must do what the story says."""

from __future__ import annotations

import os
import shlex
import sys
import tempfile
import textwrap

import click

from csf_simulator.cli.story import NO_PLUGIN, STORY, THE_END, Step
from csf_simulator.simulator import Result, Simulator

_WIDTH = 80
_DIRECTORIES = ("images", "monday", "tuesday")
_CSF_SIM = [sys.executable, "-I", "-c", "from csf_simulator.cli.main import main; main()"]


def play() -> None:
    """Tell the whole story on a throw-away home.

    Raises:
        click.ClickException: A step did not do what the story says, or the plugin is missing.
    """
    with tempfile.TemporaryDirectory(prefix="csf-demo-") as place:
        for name in _DIRECTORIES:
            os.mkdir(os.path.join(place, name))
        with Simulator(os.path.join(place, "simulator")) as sim:
            _require_plugin(sim)
            for step in STORY:
                _play_step(sim, step, place)
    _say(THE_END)


def _require_plugin(sim: Simulator) -> None:
    result = sim.csf("admin_database_backup", "-help")
    if result.exit_code:
        advice = NO_PLUGIN.format(python=shlex.quote(sys.executable))
        raise click.ClickException(f"{advice}\n\ncsf said:\n{result.stderr}")


def _play_step(sim: Simulator, step: Step, place: str) -> None:
    """Print and run one step, and check its output."""
    _say(step.words)
    line = step.command.format(place=shlex.quote(place))
    click.secho(f"    $ {line}", bold=True)
    result = sim.run(_argv(line))
    _show(result)
    wrong = _wrong(step, result)
    if wrong:
        raise click.ClickException(f"the story does not hold: {wrong}")


def _argv(line: str) -> list[str]:
    """Return the command to run for a line; csf-sim runs with this Python."""
    words = shlex.split(line)
    return [*_CSF_SIM, *words[1:]] if words[0] == "csf-sim" else words


def _wrong(step: Step, result: Result) -> str:
    """Return what is not as the step says, nothing if all is well."""
    output = result.stdout + result.stderr
    missing = [text for text in step.shows if text not in output]
    extra = [text for text in step.hides if text in output]
    if result.exit_code:
        return f"exit code {result.exit_code}"
    if missing or extra:
        return f"missing in the output: {missing}; in it, but should not be: {extra}"
    return ""


def _say(words: str) -> None:
    click.echo("\n" + textwrap.fill(words, _WIDTH) + "\n")


def _show(result: Result) -> None:
    for output in (result.stdout, result.stderr):
        click.secho(textwrap.indent(output, "    "), nl=False, fg="cyan")
