"""A schedule as a user's crontab, or as a file of /etc/cron.d."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from csf_backup_plugin.operations.schedule.quoting import cron_setting, cron_word

if TYPE_CHECKING:
    from csf_backup_plugin.operations.schedule.surroundings import Surroundings
    from csf_backup_plugin.operations.schedule.timetable import Job, Timetable

# Bytes of a command, or of a setting, that Debian's cron reads: its crontab(1) refuses 999.
_LONGEST = 998
_HEARTBEAT = "&& curl -fsS -m 10 --retry 5 -o /dev/null https://monitor.example/ID"
_SAVE = "# Save as {path}, owned by root, mode 0644. cron ignores a name with a full stop in it."


def crontab(plan: Timetable, here: Surroundings, path: str = "") -> tuple[str, list[str]]:
    """Return the text, and warnings of what a cron may not read.

    Args:
        plan: what runs when.
        here: where it is to run.
        path: the file of /etc/cron.d that it is to be, whose lines name the user; empty for lines
            of the user's own crontab.

    Raises:
        UsageError: a variable cannot be set in a crontab.
    """
    settings = {"SHELL": "/bin/sh", "MAILTO": here.user, **here.variables}
    set_first = [cron_setting(name, value) for name, value in settings.items()]
    rotate, status, *verify = (
        _command(job, here) for job in (plan.rotate, plan.status, *plan.verify)
    )
    user = here.user if path else ""
    lines = [
        _SAVE.format(path=path) if path else f"# For the crontab of {here.user}: crontab -e",
        *set_first,
        "# A backup each day; cron mails its warnings, and what is not as it should be.",
        _line(plan.rotate, user, rotate),
        "# A cron that is dead mails nothing. To let a monitor miss each backup that was not made,",
        "# add to the line above, with an address of yours:",
        f"#   {_HEARTBEAT}",
        "# A mail if backups are not as they should be; one is late 30 hours after the last.",
        _line(plan.status, user, status),
        "# Each image is read once a month, some of them each day.",
        *(_line(job, user, line) for job, line in zip(plan.verify, verify, strict=True)),
    ]
    too_long = [*set_first, rotate, status, *verify]
    return "\n".join([*lines, ""]), [text for line in too_long for text in _check(line)]


def _command(job: Job, here: Surroundings) -> str:
    return " ".join(map(cron_word, (here.csf, *job.words)))


def _line(job: Job, user: str, command: str) -> str:
    return " ".join(filter(None, (f"{job.at.minute} {job.at.hour} * * *", user, command)))


def _check(line: str) -> list[str]:
    if (length := len(os.fsencode(line))) <= _LONGEST:
        return []
    return [
        f"Debian's cron does not read lines of more than {_LONGEST} bytes, and one that begins "
        f"with {line.split('=')[0].split(' ')[0]} has {length:,}; give -format systemd"
    ]
