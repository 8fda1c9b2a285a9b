"""csf's own plugin: the command class_create, and its default implementation."""

from __future__ import annotations

import os

import click
import pluggy

from csf_simulator.csf.hookspecs import PROJECT
from csf_simulator.home import Home, require_home
from csf_simulator.program.errors import in_one_line
from csf_simulator.repository import repository

hookimpl = pluggy.HookimplMarker(PROJECT)


@click.command("class_create")
@click.option(
    "-database", "--database", required=True, metavar="MASTER", help="The master database."
)
@click.option("-class", "--class", "class_name", required=True, metavar="NAME", help="The class.")
@click.pass_obj
def class_create_command(hook: pluggy.HookRelay, database: str, class_name: str) -> None:
    """Create a class, and print the path of its database; if that fails, nothing is changed."""
    master = os.path.abspath(database)
    try:
        path = hook.class_create(master_database=master, class_name=class_name)
    except (OSError, ValueError) as error:
        raise click.ClickException(in_one_line(error)) from error
    click.echo(os.fsencode(path))


@hookimpl
def register_commands(cli: click.Group) -> None:
    """Add csf's own commands."""
    cli.add_command(class_create_command)


@hookimpl
def class_create(master_database: str, class_name: str) -> str:
    """Create the class in the simulated repository."""
    return repository.create_class(Home(require_home()).server, master_database, class_name)
