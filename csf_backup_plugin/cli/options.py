"""The options that several commands share."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import click

from csf_backup_plugin import option_values
from csf_backup_plugin.image.path import is_host
from csf_backup_plugin.weekdays import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

JSON = "-json"


class Seconds(click.FloatRange):
    """A finite number of seconds.

    Args:
        least: the smallest allowed number.
    """

    def __init__(self, least: float = 0) -> None:
        super().__init__(min=least)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or fail."""
        with _failing(self, param, ctx):
            return option_values.seconds(str(value), self.min or 0)


class Duration(click.types.FloatParamType):
    """A length of time, such as 30d or 24h; its value is in seconds.

    Args:
        none: whether ``none`` and 0 are allowed.
    """

    name = "duration"

    def __init__(self, *, none: bool = False) -> None:
        self._none = none

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the seconds, or fail."""
        with _failing(self, param, ctx):
            return option_values.duration(str(value), none=self._none)


class Count(click.IntRange):
    """A count, from 0."""

    def __init__(self) -> None:
        super().__init__(min=0)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or fail."""
        with _failing(self, param, ctx):
            return option_values.count(str(value))


@contextlib.contextmanager
def _failing(kind: Any, param: click.Parameter | None, ctx: click.Context | None) -> Iterator[None]:
    """Raise a ValueError of the block as an error of click."""
    try:
        yield
    except ValueError as error:
        kind.fail(str(error), param, ctx)


def name_of(word: str) -> str:
    """Return an option's name, with one dash and without its value."""
    return "-" + word.partition("=")[0].lstrip("-")


def host_of(given: Mapping[str, Any]) -> str:
    """Return the host of an image or a directory, or the host, that a command line names.

    Args:
        given: the values of the options, not checked yet.

    Returns:
        The first such host; empty if there is none.
    """
    paths = (given.get("image"), given.get("directory"), *given.get("directories", ()))
    named = (path.partition(":")[0] for path in paths if path)
    host = next(named, None) or given.get("host") or ""
    return host if is_host(host) else ""


def of_every_command() -> list[click.Parameter]:
    """Return the options that every command has."""
    text = "Log on standard error what is done and decided."
    return [
        click.Option([JSON, "as_json"], is_flag=True, help="Print the outcome as JSON."),
        click.Option(["-verbose"], is_flag=True, help=text),
    ]


def quiet(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add -quiet, for commands that cron runs; `command.CsfCommand` handles it."""
    text = "Print nothing if all went well without a warning."
    return click.option("-quiet", "is_quiet", is_flag=True, help=text)(command)


def image_file(text: str, *, required: bool = True) -> Decorator:
    """Return -image-file.

    Args:
        text: the help text.
        required: whether it must be given.
    """
    return click.option("-image-file", "image", metavar="HOST:PATH", required=required, help=text)


def image_directories(text: str, *, required: bool = True) -> Decorator:
    """Return -image-dir, which may be given several times.

    Args:
        text: the help text.
        required: whether it must be given.
    """
    return _image_dir("directories", f"{text}  [repeatable]", several=True, required=required)


def image_directory(text: str) -> Decorator:
    """Return -image-dir for a command that also has -image-file, with its help text."""
    return _image_dir("directory", text, several=False, required=False)


def _image_dir(name: str, text: str, *, several: bool, required: bool) -> Decorator:
    return click.option(
        "-image-dir", name, metavar="HOST:DIR", required=required, multiple=several, help=text
    )


def fleet(text: str, *, required: bool = True) -> Decorator:
    """Return -fleet.

    Args:
        text: the help text.
        required: whether it must be given.
    """
    return click.option("-fleet", metavar="FILE", required=required, help=text)


def host(text: str) -> Decorator:
    """Return -host with its help text."""
    return click.option("-host", metavar="HOST", help=text)


def jobs(text: str, most: int | None = None) -> Decorator:
    """Return -jobs.

    Args:
        text: the help text.
        most: the largest number allowed; None for no limit.
    """
    return click.option("-jobs", type=click.IntRange(1, most), metavar="N", help=text)


def scratch_dir(text: str, *, required: bool = True) -> Decorator:
    """Return -scratch-dir.

    Args:
        text: the help text.
        required: whether it must be given.
    """
    return click.option("-scratch-dir", "scratch", metavar="DIR", required=required, help=text)


def form(choices: Sequence[str], **default: Any) -> Decorator:
    """Return -format, which is required if it has no default."""
    kind, text = click.Choice(choices), "What is printed."
    return click.option("-format", "form", type=kind, required=not default, help=text, **default)


def yes(text: str) -> Decorator:
    """Return -yes with its help text."""
    return click.option("-yes", is_flag=True, help=text)


def dry_run(text: str) -> Decorator:
    """Return -dry-run with its help text."""
    return click.option("-dry-run", is_flag=True, help=text)


def timeout(utility: str) -> Decorator:
    """Return -timeout for a utility."""
    text = f"How long {utility} may run.  [default: the time that 1 GB an hour takes, at least 600]"
    return _timeout("timeout", text)


def _timeout(name: str, text: str, default: float | None = None) -> Decorator:
    seconds = Seconds(least=1)
    return click.option(
        "-timeout", name, type=seconds, metavar="SECONDS", default=default, help=text
    )


def _master(
    text: str, *, required: bool, name: str = "master", metavar: str = "MASTER", many: bool = False
) -> Decorator:
    return click.option(
        "-database", name, metavar=metavar, required=required, multiple=many, help=text
    )


database = _master("The master database's path.", required=True)
needed_database = _master("The master database's path.", required=False)
repository = _master("The master database of the image's repository.", required=False)
_EXISTING = "The image; HOST:DIR/latest is the newest verified one in DIR."
existing_image = image_file(_EXISTING)
one_image = image_file(_EXISTING, required=False)
wait = click.option(
    "-wait",
    type=Seconds(),
    metavar="SECONDS",
    help="How long to wait for the repository's lock.  [default: $CSF_BACKUP_LOCK_WAIT, or 30]",
)
require_mount = click.option(
    "-require-mount",
    is_flag=True,
    help="Refuse to write to a directory on the file system of /.",
)
no_checksum = click.option("-no-checksum", is_flag=True, help="Do not take the image's SHA-256.")
accept_small = click.option(
    "-accept-small",
    is_flag=True,
    help="Accept an image smaller than half of its databases, for an osbackup that compresses.",
)
quiesce = click.option(
    "-quiesce",
    metavar="PATH",
    help="A program on HOST that is called with `begin` before the utility runs, and with `end` "
    "after it.  [default: $CSF_BACKUP_QUIESCE there]",
)
require_quiet = click.option(
    "-require-quiet", is_flag=True, help="Refuse if ossvrstat names clients of the Server."
)
only = click.option(
    "-only",
    metavar="NAME",
    multiple=True,
    help="Use only this section of the fleet file.  [repeatable]",
)
strict = click.option("-strict", is_flag=True, help="Exit with 3 if there were warnings.")
dated_day = click.option(
    "-dated-day",
    type=click.Choice(WEEKDAYS),
    default="sunday",
    metavar="DAY",
    help="The weekday whose sets go to the place `dated`, and are kept longer.  [default: sunday]",
)
keep_dated = click.option(
    "-keep-dated",
    type=Count(),
    metavar="N",
    help="Keep the dated sets of the last N days that have one.  [default: all, unless one "
    "of the next two is given]",
)
keep_monthly = click.option(
    "-keep-monthly",
    type=Count(),
    metavar="N",
    help="Keep the newest dated set of each of the last N months that have one.",
)
keep_yearly = click.option(
    "-keep-yearly",
    type=Count(),
    metavar="N",
    help="Keep the newest dated set of each of the last N years that have one.",
)
drill_every = click.option(
    "-drill-every",
    type=Duration(),
    metavar="AGE",
    help="Drill the new set if the last good drill is this old or older, such as 7d.",
)
drill_scratch_dir = scratch_dir("Where on HOST a directory for a drill is made.", required=False)
limit = _timeout("limit", "How long to wait for all answers of a host.  [default: 10]", 10.0)
repositories = _master(
    "A repository that must have images, and is compared with them.  [repeatable]",
    required=False,
    name="databases",
    metavar="HOST:MASTER",
    many=True,
)
