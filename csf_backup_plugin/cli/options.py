"""The options that several commands have, in the same words."""

from __future__ import annotations

import click

from csf_backup_plugin.cli.command import Seconds

database = click.option(
    "-database", "master", metavar="MASTER", required=True, help="The master database's path."
)
existing_image = click.option(
    "-image-file",
    "image",
    metavar="HOST:PATH",
    required=True,
    help="The image; HOST:DIR/latest is the newest verified one in DIR.",
)
wait = click.option(
    "-wait",
    type=Seconds(),
    metavar="SECONDS",
    help="Wait so long for the repository's lock.  [default: $CSF_BACKUP_LOCK_WAIT, or 30]",
)
as_json = click.option("-json", "as_json", is_flag=True, help="Print the outcome as JSON.")
