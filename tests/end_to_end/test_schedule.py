"""A schedule does what it says: cron's shell and systemd run its lines."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING

import pytest
from scheduling import dollars_undone, setting, to_shell, unit_words

from csf_backup_plugin.texts import from_text
from csf_simulator.simulator import Simulator
from sites import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ODD = os.fsdecode(b"a b;%n$HOME \xff")


@pytest.fixture
def odd_site(tmp_path: Path) -> Iterator[Site]:
    """Return a site whose paths have characters that are special for a shell, cron and systemd."""
    (root := tmp_path / ODD).mkdir()
    # PATH leads there, and systemd sets no variable to what is no UTF-8.
    with Simulator(str(tmp_path / ODD.rstrip("\udcff"))) as sim:
        yield Site(sim, root)


def printed(site: Site, form: str) -> str:
    """Return the first file of a schedule."""
    top(site).mkdir(exist_ok=True)
    words = ("-database", site.master, "-image-dir", f"{site.host}:{top(site)}", "-format", form)
    more = ("-drill-every", "7d", "-scratch-dir", str(site.images))
    made = site.sim.run(["csf", "admin_database_schedule", *words, *more, "-json"])
    assert made.exit_code == 0, made.stderr
    return from_text(json.loads(made.stdout)["files"][0]["text"])


def top(site: Site) -> Path:
    """Return the image directory."""
    return site.images / "'\"\\%"


def check(site: Site, command: list[str]) -> None:
    """Check with a dry run that a command is a rotation: it stops where osbackup would be run."""
    nothing = dict.fromkeys(("CSF_BACKUP_SSH", "CSF_BACKUP_STATE_DIR"), "")
    ended = site.sim.run(command, env={**nothing, "PATH": "/usr/bin:/bin"})
    assert ended.exit_code == 0, ended.stderr
    assert "Dry run: would back up 4 databases " in ended.stderr
    assert os.listdir(top(site)) == []


def run_crontab(site: Site) -> None:
    """Run the line of the rotation with the variables that the crontab sets, and no others."""
    lines = printed(site, "cron").split("\n")
    (line,) = (one for one in lines if " admin_database_rotate " in one)
    settings = dict(filter(None, map(setting, lines)))
    assert settings["PATH"].startswith(f"{site.sim.home.bin}:")
    set_first = ["env", *(f"{name}={value}" for name, value in settings.items())]
    command = to_shell(line.split(" ", 5)[5])
    check(site, [*set_first, "sh", "-c", f"{command} -dry-run"])


def test_the_line_of_a_crontab_is_a_rotation(odd_site: Site) -> None:
    """The shell gets the line from the crontab, and the variables that it sets."""
    run_crontab(odd_site)


@pytest.mark.ways("ssh")
def test_a_schedule_is_also_for_databases_on_another_host(site: Site) -> None:
    """The schedule runs here, and reaches the host as it did when the schedule was made."""
    run_crontab(site)


def test_the_service_is_a_rotation(odd_site: Site) -> None:
    """systemd passes the arguments to the program unchanged."""
    text = printed(odd_site, "systemd")
    settings = [
        word for line in re.findall("\nEnvironment=(.*)", text) for word in unit_words(line)
    ]
    (value,) = re.findall("\nExecStart=(.*)", text)
    program, *words = unit_words(value)
    named = map(os.fsdecode, [*settings, program, *dollars_undone(words)])
    check(odd_site, ["env", *named, "-dry-run"])
