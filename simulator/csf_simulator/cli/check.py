"""The command csf-sim check."""

from __future__ import annotations

import os
import shlex

import click

from csf_simulator.cli.terminal import command_line, print_names, reported_errors
from csf_simulator.repository.check import Finding, check


@click.command("check")
@click.argument("master")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
@click.pass_context
def check_command(ctx: click.Context, master: str, *, as_json: bool) -> None:
    """Check the repository of MASTER and print what is wrong.

    Every sector, every reference and the sum of all accounts must be right. Prints one finding a
    line, and exits with 1 if there are any.
    """
    with reported_errors():
        ctx.obj.create()
        if not os.path.exists(master):
            make_it = command_line(ctx, f"create {shlex.quote(master)}")
            raise click.ClickException(f"there is no {master}; make it with: {make_it}")
        findings = check(ctx.obj.server, master)
    _print_findings(master, findings, as_json=as_json)
    ctx.exit(1 if findings else 0)


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
