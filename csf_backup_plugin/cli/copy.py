"""csf admin_database_copy."""

from __future__ import annotations

import contextlib
import os
from typing import TYPE_CHECKING

import click

from csf_backup_plugin.cli import options
from csf_backup_plugin.cli.command import CsfCommand

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from csf_backup_plugin.cli.outcome import Outcome
    from csf_backup_plugin.cli.runner import Run
    from csf_backup_plugin.hosts.protocol.host import Host


_EXAMPLES = """\b
For example, each night after the rotation:
  csf admin_database_copy -image-file db1:/backup1/latest -to db2:/copies -keep 14
To another disk of this machine:
  csf admin_database_copy -image-file localhost:/backup1/a.img -to localhost:/usb
"""


@click.command(
    "admin_database_copy",
    cls=CsfCommand,
    epilog=_EXAMPLES,
)
@options.existing_image
@click.option(
    "-to",
    metavar="HOST:DIR",
    required=True,
    help="The directory that the copy goes to, on any host; the image keeps its name.",
)
@options.repository
@click.option(
    "-keep",
    type=click.IntRange(min=1),
    metavar="N",
    help="Keep the copies in DIR of the last N days that have one, and remove older ones.  "
    "[default: all]",
)
@options.yes("Delete even if the newest copy is suspicious, or many copies would be removed.")
@options.dry_run("Check everything, print the plan, change nothing.")
@options.wait
@options.timeout("the copy")
@options.quiet
def admin_database_copy(
    run: Run,
    image: str,
    to: str,
    master: str | None,
    keep: int | None,
    wait: float | None,
    timeout: float | None,
    *,
    yes: bool,
    dry_run: bool,
) -> Outcome:
    """Copy a proven image, with its import file and its receipt, to another host or disk.

    The bytes go over this machine, by ssh where a host is another one. What has arrived is read
    again there, and compared with the receipt; the copy's own receipt comes last, and says where it
    was copied from. Nothing is overwritten. The lock is that of the copy itself: if the image is
    being copied there already, that is waited for. What a copy that was killed has left is replaced
    by the next one of the same image. Verify, drill and restore take a copy like any image;
    rotations neither count nor remove copies.
    """
    from csf_backup_plugin.cli.copy_report import outcome
    from csf_backup_plugin.operations.copy import copy
    from csf_backup_plugin.operations.copy.request import CopyRequest
    from csf_backup_plugin.operations.lock_wait import lock_wait

    request = CopyRequest.parse(
        image,
        to,
        master=master,
        keep=keep,
        dry_run=dry_run,
        wait=lock_wait(os.environ, wait),
        timeout=timeout,
        accepted=yes,
    )
    doing = f"The copy of {request.image}"
    with (
        run.on(request.image.host, doing) as source,
        _at(request.to.host, doing, source, run) as host,
    ):
        made = copy(request, source, host, run.progress)
    return outcome(made)


def _at(name: str, doing: str, source: Host, run: Run) -> AbstractContextManager[Host]:
    """Connect to the target host, unless it is the host of the image."""
    return contextlib.nullcontext(source) if name == source.name else run.on(name, doing)
