"""A schedule as a user's crontab, or as a file of /etc/cron.d."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from csf_backup_plugin.operations.schedule.quoting import cron_setting, cron_word

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.operations.schedule.surroundings import Surroundings
    from csf_backup_plugin.operations.schedule.timetable import Job, Timetable

# The longest command or setting that Debian's cron reads, in bytes; its crontab(1) refuses 999.
_LONGEST = 998
_HEARTBEAT = "&& curl -fsS -m 10 --retry 5 -o /dev/null https://monitor.example/ID"
_SAVE = "# Save as {path}, owned by root, mode 0644. cron ignores a name with a full stop in it."


def crontab(
    plans: Sequence[Timetable], here: Surroundings, path: str = ""
) -> tuple[str, list[str]]:
    """Return the text, and warnings about lines that a cron may not read.

    Args:
        plans: what runs when, for each schedule in the crontab.
        here: the surroundings in which the schedule runs.
        path: the path of a file in /etc/cron.d, in which lines name the user; empty for the user's
            own crontab.

    Raises:
        UsageError: a variable cannot be set in a crontab.
    """
    settings = {"SHELL": "/bin/sh", "MAILTO": here.user, **here.variables}
    set_first = [cron_setting(name, value) for name, value in settings.items()]
    user = here.user if path else ""

    def lines_of(*jobs: tuple[Timetable, Job]) -> list[str]:
        return [_line(job, user, _command(job, plan, here)) for plan, job in jobs]

    which = "the line" if len(plans) == 1 else "each line"
    copies = lines_of(*((plan, job) for plan in plans for job in plan.copy))
    lines = [
        _SAVE.format(path=path) if path else f"# For the crontab of {here.user}: crontab -e",
        *set_first,
        "# A backup each day; cron mails its warnings and errors.",
        *lines_of(*((plan, plan.rotate) for plan in plans)),
        "# A dead cron mails nothing. To have a monitor notice each missing backup,",
        f"# add to {which} above, with an address of yours:",
        f"#   {_HEARTBEAT}",
        "# A mail if a backup is late or faulty; one is late 30 hours after the last.",
        *lines_of(*((plan, plan.status) for plan in plans)),
        "# Each image is read once a month, some of them each day.",
        *lines_of(*((plan, job) for plan in plans for job in plan.verify)),
        *(["# New sets are copied to other places.", *copies] if copies else []),
        "",
    ]
    commands = [_command(job, plan, here) for plan in plans for job in plan.jobs]
    return "\n".join(lines), [text for line in (*set_first, *commands) for text in _check(line)]


def _command(job: Job, plan: Timetable, here: Surroundings) -> str:
    """Return a command; variables of its plan are set only in its line."""
    own = [f"{name}={value}" for name, value in plan.environment]
    return " ".join(map(cron_word, [*(["env", *own] if own else []), here.csf, *job.words]))


def _line(job: Job, user: str, command: str) -> str:
    return " ".join(filter(None, (f"{job.at.minute} {job.at.hour} * * *", user, command)))


def _check(line: str) -> list[str]:
    if (length := len(os.fsencode(line))) <= _LONGEST:
        return []
    return [
        f"Debian's cron does not read lines of more than {_LONGEST} bytes, and one that begins "
        f"with {line.split('=')[0].split(' ')[0]} has {length:,}; give -format systemd"
    ]
