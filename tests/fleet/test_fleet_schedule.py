"""The schedule of a fleet: on each host for itself, or on one control host for all."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import click
import pytest
from scheduling import HERE, asked, host_with, to_shell, unit_words

from csf_backup_plugin.cli import COMMANDS
from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.fleet.file import parse_fleet
from csf_backup_plugin.fleet.schedule import of_host, schedule_here, schedule_of_control_host
from csf_backup_plugin.operations.quiet.request import Quiescing
from csf_backup_plugin.operations.rotate.plan import Retention
from csf_backup_plugin.operations.schedule import Schedule, schedule
from doubles import Memory, MemoryHost

if TYPE_CHECKING:
    from csf_backup_plugin.fleet.file import Fleet

LIB = "[lib]\ndatabase = db1:/databases/lib.db\nimage-dirs = /backup1\n"
MAPS = "[maps]\ndatabase = db1:/databases/maps.db\nimage-dirs = /backup1\n  /backup2\n"
FAR = "[far]\ndatabase = db2:/databases/far.db\nimage-dirs = /backup1\n"


def fleet_of(text: str) -> Fleet:
    """Return the fleet of a text."""
    return parse_fleet("/etc/csf/fleet.ini", text.encode())


def host() -> MemoryHost:
    """Return the host db1."""
    made = host_with("/backup1", "/backup2")
    made.files["/databases/maps.db"] = b"x"
    return made


def here(text: str, form: str = "cron") -> Schedule:
    """Return the schedule of db1 on itself."""
    return schedule_here(of_host(fleet_of(text), "db1"), form, host(), HERE, Memory())


def driven(text: str, *names: str, form: str = "cron") -> Schedule:
    """Return the schedule of a control host."""
    return schedule_of_control_host(fleet_of(text).only(names), names, form, None, HERE)


def commands(found: Schedule) -> list[list[str]]:
    """Return the words of each line of crontabs, in order."""
    text = "\n".join(one.text for one in found.files)
    lines = re.findall(r"\n[0-9]+ [0-9]+ \* \* \* (?:lib )?(.*)", text)
    return [shlex.split(to_shell(line)) for line in lines]


@pytest.mark.parametrize("form", ["cron", "cron.d", "systemd"])
def test_a_repository_gets_what_it_would_have_alone(form: str) -> None:
    """Its command line has the same options."""
    keys = (
        "dated-day = friday\nkeep-dated = 4\nkeep-monthly = 12\nkeep-yearly = 7\ndrill-every = 7d\n"
        "scratch-dir = /var/tmp\nwait = 5\ntimeout = 90\nno-checksum = yes\nrequire-mount = yes\n"
        "accept-small = yes\nquiesce = /etc/q\nrequire-quiet = yes\nstrict = yes\nat = 04:15\n"
    )
    alone = asked(
        form,
        host="localhost",
        at="04:15",
        strict=True,
        options={
            "timeout": 90.0,
            "checksum": False,
            "require_mount": True,
            "accept_small": True,
            "wait": 5.0,
            "quiescing": Quiescing("/etc/q", is_required=True),
        },
        dated_day="friday",
        retention=Retention(4, 12, 7),
        drill_every=604800.0,
        scratch="/var/tmp",
    )
    assert here(LIB + keys, form) == schedule(alone, host(), HERE, Memory())


def test_a_scratch_directory_without_drills_is_for_drills_by_hand() -> None:
    """Rotations do not drill then."""
    (rotate, *_) = commands(here(LIB + "scratch-dir = /var/tmp\n"))
    assert "-scratch-dir" not in rotate


def test_a_host_has_its_own_repositories_alone() -> None:
    """A user's crontab has all of them; a shared directory is verified once."""
    found = here(LIB + MAPS + FAR)
    words = [line[1:4] for line in commands(found)]
    assert words == [
        ["admin_database_rotate", "-database", "/databases/lib.db"],
        ["admin_database_rotate", "-database", "/databases/maps.db"],
        ["admin_database_status", "-image-dir", "localhost:/backup1"],
        ["admin_database_status", "-image-dir", "localhost:/backup1"],
        ["admin_database_verify", "-image-dir", "localhost:/backup1"],
        ["admin_database_verify", "-image-dir", "localhost:/backup2"],
    ]
    (file,) = found.files
    assert (found.at, "# add to each line above, with" in file.text) == (None, True)
    assert [text[:6] for text in found.warnings] == ["[lib] ", "[maps]"]


def test_files_are_apart() -> None:
    """Each repository's file is the one that it would have alone."""
    found = here(LIB + MAPS, "cron.d")
    paths = [one.path for one in found.files]
    assert [path.rpartition("-")[0] for path in paths] == [
        "/etc/cron.d/csf-backup-lib",
        "/etc/cron.d/csf-backup-maps",
    ]
    assert found.next_step == (
        "save each part as the file that its first line names, owned by root"
    )
    units = here(LIB + MAPS, "systemd")
    names = [one.path for one in units.files]
    assert len(names) == len({*names}) == 13
    assert units.next_step.count(".timer") == 6


def test_an_environment_is_that_of_its_repository_alone() -> None:
    """Earlier lines of the crontab do not matter."""
    own = "environment = OS_ROOTDIR=/opt/50 %\n  A=b c\n"
    rotate, other, *_ = commands(here(LIB + own + MAPS))
    assert rotate[:4] == ["env", "OS_ROOTDIR=/opt/50 %", "A=b c", HERE.csf]
    assert other[0] == HERE.csf
    settings = {
        one.path: re.findall(r"\nEnvironment=(.*)", one.text)
        for one in here(LIB + own + MAPS, "systemd").files
    }
    with_own = [path for path, lines in settings.items() if '"A=b c"' in lines]
    assert [path.count("/csf-backup-lib-") for path in with_own] == [1, 1, 1]
    assert unit_words(settings[with_own[0]][0]) == [b"OS_ROOTDIR=/opt/50 %"]


@pytest.mark.parametrize(
    ("keys", "ages"),
    [
        ("", ["-max-drill-age", "none"]),
        ("drill-every = 7d\nscratch-dir = /t\n", []),
        ("max-age = 3d\nmax-drill-age = 9d\n", ["-max-age", "3d", "-max-drill-age", "9d"]),
        ("drill-every = 7d\nscratch-dir = /t\nmax-drill-age = none\n", ["-max-drill-age", "none"]),
    ],
)
def test_the_status_knows_the_ages_of_the_file(keys: str, ages: list[str]) -> None:
    """A missing drill is reported if one is scheduled, or if the file has a limit."""
    status = commands(here(LIB + keys))[1]
    assert status[6:-1] == ages


def test_copies_follow_on_a_host() -> None:
    """They follow for the repositories that have copies."""
    line = commands(here(LIB + "copy-to = vault:/c\n" + MAPS))[-1]
    assert line[1:] == [
        *("admin_database_fleet", "-fleet", "/etc/csf/fleet.ini", "-only", "lib", "-quiet", "copy")
    ]
    units = here(LIB + "copy-to = vault:/c\n", "systemd").files
    assert sum("-copy." in one.path for one in units) == 2


def test_a_control_host_drives_all() -> None:
    """No host is asked; those of later sections are included."""
    found = driven(LIB + FAR + "copy-to = vault:/c\n")
    fleet = ["-fleet", "/etc/csf/fleet.ini"]
    assert commands(found) == [
        [HERE.csf, "admin_database_fleet", *fleet, "-quiet", "rotate"],
        [HERE.csf, "admin_database_status", *fleet, "-quiet"],
        [
            *(HERE.csf, "admin_database_fleet", *fleet, "-quiet", "verify"),
            *("-older-than", "30d", "-budget", "2h"),
        ],
        [HERE.csf, "admin_database_fleet", *fleet, "-quiet", "copy"],
    ]
    assert (found.warnings, found.at and found.at.hour) == ([], 4)
    assert [line[4:6] for line in commands(driven(LIB + FAR, "lib"))] == [["-only", "lib"]] * 3


def test_what_a_schedule_cannot_do_is_reported() -> None:
    """More than one backup a day, or a time for each driven repository, is reported."""
    keys = "every = 12h\nat = 04:15\n"
    rare = "[lib] a set is promised each 12 h, and the schedule makes one each day"
    assert driven(LIB + keys).warnings == [
        rare,
        "[lib] `at` is for a schedule on its host alone: from here, all begin at one time",
    ]
    assert here(LIB + keys).warnings[1:] == [rare]
    early = schedule_of_control_host(fleet_of(LIB), [], "cron", (2, 30), HERE)
    assert early.warnings[0].startswith("02:30 is between 00:00 and 04:00")


def test_each_command_is_one_that_csf_has() -> None:
    """It accepts the options."""
    known = {command.name: command for command in COMMANDS}
    lines = [*commands(here(LIB + MAPS + "every = 12h\n")), *commands(driven(LIB + FAR))]
    for _, name, *words in lines:
        if name in known:
            known[name].make_context("csf", words, click.Context(click.Group()))
    assert "-every 12h" in here(MAPS + "every = 12h\n").files[0].text


def test_a_host_that_is_none_is_told_the_nearest() -> None:
    """If none is similar, all are listed."""
    with pytest.raises(UsageError, match="no repository on db3") as caught:
        of_host(fleet_of(LIB + FAR), "db3")
    assert caught.value.next_step.startswith("Did you mean db")
    with pytest.raises(UsageError) as caught:
        of_host(fleet_of(LIB + FAR), "vault")
    assert caught.value.next_step == "Its hosts are db1, db2."
