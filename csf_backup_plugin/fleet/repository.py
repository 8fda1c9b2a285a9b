"""A repository of a fleet, which is a section of the fleet file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from csf_backup_plugin import option_values
from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.fleet import values
from csf_backup_plugin.image.path import parse_directory
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.request import parse_database, parse_scratch
from csf_backup_plugin.operations.schedule.request import parse_time

if TYPE_CHECKING:
    from csf_backup_plugin.fleet.values import Values
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.repository.model import Repository

#: The keys of a section, in the order of the documents.
KEYS = (
    *("database", "image-dirs", "every", "max-age", "dated-day"),
    *("keep-dated", "keep-monthly", "keep-yearly"),
    *("drill-every", "scratch-dir", "max-drill-age", "copy-to", "copy-keep"),
    *("at", "wait", "timeout", "no-checksum", "require-mount", "accept-small"),
    *("quiesce", "require-quiet", "strict", "environment"),
)


@dataclass(frozen=True)
class FleetRepository:
    """A repository, and how it is backed up and watched; lengths of time are in seconds.

    Attributes:
        name: the name of its section.
        host: the host of its databases and images, as a name for ssh.
        repository: the repository of its master database there.
        image_dirs: ``latest`` of each image directory; at least one, all on that host.
        every: the promised time between two sets; None if the file does not say.
        max_age: how old the newest set may be; None if the file does not say.
        dated_day: the weekday whose sets are kept longer.
        keep_dated, keep_monthly, keep_yearly: how many of these sets are kept; None if the file
            does not say.
        drill_every: how old the last good drill may be before the next; None for no drills. With
            it, `scratch_dir` is not None.
        scratch_dir: where on the host a drill makes its directory; None if the file does not say.
        max_drill_age: how old the last good drill may be for a status; 0 for any age; None if the
            file does not say.
        copy_to: ``latest`` of each directory that sets are copied to.
        copy_keep: for how many days copies are kept there; None for all copies.
        at: hour and minute of the rotation in its schedule; None for a time that csf chooses.
        wait: how long to wait for the repository's lock; None for the option's default.
        timeout: how long osbackup may take; None for the option's default.
        no_checksum, require_mount, accept_small, require_quiet, strict: whether the options of
            these names are given.
        quiesce: the program on the host that makes the repository quiet; None for the default.
        environment: environment variables for csf's process, each with its value.
    """

    name: str
    host: str
    repository: Repository
    image_dirs: tuple[ImagePath, ...]
    every: float | None = None
    max_age: float | None = None
    dated_day: str = "sunday"
    keep_dated: int | None = None
    keep_monthly: int | None = None
    keep_yearly: int | None = None
    drill_every: float | None = None
    scratch_dir: str | None = None
    max_drill_age: float | None = None
    copy_to: tuple[ImagePath, ...] = ()
    copy_keep: int | None = None
    at: tuple[int, int] | None = None
    wait: float | None = None
    timeout: float | None = None
    no_checksum: bool = False
    require_mount: bool = False
    accept_small: bool = False
    quiesce: str | None = None
    require_quiet: bool = False
    strict: bool = False
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def database(self) -> str:
        """HOST:MASTER, as in the file."""
        return f"{self.host}:{self.repository.master}"


def made_of(name: str, found: Values) -> FleetRepository:
    """Return the repository of a section.

    Args:
        name: the name of the section.
        found: the values of the section.

    Raises:
        Misprint: a value is wrong or missing.
    """
    host, repository = found.needed("database", lambda text: parse_database(text, "database"))
    return FleetRepository(
        name,
        host,
        repository,
        found.at_least_one("image-dirs", lambda text: _image_dir(text, host)),
        every=found.one("every", option_values.duration),
        max_age=found.one("max-age", option_values.duration),
        dated_day=found.one("dated-day", values.weekday, "sunday"),
        keep_dated=found.one("keep-dated", option_values.count),
        keep_monthly=found.one("keep-monthly", option_values.count),
        keep_yearly=found.one("keep-yearly", option_values.count),
        drill_every=found.one("drill-every", option_values.duration),
        scratch_dir=found.one("scratch-dir", lambda text: parse_scratch(text, "scratch-dir")),
        max_drill_age=found.one(
            "max-drill-age", lambda text: option_values.duration(text, none=True)
        ),
        copy_to=found.several("copy-to", lambda text: parse_directory(text, "copy-to")),
        copy_keep=found.one("copy-keep", option_values.count),
        at=found.one("at", lambda text: parse_time(text, "at")),
        wait=found.one("wait", option_values.seconds),
        timeout=found.one("timeout", lambda text: option_values.seconds(text, 1)),
        no_checksum=found.flag("no-checksum"),
        require_mount=found.flag("require-mount"),
        accept_small=found.flag("accept-small"),
        quiesce=found.one("quiesce", values.path),
        require_quiet=found.flag("require-quiet"),
        strict=found.flag("strict"),
        environment=found.several("environment", lambda text: values.variable(text, KEYS)),
    )


def _image_dir(text: str, host: str) -> ImagePath:
    """Return an image directory; refuse one on another host than the databases."""
    found = parse_directory(text if not text.startswith("/") else f"{host}:{text}", "image-dirs")
    if found.host != host:
        raise UsageError(
            f"{shown(text)} is not on {host}, where the database is: osbackup runs there.",
            f"Give a directory on {host}, and {found.host}:DIR as copy-to.",
        )
    return found
