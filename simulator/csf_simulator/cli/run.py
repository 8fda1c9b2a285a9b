"""The commands that give other programs the simulator: csf-sim run and csf-sim env."""

from __future__ import annotations

import os
import shlex

import click

from csf_simulator.cli.terminal import print_names, reported_errors
from csf_simulator.home import HOME_VARIABLE, STATE_VARIABLE, Home
from csf_simulator.program.start import restore_signals
from csf_simulator.system.environment import foreign_names

NOT_EXECUTABLE, NOT_FOUND = 126, 127  # of a shell for a command that it cannot run


@click.command(
    "run", context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}
)
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def run_command(ctx: click.Context, command: tuple[str, ...]) -> None:
    """Run COMMAND with the simulator's csf and utilities on its PATH.

    COMMAND takes the place of csf-sim: its streams, its exit status and its signals are its own.
    """
    with reported_errors():
        ctx.obj.create()
    restore_signals()
    try:
        os.execvpe(command[0], command, ctx.obj.environment(os.environ))
    except OSError as error:
        click.echo(f"csf-sim: {command[0]}: {error.strerror}", err=True)
        ctx.exit(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE)


@click.command("env")
@click.pass_obj
def env_command(home: Home) -> None:
    """Print shell exports, for: eval "$(csf-sim env)"."""
    with reported_errors():
        home.create()
    environment = home.environment(os.environ)
    for name in (HOME_VARIABLE, STATE_VARIABLE, "PATH"):
        print_names(f"export {name}={shlex.quote(environment[name])}")
    unset = (name for name in foreign_names(os.environ) if name != STATE_VARIABLE)
    click.echo(f"unset {' '.join(unset)}")
