"""The command csf-sim."""

from __future__ import annotations

import os
import shlex

import click

from csf_simulator import __version__
from csf_simulator.cli.fault import fault_command
from csf_simulator.cli.terminal import command_line, complaints, hint, print_names, size_in_bytes
from csf_simulator.cli.workload import workload_command
from csf_simulator.home import HOME_VARIABLE, Home
from csf_simulator.program.start import restore_signals
from csf_simulator.repository import repository
from csf_simulator.repository.check import Finding, check
from csf_simulator.system.environment import foreign_names

NOT_EXECUTABLE, NOT_FOUND = 126, 127  # the statuses a shell has for a command it cannot run


@click.group()
@click.option(
    "--home",
    metavar="DIR",
    envvar=HOME_VARIABLE,
    default=".csf-sim",
    show_default=True,
    show_envvar=True,
    help="Where the simulator lives; made when it is missing.",
)
@click.version_option(__version__, prog_name="csf-sim")
@click.pass_context
def main(ctx: click.Context, home: str) -> None:
    """A simulated ObjectStore and csf, to try out and test csf plugins without either."""
    with complaints():
        ctx.obj = Home(home)


@main.command()
@click.argument("master")
@click.option("--classes", type=click.IntRange(min=0), default=0, help="How many classes it has.")
@click.option("--size", callback=size_in_bytes, help="Of each class's database: 80k, 1m, 4g.")
@click.pass_context
def create(ctx: click.Context, master: str, classes: int, size: int) -> None:
    """Make a master repository with the master database MASTER."""
    check_it = command_line(ctx, f"check {shlex.quote(master)}")
    with complaints():
        ctx.obj.create()
        try:
            path = repository.create(ctx.obj.server, master, classes=classes, size=size)
        except FileExistsError as error:
            raise click.ClickException(f"{error}; look into it with: {check_it}") from error
    print_names(path)
    one_more = f"run -- csf class_create -database {shlex.quote(path)} -class Person"
    hint(f"Add a class with: {command_line(ctx, one_more)}")
    hint(f"Check it with: {check_it}")


@main.command(context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False})
@click.argument("command", nargs=-1, required=True, type=click.UNPROCESSED)
@click.pass_context
def run(ctx: click.Context, command: tuple[str, ...]) -> None:
    """Run COMMAND with the simulator's csf and utilities on its PATH.

    COMMAND takes the place of csf-sim: its streams, its exit status and its signals are its own.
    """
    with complaints():
        ctx.obj.create()
    restore_signals()
    try:
        os.execvpe(command[0], command, ctx.obj.environment(os.environ))
    except OSError as error:
        click.echo(f"csf-sim: {command[0]}: {error.strerror}", err=True)
        ctx.exit(NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE)


@main.command()
@click.pass_obj
def env(home: Home) -> None:
    """Print shell exports, for: eval "$(csf-sim env)"."""
    with complaints():
        home.create()
    environment = home.environment(os.environ)
    for name in (HOME_VARIABLE, "PATH"):
        print_names(f"export {name}={shlex.quote(environment[name])}")
    click.echo(f"unset {' '.join(foreign_names(os.environ))}")


@main.command("check")
@click.argument("master")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def check_command(ctx: click.Context, master: str, *, as_json: bool) -> None:
    """Check the repository of MASTER and print what is wrong.

    Every sector, every reference and the sum of all accounts must be right. Prints one finding a
    line, and exits with 1 if there are any.
    """
    with complaints():
        ctx.obj.create()
        if not os.path.exists(master):
            make_it = command_line(ctx, f"create {shlex.quote(master)}")
            raise click.ClickException(f"there is no {master}; make it with: {make_it}")
        findings = check(ctx.obj.server, master)
    _print_findings(master, findings, as_json=as_json)
    ctx.exit(1 if findings else 0)


@main.command()
def demo() -> None:
    """Tell the whole story on a throw-away home.

    Every command that is shown really runs, from the first class to a restore that is proven.
    """
    from csf_simulator.cli.demo import play

    play()


main.add_command(workload_command)
main.add_command(fault_command)


def _print_findings(master: str, findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        import json

        facts = [finding._asdict() for finding in findings]
        master = os.path.abspath(master)
        click.echo(json.dumps({"schema": "csf-sim/1", "master": master, "findings": facts}))
        return
    for finding in findings:
        print_names(str(finding))
    if not findings:
        click.echo(f"{master} is sound", err=True)
