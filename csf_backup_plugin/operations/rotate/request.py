"""The options of a rotation, checked before anything is touched."""

from __future__ import annotations

import datetime
import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.image.path import parse_directory
from csf_backup_plugin.names import has_control_character, shown
from csf_backup_plugin.operations.backup.request import BackupRequest
from csf_backup_plugin.operations.lock_wait import LOCK_WAIT
from csf_backup_plugin.operations.request import parse_repository, parse_scratch
from csf_backup_plugin.operations.rotate.plan import ALL, Retention

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.quiet.request import Quiescing
    from csf_backup_plugin.repository.model import Repository

_LONGEST_ID = 100  # characters


class BackupOptions(TypedDict, total=False):
    """The options that a rotation passes on to its backup; see `BackupRequest`."""

    dry_run: bool
    wait: float
    timeout: float | None
    checksum: bool
    require_mount: bool
    arrays: frozenset[str]
    accept_small: bool
    quiescing: Quiescing


@dataclass(frozen=True)
class RotateRequest:
    """One rotation of one repository.

    Attributes:
        repository: the repository to back up.
        tops: ``latest`` of each image directory, all on one host.
        options: the options of the backup.
        dated_day: the weekday whose sets go to the place ``dated``.
        slot: the date the run was due; None for the host's local date.
        retention: how many dated sets are kept.
        drill_every: how old the last good drill may be, in seconds; None for no drills.
        scratch: where on the host a drill makes its directory; None for no drills.
        every: the promised time between two sets, in seconds; None if nothing is promised.
        run_id: the id of this run.
        accepted: whether -yes was given, which accepts suspicious sets and many deletions.
    """

    repository: Repository
    tops: tuple[ImagePath, ...]
    options: BackupOptions
    dated_day: str = "sunday"
    slot: datetime.date | None = None
    retention: Retention = ALL
    drill_every: float | None = None
    scratch: str | None = None
    every: float | None = None
    run_id: str = ""
    accepted: bool = False

    @property
    def host(self) -> str:
        """The host of the databases and of all images."""
        return self.tops[0].host

    @property
    def dry_run(self) -> bool:
        """Whether to change nothing and only report what would be done."""
        return self.options.get("dry_run", False)

    @property
    def wait(self) -> float:
        """How long to wait for the repository's lock, in seconds."""
        return self.options.get("wait", LOCK_WAIT)

    def backup(self, image: ImagePath) -> BackupRequest:
        """Return the request for the backup to an image."""
        return BackupRequest(self.repository, image, **self.options)

    @classmethod
    def parse(
        cls,
        master: str,
        directories: Sequence[str],
        options: BackupOptions,
        *,
        dated_day: str = "sunday",
        slot: str | None = None,
        retention: Retention = ALL,
        drill_every: float | None = None,
        scratch: str | None = None,
        every: float | None = None,
        run_id: str | None = None,
        accepted: bool = False,
    ) -> RotateRequest:
        """Parse what the user wrote.

        Raises:
            UsageError: an argument has a wrong value, or two do not fit together.
        """
        if (drill_every is None) != (scratch is None):
            raise UsageError(
                "-drill-every and -scratch-dir must be given together.",
                "Give both, such as -drill-every 7d -scratch-dir /var/tmp, or neither.",
            )
        return cls(
            parse_repository(master),
            _tops(directories),
            options,
            dated_day,
            None if slot is None else _slot(slot),
            retention,
            drill_every,
            None if scratch is None else parse_scratch(scratch),
            every,
            secrets.token_hex(8) if run_id is None else _run_id(run_id),
            accepted,
        )


def _tops(directories: Sequence[str]) -> tuple[ImagePath, ...]:
    tops = tuple(map(parse_directory, directories))
    if len({top.host for top in tops}) > 1:
        raise UsageError(
            "The image directories of one rotation are on one host: osbackup runs where the "
            f"databases are; {', '.join(sorted({shown(top.host) for top in tops}))} were given.",
            "Give each -image-dir on the host of the databases, and copy images to other hosts.",
        )
    if len({*tops}) < len(tops):
        raise UsageError("An -image-dir is given twice.", "Give each directory once.")
    return tops


def _slot(text: str) -> datetime.date:
    try:
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
            return datetime.date.fromisoformat(text)
    except ValueError:
        pass
    raise UsageError(
        f"-slot {shown(text)!r} is not a date.", "Give it as YYYY-MM-DD, such as 2026-11-29."
    )


def _run_id(text: str) -> str:
    if not text or len(text) > _LONGEST_ID or has_control_character(text):
        raise UsageError(
            f"-run-id {shown(text)!r} cannot be a run's id.",
            f"Give 1 to {_LONGEST_ID} characters, such as 2026-11-29T02:10.",
        )
    return text
