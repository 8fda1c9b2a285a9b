"""The options of a schedule, checked before anything is read."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from csf_backup_plugin.operations.rotate.request import RotateRequest

#: How often a rotation is scheduled, in seconds.
EVERY = 86400.0
#: The forms in which a schedule can be printed.
CRON, CRON_D, SYSTEMD = "cron", "cron.d", "systemd"


@dataclass(frozen=True)
class ScheduleRequest:
    """A schedule for one rotation a day, and for its status and verifications.

    Attributes:
        rotation: the request for each night's rotation; it has only the options that the user gave.
        form: `CRON`, `CRON_D` or `SYSTEMD`.
        at: hour and minute of the rotation; None for a time that csf chooses.
        strict: whether a rotation with warnings fails.
        max_age: how old the newest set may be, in seconds; None for the promised age.
        max_drill_age: how old the last good drill may be, in seconds; None for the promised age, 0
            for any age.
        environment: additional environment variables of its commands, each with its value.
    """

    rotation: RotateRequest
    form: str
    at: tuple[int, int] | None = None
    strict: bool = False
    max_age: float | None = None
    max_drill_age: float | None = None
    environment: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(
        cls, rotation: RotateRequest, form: str, at: str | None, *, strict: bool = False
    ) -> ScheduleRequest:
        """Parse what the user wrote.

        Raises:
            UsageError: `at` is not a time of day.
        """
        return cls(rotation, form, None if at is None else parse_time(at), strict)


def parse_time(text: str, called: str = "-at") -> tuple[int, int]:
    """Return hour and minute of a time of day.

    Args:
        text: what the user wrote.
        called: the name of the option or key, for the message.

    Raises:
        UsageError: it is not a time of day.
    """
    found = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", text, re.ASCII)
    if not found:
        raise UsageError(
            f"{called} {shown(text)!r} is not a time of the day.",
            "Give it as HH:MM, such as 04:15.",
        )
    return int(found[1]), int(found[2])
