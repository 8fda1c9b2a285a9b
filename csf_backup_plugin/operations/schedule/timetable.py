"""The timetable of a schedule: rotation, status, verifications and copies."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.operations.schedule.lines import (
    QUIET,
    rotate_words,
    status_words,
    verify_words,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.operations.schedule.request import ScheduleRequest
    from csf_backup_plugin.operations.schedule.when import Time

# Hours after the rotation: a set is late a quarter of a day after it was due; the status runs an
# hour after that.
STATUS_AFTER = 7
# Hours after the rotation, and for each verification: it may take 2 hours and the time of one more
# image.
VERIFY_AFTER, _VERIFY_FOR = 2, 2


class Job(NamedTuple):
    """A command that runs once each day.

    Attributes:
        words: the command, after csf's name.
        at: when it begins.
    """

    words: Sequence[str]
    at: Time


class Timetable(NamedTuple):
    """All commands of a schedule.

    Attributes:
        name: the name of the schedule, fit for a file: ASCII letters, digits, dashes, underscores.
        rotate: the rotation.
        status: the status, which fails if rotations have not succeeded.
        verify: the verifications, one for each image directory.
        copy: the copies of new sets to other places, if there are any.
        environment: additional environment variables of all commands, each with its value.
    """

    name: str
    rotate: Job
    status: Job
    verify: Sequence[Job]
    copy: Sequence[Job] = ()
    environment: Sequence[tuple[str, str]] = ()

    @property
    def jobs(self) -> tuple[Job, ...]:
        """All commands of the schedule."""
        return self.rotate, self.status, *self.verify, *self.copy


def timetable(request: ScheduleRequest, name: str, at: Time, *, require_mount: bool) -> Timetable:
    """Return what runs when.

    Args:
        request: the command's validated options.
        name: the name of the schedule.
        at: the time of the rotation.
        require_mount: whether the rotation refuses directories on the file system of ``/``.
    """
    rotate = rotate_words(request.rotation, strict=request.strict, require_mount=require_mount)
    return Timetable(
        name,
        Job([*rotate, QUIET], at),
        Job(status_words(request), at.later(STATUS_AFTER)),
        [
            Job(words, at.later(VERIFY_AFTER + number * _VERIFY_FOR))
            for number, words in enumerate(verify_words(request))
        ],
        environment=request.environment,
    )
