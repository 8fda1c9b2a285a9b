"""The command csf-sim: its own options, and its commands, which the other modules here define."""

from __future__ import annotations

import click

from csf_simulator import __version__
from csf_simulator.cli.check import check_command
from csf_simulator.cli.create import create_command
from csf_simulator.cli.fault import fault_command
from csf_simulator.cli.run import env_command, run_command
from csf_simulator.cli.terminal import reported_errors
from csf_simulator.cli.workload import workload_command
from csf_simulator.home import HOME_VARIABLE, Home


@click.group()
@click.option(
    "--home",
    metavar="DIR",
    envvar=HOME_VARIABLE,
    default=".csf-sim",
    show_default=True,
    show_envvar=True,
    help="The simulator's home directory; created if it is missing.",
)
@click.version_option(__version__, prog_name="csf-sim")
@click.pass_context
def main(ctx: click.Context, home: str) -> None:
    """A simulated ObjectStore and csf, to try out and test csf plugins without either."""
    with reported_errors():
        ctx.obj = Home(home)


@main.command()
def demo() -> None:
    """Tell the whole story on a throw-away home.

    Every command that is shown really runs, from the first class and a week of backups to a restore
    that is proven.
    """
    from csf_simulator.cli.demo import play

    play()


for command in (
    check_command,
    create_command,
    env_command,
    fault_command,
    run_command,
    workload_command,
):
    main.add_command(command)
