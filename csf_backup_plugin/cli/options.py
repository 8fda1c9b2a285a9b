"""The options that several commands have, in the same words."""

from __future__ import annotations

import math
from typing import Any

import click


class Seconds(click.FloatRange):
    """A number of seconds that ends.

    Args:
        least: the smallest that makes sense.
    """

    def __init__(self, least: float = 0) -> None:
        super().__init__(min=least)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or fail."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a number of seconds.", param, ctx)
        return number


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
