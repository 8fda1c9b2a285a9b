"""The command csf-sim fault."""

from __future__ import annotations

import click

from csf_simulator.cli.terminal import reported_errors
from csf_simulator.faults.fault import Fault
from csf_simulator.faults.kinds import described

_KINDS = "\n".join(f"{kind:<17}{happens}" for kind, happens in described())


@click.command("fault", epilog=f"\b\nKINDS are:\n{_KINDS}")
@click.argument("tool", required=False)
@click.argument("kind", required=False)
@click.argument("value", default="")
@click.option(
    "--always", is_flag=True, help="Inject the fault in every run, not only in the next one."
)
@click.option("--clear", is_flag=True, help="Forget all faults.")
@click.pass_context
def fault_command(
    ctx: click.Context,
    tool: str | None,
    kind: str | None,
    value: str,
    *,
    always: bool,
    clear: bool,
) -> None:
    """Script what goes wrong in the next run of TOOL.

    TOOL is osbackup or osrestore. Without arguments, the faults are shown that have not struck yet.
    """
    with reported_errors():
        if clear and not tool:
            ctx.obj.faults.clear()
        elif tool and kind and not clear:
            ctx.obj.faults.script(Fault(tool, kind, value, always))
        elif tool or clear:
            raise click.UsageError("Name a TOOL and a KIND, or --clear, or nothing.", ctx)
        else:
            for fault in ctx.obj.faults.unstruck():
                click.echo(str(fault))
