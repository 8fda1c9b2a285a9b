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
repository = click.option(
    "-database",
    "master",
    metavar="MASTER",
    help="The master database of the repository whose image it is.",
)
wait = click.option(
    "-wait",
    type=Seconds(),
    metavar="SECONDS",
    help="Wait so long for the repository's lock.  [default: $CSF_BACKUP_LOCK_WAIT, or 30]",
)
require_mount = click.option(
    "-require-mount",
    is_flag=True,
    help="Refuse if the directory that is written to is on the file system of /.",
)
