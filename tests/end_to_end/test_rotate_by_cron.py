"""The schedule for a site with two disks, run night after night by Debian's cron daemon."""

from __future__ import annotations

import email
import email.policy
import json
import os
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import needed
import pytest
from faked_clock import libfaketime
from waiting import wait_for

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

    from sites import Site

PAGE = Path(__file__).parents[2] / "docs" / "rotate.md"
SETTINGS = "HOME={home}\nCSF_SIM_HOME={home}\nTZ=UTC\n"
# A machine of its own, as far as cron goes: its crontabs, its pid file and what sends its mail; and
# what libfaketime leaves behind.
MACHINE = """
mount --bind /usr/sbin "$0/usr-sbin"
mount --bind "$0/sbin" /usr/sbin
mount -t tmpfs none /run
mount -t tmpfs none /dev/shm
mount -t tmpfs none /var/spool/cron
mkdir /var/spool/cron/crontabs
mount --bind "$0/cron.d" /etc/cron.d
[ ! -e /etc/crontab ] || mount --bind /dev/null /etc/crontab
exec env TZ=UTC NO_FAKE_STAT=1 LD_PRELOAD="$1" FAKETIME="$2" "$0/usr-sbin/cron" -f
"""
# A day of cron takes three seconds. A day that a busy machine lets it miss is only a delay.
CRONS_CLOCK = "@2028-02-25 22:00:00 x28800"
SENDMAIL = """#!/bin/sh
unset LD_PRELOAD
number=$(ls "{mails}" | wc -l)
cat > "{mails}/.$number" && mv "{mails}/.$number" "{mails}/$number"
"""
# What csf sees is another clock, or its time limits would be over at once: one that shows 02:30 of
# the first night in the first run, and of a night later in each run after that. A run begins when
# the test has prepared its night. What the schedule has beside the rotation says nothing here.
CSF = """#!/bin/sh
[ "$1" = admin_database_rotate ] || exit 0
night=0
until (set -C; : > "{nights}/$night") 2>/dev/null; do night=$((night + 1)); done
while [ ! -e "{nights}/../begun/$night" ]; do sleep 0.05; done
first=$(date -d "2028-02-26 02:30:00 UTC" +%s)
FAKETIME=+$((first + night * 86400 - $(date +%s)))
export FAKETIME LD_PRELOAD="{library}" NO_FAKE_STAT=1
exec {real} "$@"
"""


def documented(master: str, one: str, two: str, scratch: str) -> str:
    """Return the page's line for a site with two disks, as a line of /etc/cron.d, for this site."""
    lines = re.findall(r"    (.* \* .*/csf admin_database_rotate .*\n)", PAGE.read_text())
    (line,) = (one.replace("/opt/csf/bin/csf", "root csf") for one in lines)
    for written, here in (
        ("/databases/lib.db", master),
        ("/backup1", one),
        ("/backup2", two),
        ("/var/tmp", scratch),
    ):
        assert written in line
        line = line.replace(written, here)
    return str(line)


class Cron:
    """A cron daemon with a schedule as csf prints it.

    Args:
        root: where all of its files are.
        site: what is backed up.
    """

    def __init__(self, root: Path, site: Site) -> None:
        self._root = root
        self._site = site
        self._process: subprocess.Popen[bytes] | None = None
        self._night = -1
        self.disks = [site.images / "one", site.images / "two"]
        own = ("mails", "nights", "begun", "bin", "sbin", "usr-sbin", "cron.d")
        for path in (*(root / name for name in own), *self.disks):
            path.mkdir(parents=True)

    def prepare(self, library: str) -> None:
        """Write the crontab and the programs that it needs."""
        root, home = self._root, self._site.sim.home
        real, nights = os.path.join(home.bin, "csf"), root / "nights"
        text = CSF.format(nights=nights, real=real, library=library)
        script(root / "bin" / "csf", text)
        for program in Path("/usr/sbin").iterdir():
            (root / "sbin" / program.name).symlink_to(root / "usr-sbin" / program.name)
        (root / "sbin" / "sendmail").unlink(missing_ok=True)
        script(root / "sbin" / "sendmail", SENDMAIL.format(mails=root / "mails"))
        one, two = self.disks
        (scratch := root / "scratch").mkdir()
        printed = self._printed("-scratch-dir", str(scratch))
        line = documented(self._site.master, str(one), str(two), str(scratch))
        crontab = root / "cron.d" / os.path.basename(printed["path"])
        text = printed["text"].replace(real, str(root / "bin" / "csf"))
        assert line.rstrip("\n").replace("root csf", f"root {root}/bin/csf") in text
        crontab.write_text(SETTINGS.format(home=home.path) + text)
        crontab.chmod(0o644)  # as cron demands

    def _printed(self, *more: str) -> dict[str, str]:
        """Return the schedule that csf prints for the setup on the page."""
        options = ("-at", "02:10", "-keep-dated", "4", "-keep-monthly", "12", "-drill-every", "7d")
        words = ["csf", "admin_database_schedule", "-database", self._site.master, *options, *more]
        for disk in self.disks:
            words += ["-image-dir", f"localhost:{disk}"]
        made = self._site.sim.run([*words, "-format", "cron.d", "-json"])
        assert made.exit_code == 0, made.stderr
        (file,) = json.loads(made.stdout)["files"]
        return dict(file)

    def start(self, library: str) -> subprocess.Popen[bytes]:
        """Start the daemon; its child processes end with it."""
        unshare = ["unshare", "-m", "-p", "-f", "--kill-child", "--mount-proc", "sh", "-euc"]
        words = [*unshare, MACHINE, str(self._root), library, CRONS_CLOCK]
        self._process = subprocess.Popen(words)
        return self._process

    def night(self) -> str:
        """Let the next run begin, and return the text of its mail."""
        self._night += 1
        (self._root / "begun" / str(self._night)).touch()
        path = self._root / "mails" / str(self._night)
        wait_for(lambda: path.exists() or self._has_ended())
        mail: EmailMessage = email.message_from_bytes(
            path.read_bytes(),
            policy=email.policy.default,
        )
        assert mail["To"] == "root"
        assert "csf admin_database_rotate" in mail["Subject"]
        text: str = mail.get_content()
        return text

    def _has_ended(self) -> bool:
        assert self._process
        assert self._process.poll() is None, "cron has ended"
        return False


def script(path: Path, text: str) -> None:
    """Write a program."""
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def cron(local_site: Site, namespace: list[str]) -> Iterator[Cron]:
    """Return a cron daemon that runs."""
    assert namespace
    needed.root()
    needed.program("cron", "cron")
    library = libfaketime()
    made = Cron(local_site.images.parent / "cron", local_site)
    made.prepare(library)
    process = made.start(library)
    try:
        yield made
    finally:
        process.kill()
        process.wait()


def test_cron_rotates_every_night_and_mails_what_was_done(cron: Cron, local_site: Site) -> None:
    """Each night uses the other disk, if that is there; a failure is in the mail."""
    one, two = cron.disks
    for place, disk in (("saturday", two), ("dated", one), ("monday", two)):
        text = cron.night()
        (made,) = disk.glob(f"{place}/*.img")
        assert f"to localhost:{made}" in text
        assert f"kept localhost:{made}: newest of all" in text
        assert "Error" not in text
    one.rename(one.with_name("away"))
    text = cron.night()
    (made,) = two.glob("tuesday/*.img")
    assert f"warning: localhost:{one} does not exist" in text
    assert f"to localhost:{made}" in text
    two.rename(two.with_name("gone"))
    assert "Error: No image directory on localhost can be used" in cron.night()
    for disk in (one, two):
        assert not disk.exists()
    two.with_name("gone").rename(two)
    named = ("-database", local_site.master, "-image-file", f"localhost:{two}/latest")
    assert local_site.sim.csf("admin_database_manifest", *named).exit_code == 0
