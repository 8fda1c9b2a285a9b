"""The command csf-sim create."""

from __future__ import annotations

import shlex

import click

from csf_simulator.cli.terminal import (
    command_line,
    hint,
    print_names,
    reported_errors,
    size_in_bytes,
)
from csf_simulator.repository import repository


@click.command("create")
@click.argument("master")
@click.option("--classes", type=click.IntRange(min=0), default=0, help="How many classes it has.")
@click.option("--size", callback=size_in_bytes, help="Of each class's database: 80k, 1m, 4g.")
@click.pass_context
def create_command(ctx: click.Context, master: str, classes: int, size: int) -> None:
    """Make a master repository with the master database MASTER."""
    check_it = command_line(ctx, f"check {shlex.quote(master)}")
    with reported_errors():
        ctx.obj.create()
        try:
            path = repository.create(ctx.obj.server, master, classes=classes, size=size)
        except FileExistsError as error:
            raise click.ClickException(f"{error}; look into it with: {check_it}") from error
    print_names(path)
    one_more = f"run -- csf class_create -database {shlex.quote(path)} -class Person"
    hint(f"Add a class with: {command_line(ctx, one_more)}")
    hint(f"Check it with: {check_it}")
