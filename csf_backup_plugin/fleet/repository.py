"""A repository of a fleet: a section of its file."""

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

#: The keys of a section, in the order in which documents have them.
KEYS = (
    *("database", "image-dirs", "every", "max-age", "dated-day"),
    *("keep-dated", "keep-monthly", "keep-yearly"),
    *("drill-every", "scratch-dir", "max-drill-age", "copy-to", "copy-keep"),
    *("at", "wait", "timeout", "no-checksum", "require-mount", "accept-small"),
    *("quiesce", "require-quiet", "strict", "environment"),
)


@dataclass(frozen=True)
class FleetRepository:
    """A repository, and how it is backed up and watched. All lengths of time are in seconds.

    Attributes:
        name: of its section.
        host: where its databases and images are, as ssh knows it.
        repository: its master database there.
        image_dirs: ``latest`` of each image directory; at least one, all on that host.
        every: how often a set is promised; None where the file does not say.
        max_age: how old the newest set may be; None likewise.
        dated_day: the weekday whose sets are kept longer.
        keep_dated, keep_monthly, keep_yearly: how many of these are kept; None likewise.
        drill_every: how often a set is drilled; None for never. There is a `scratch_dir` then.
        scratch_dir: where on the host a drill has its directory.
        max_drill_age: how long ago the last good drill may be; 0 for any time; None likewise.
        copy_to: ``latest`` of each directory that sets are copied to.
        copy_keep: how many copies are kept there; None for all.
        at: hour and minute at which its schedule begins; None for a time that is chosen.
        wait: how long to wait for the repository's lock; None for the option's default.
        timeout: how long osbackup may take; None likewise.
        no_checksum, require_mount, accept_small, require_quiet, strict: as the options.
        quiesce: the program on the host that makes the repository quiet; None for the default.
        environment: variables of csf's own process, each with its value.
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
        """HOST:MASTER, as the key has it."""
        return f"{self.host}:{self.repository.master}"


def made_of(name: str, found: Values) -> FleetRepository:
    """Return the repository of a section.

    Args:
        name: of the section.
        found: its values.

    Raises:
        Misprint: a value cannot be what it should be, or one is missing.
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
    """Return an image directory, which is on the host of the databases, be it named or not."""
    found = parse_directory(text if not text.startswith("/") else f"{host}:{text}", "image-dirs")
    if found.host != host:
        raise UsageError(
            f"{shown(text)} is not on {host}, where the database is: osbackup runs there.",
            f"Give a directory on {host}, and {found.host}:DIR as copy-to.",
        )
    return found
