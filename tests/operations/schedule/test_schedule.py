"""A schedule has a daily rotation, and what monitors it; it depends on the machine."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING, Any

import click
import pytest
from scheduling import HERE, asked, host_with, setting, to_shell, unit_words

from csf_backup_plugin.cli import COMMANDS
from csf_backup_plugin.errors import RepositoryNotFound
from csf_backup_plugin.operations.quiet.request import Quiescing
from csf_backup_plugin.operations.rotate.plan import Retention
from csf_backup_plugin.operations.schedule import Schedule, schedule
from doubles import Memory, MemoryHost

if TYPE_CHECKING:
    from csf_backup_plugin.operations.schedule.request import ScheduleRequest
    from csf_backup_plugin.operations.schedule.surroundings import Surroundings

FORMS = ("cron", "cron.d", "systemd")
DRILLED: dict[str, Any] = {"drill_every": 604800.0, "scratch": "/var/tmp"}


def made(
    request: ScheduleRequest, host: MemoryHost | None = None, here: Surroundings = HERE
) -> Schedule:
    """Return a schedule."""
    return schedule(request, host or host_with("/backup1"), here, Memory())


def commands(found: Schedule) -> list[list[str]]:
    """Return the words of each command, in the order of the schedule."""
    text = "\n".join(one.text for one in found.files)
    if "[Service]" in text:
        lines = re.findall(r"\nExecStart=(/opt.*)", text)
        return [[word.decode() for word in unit_words(line)] for line in lines]
    lines = re.findall(r"\n[0-9]+ [0-9]+ \* \* \* (?:lib )?(.*)", text)
    shell = [to_shell(line) for line in lines]
    return list(map(shlex.split, shell))


def times(found: Schedule) -> list[str]:
    """Return when each command starts."""
    text = "\n".join(one.text for one in found.files)
    units = re.findall(r"\nOnCalendar=\*-\*-\* (..:..):00\n", text)
    crontab = re.findall(r"\n([0-9]+) ([0-9]+) \* \* \* ", text)
    return units or [f"{int(hour):02d}:{int(minute):02d}" for minute, hour in crontab]


def test_every_form_has_the_same_commands_at_the_same_times() -> None:
    """They are the same each time that it is printed."""
    directories = ("/backup1", "/backup2")
    host = host_with(*directories)
    several = [made(asked(form, *directories, **DRILLED), host) for form in (*FORMS, "cron")]
    assert len({str(commands(one)) for one in several}) == 1
    assert len({str(sorted(times(one))) for one in several}) == 1
    assert {one.at for one in several} == {several[0].at}
    rotate, status, *verify = commands(several[0])
    assert rotate == [
        *("/opt/csf/bin/csf", "admin_database_rotate", "-database", "/databases/lib.db"),
        *("-image-dir", "db1:/backup1", "-image-dir", "db1:/backup2"),
        *("-drill-every", "7d", "-scratch-dir", "/var/tmp", "-every", "24h"),
        *("-require-mount", "-quiet"),
    ]
    assert status == [
        *("/opt/csf/bin/csf", "admin_database_status"),
        *("-image-dir", "db1:/backup1", "-image-dir", "db1:/backup2"),
        *("-database", "db1:/databases/lib.db", "-quiet"),
    ]
    assert verify == [
        *(
            [
                *("/opt/csf/bin/csf", "admin_database_verify", "-image-dir", f"db1:{directory}"),
                *("-older-than", "30d", "-budget", "2h", "-quiet"),
            ]
            for directory in directories
        )
    ]


def test_each_command_is_one_that_csf_has() -> None:
    """csf accepts its options, with all their values."""
    request = asked(
        "cron",
        at="04:15",
        strict=True,
        dated_day="monday",
        retention=Retention(4, 12, 0),
        options={
            "wait": 1.5,
            "timeout": 7200.0,
            "checksum": False,
            "require_mount": True,
            "accept_small": True,
            "quiescing": Quiescing("/etc/csf/quiesce", is_required=True),
        },
        drill_every=90061.0,
        scratch="/var/tmp",
    )
    known = {command.name: command for command in COMMANDS}
    read = {
        words[1]: known[words[1]].make_context("csf", words[2:], click.Context(click.Group()))
        for words in commands(made(request))
    }
    rotate = read["admin_database_rotate"].params
    assert {key: one for key, one in rotate.items() if one is not None and one is not False} == {
        "master": "/databases/lib.db",
        "directories": ("db1:/backup1",),
        "dated_day": "monday",
        "keep_dated": 4,
        "keep_monthly": 12,
        "keep_yearly": 0,
        "drill_every": 90061.0,
        "scratch": "/var/tmp",
        "every": 86400.0,
        "wait": 1.5,
        "timeout": 7200.0,
        "quiesce": "/etc/csf/quiesce",
        **dict.fromkeys(("no_checksum", "require_mount", "accept_small", "strict"), True),
        "is_quiet": True,
        "require_quiet": True,
    }
    assert read["admin_database_verify"].params["budget"] == 7200.0
    assert read["admin_database_status"].params["databases"] == ("db1:/databases/lib.db",)


def test_the_minute_is_another_one_for_another_machine_or_repository() -> None:
    """The hour is 4; without a machine id, the machine's name decides."""
    chosen = {
        made(asked("cron"), here=HERE._replace(machine=HERE.machine._replace(id=one, name=name))).at
        for one, name in (("b" * 32, "desk"), ("c" * 32, "desk"), ("", "desk"), ("", "lamp"))
    }
    assert {at.hour for at in chosen if at} == {4}
    assert len({at.minute for at in chosen if at}) > 1
    paths = {made(asked("cron.d"), here=HERE).files[0].path}
    host = MemoryHost({"/mnt/lib.db": b"x"}, ["/", "/backup1"])
    host.links["/databases"] = "/mnt"
    paths.add(made(asked("cron.d"), host).files[0].path)
    assert len(paths) == 2


def test_a_time_that_is_given_is_taken() -> None:
    """The other commands follow it, also past midnight."""
    request = asked("systemd", "/backup1", "/backup2", at="20:07")
    found = made(request, host_with("/backup1", "/backup2"))
    assert (times(found), found.warnings[1:]) == (["20:07", "03:07", "22:07", "00:07"], [])


@pytest.mark.parametrize(("at", "warns"), [("00:00", 1), ("03:59", 1), ("04:00", 0), ("23:59", 0)])
def test_a_time_at_which_clocks_are_changed_is_warned_of(at: str, warns: int) -> None:
    """That night may have the time twice, or not at all."""
    told = made(asked("cron", at=at, **DRILLED)).warnings
    assert [text.split(" is between")[0] for text in told] == [at] * warns


def test_mounts_are_required_where_there_are_some_today() -> None:
    """All image directories are examined, and those without a mount are named."""
    both = ("/backup1", "/backup2")
    mounted = made(asked("cron", *both, **DRILLED), host_with(*both))
    assert "-require-mount" in commands(mounted)[0]
    assert mounted.warnings == []
    one = host_with("/backup1", on_root=["/backup2"])
    without = made(asked("cron", *both, **DRILLED), one)
    assert "-require-mount" not in commands(without)[0]
    (told,) = without.warnings
    assert told == (
        "db1:/backup2 is on the file system of /: the schedule is without -require-mount"
    )
    insisted = made(asked("cron", *both, options={"require_mount": True}, **DRILLED), one)
    assert "-require-mount" in commands(insisted)[0]
    assert insisted.warnings == ["db1:/backup2 is on the file system of /: would be refused now"]


def test_a_directory_that_is_missing_is_reported() -> None:
    """It is not known whether it should be on its own disk."""
    found = made(asked("cron", "/backup1", "/gone", **DRILLED))
    assert found.warnings == ["db1:/gone does not exist"]
    assert "-require-mount" not in commands(found)[0]


def test_a_schedule_without_drills_is_reported() -> None:
    """Its status does not ask for drills, or it would complain each day."""
    found = made(asked("cron"))
    assert "no drill is scheduled" in found.warnings[0]
    assert commands(found)[1][-3:] == ["-max-drill-age", "none", "-quiet"]


@pytest.mark.parametrize("form", FORMS)
def test_a_machine_that_sends_no_mail_is_reported(form: str) -> None:
    """Nobody would hear of a failure."""
    found = made(asked(form, **DRILLED), here=HERE._replace(mailer=""))
    assert found.warnings == [
        "no mail would be sent: there is no sendmail in /usr/sbin, in /usr/lib, or on PATH"
    ]


def test_a_master_database_that_is_not_there_is_refused() -> None:
    """Its rotation would be refused, too."""
    with pytest.raises(RepositoryNotFound):
        made(asked("cron"), MemoryHost({}, ["/", "/databases", "/backup1"]))


def test_a_file_of_cron_d_has_a_name_that_cron_takes() -> None:
    """The file names itself and its user."""
    master = "/databases/a.b ü%.x.db"
    host = MemoryHost({master: b"x"}, ["/", "/backup1"])
    (file,) = made(asked("cron.d", master=master), host).files
    assert re.fullmatch(r"/etc/cron\.d/csf-backup-a-b-x-[0-9a-f]{6}", file.path)
    assert file.text.startswith(f"# Save as {file.path}, ")
    assert file.text.endswith("\n")
    assert file.text.count(" * * * lib ") == 3


def test_a_users_own_crontab_names_no_user() -> None:
    """It names no file either."""
    found = made(asked("cron"))
    (file,) = found.files
    assert file.path == ""
    assert " * * * /opt/csf/bin/csf admin_database_rotate " in file.text
    assert file.text.endswith("\n")
    assert found.next_step == "add the lines with: crontab -e"


def test_a_crontab_sets_what_commands_need() -> None:
    """It also sets the shell, since earlier lines may name another one."""
    text = made(asked("cron")).files[0].text
    found = dict(filter(None, map(setting, text.split("\n"))))
    assert found == {"SHELL": "/bin/sh", "MAILTO": "lib", **HERE.variables}


def test_a_line_that_cron_would_not_read_is_reported() -> None:
    """It may be a command or a variable; systemd would read it."""
    here = HERE._replace(variables={"PATH": "/" + "a" * 992})
    assert made(asked("cron", **DRILLED), here=here).warnings == []
    long = HERE._replace(variables={"PATH": "/" + "a" * 993})
    (told,) = made(asked("cron", **DRILLED), here=long).warnings
    assert told.endswith("one that begins with PATH has 999; give -format systemd")
    assert made(asked("systemd", **DRILLED), here=long).warnings == []
    long = HERE._replace(csf="/" + "c" * 1000)
    assert len(made(asked("cron", **DRILLED), here=long).warnings) == 3


def test_what_a_rotation_writes_to_is_named_where_it_is_known() -> None:
    """It is in a comment, where backslashes are no escapes; for another host it is left out."""
    directories = ["/b 1%", "/b\"'", '/b"', "/bü"]
    text = made(asked("systemd", *directories, host="localhost", **DRILLED)).files[0].text
    assert re.findall("#ReadWritePaths=(.*)", text) == [
        '"-/databases"',
        '"-/b 1%%"',
        "'-/b\"'",
        '"-/var/tmp"',
    ]
    text = made(asked("systemd", host="localhost")).files[0].text
    assert text.count("#ReadWritePaths=") == 2
    assert "ReadWritePaths" not in made(asked("systemd", **DRILLED)).files[0].text


def test_all_timers_are_enabled() -> None:
    """Each timer has its service."""
    found = made(asked("systemd"))
    names = {one.path.rpartition("/")[2] for one in found.files}
    timers = [name for name in names if name.endswith(".timer")]
    assert len(timers) == 3
    assert {name.replace(".timer", ".service") for name in timers} < names
    assert sorted(found.next_step.split("--now ")[1].split()) == sorted(timers)
    for one in found.files:
        assert one.text.startswith(f"# {one.path}\n")
