"""A schedule as units of systemd: a service and a timer for each command."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from csf_backup_plugin.operations.schedule.quoting import unit_program, unit_setting, unit_word

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from csf_backup_plugin.operations.schedule.surroundings import Surroundings
    from csf_backup_plugin.operations.schedule.timetable import Job, Timetable

#: The directory of units.
DIRECTORY = "/etc/systemd/system/"
FAILED = "csf-backup-failed@.service"
_MAIL = (
    '{ printf \'To: %s\\nSubject: %s failed on %s\\n\\n\' "$1" "$2" "$3"; '
    'systemctl status --full --no-pager --lines=100 "$2"; } | '
)
_HEARTBEAT = """\
# A dead timer reports nothing. To have a monitor notice each missing backup:
#ExecStartPost=/usr/bin/curl -fsS -m 10 --retry 5 -o /dev/null https://monitor.example/ID
"""
_PROTECTED = """\
# Not active: it is not known where ObjectStore itself writes, and osbackup fails if it cannot write
# there. If you know the paths, allow them below.
#ProtectSystem=strict
"""


def units(plan: Timetable, here: Surroundings, written: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield the path and the text of each unit; the first line of each says its path.

    Args:
        plan: what runs when.
        here: the surroundings in which the schedule runs.
        written: the directories of this machine that a rotation writes to.

    Raises:
        UsageError: something cannot be written in a unit.
    """
    protected = _PROTECTED + "".join(map(_writable, written))
    here = here._replace(variables={**here.variables, **dict(plan.environment)})
    found = [
        *_unit(plan.name, "Backup", plan.rotate, here, _HEARTBEAT + protected),
        *_unit(f"{plan.name}-status", "Look at the backups", plan.status, here),
    ]
    for number, job in enumerate(plan.verify, start=1):
        found += _unit(f"{plan.name}-verify-{number}", "Verification of backups", job, here)
    for job in plan.copy:
        found += _unit(f"{plan.name}-copy", "Copies of backups", job, here)
    for name, text in (*found, (FAILED, _failed(here))):
        yield DIRECTORY + name, f"# {DIRECTORY}{name}\n{text}"


def _unit(
    name: str, what: str, job: Job, here: Surroundings, more: str = ""
) -> Iterator[tuple[str, str]]:
    """Yield the service and the timer of a command."""
    settings = "\n".join(unit_setting(*one) for one in here.variables.items())
    command = " ".join([unit_program(here.csf), *map(unit_word, job.words)])
    yield (
        f"{name}.service",
        f"""\
[Unit]
Description={what}, {name}
Wants=network-online.target
After=network-online.target
OnFailure={FAILED.replace("@", "@%n")}

[Service]
Type=oneshot
User={here.user}
StateDirectory=csf-backup
{settings}
ExecStart={command}
{more}""",
    )
    yield (
        f"{name}.timer",
        f"""\
[Unit]
Description={what} each day, {name}

[Timer]
OnCalendar=*-*-* {job.at}:00
Persistent=true

[Install]
WantedBy=timers.target
""",
    )


def _failed(here: Surroundings) -> str:
    """Return the unit that sends mail about the failure of another one."""
    script = _MAIL + f"{shlex.quote(here.mailer or '/usr/sbin/sendmail')} -t"
    return f"""\
[Unit]
Description=Mail that %i failed

[Service]
Type=oneshot
ExecStart=/bin/sh -c {unit_word(script)} sh {unit_word(here.user)} %i %H
"""


def _writable(path: str) -> str:
    """Return the line that lets a unit write to a directory; empty if the path cannot be written.

    The directory need not exist. In this setting, a backslash escapes nothing.
    """
    quote = "'" if '"' in path else '"'
    if quote in path or not path.isascii():
        return ""
    return f"#ReadWritePaths={quote}-{path.replace('%', '%%')}{quote}\n"
