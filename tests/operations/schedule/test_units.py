"""The units of a schedule, as systemd reads them."""

from __future__ import annotations

import os
import re
import subprocess
from typing import TYPE_CHECKING

import needed
from scheduling import HERE, asked, dollars_undone, host_with

from csf_backup_plugin.operations.schedule import schedule
from doubles import Memory, MemoryHost

if TYPE_CHECKING:
    from pathlib import Path

NASTY = "/a b'\"\\ %n $HOME ${HOME} \\x41 é\udcff;#~ *"


def verified(directory: Path, *names: str, level: str = "notice") -> str:
    """Return systemd's messages about units in a directory; it must accept them."""
    command = [needed.program("systemd-analyze", "systemd"), "verify", "--man=no"]
    environ = {**os.environ, "SYSTEMD_LOG_LEVEL": level, "SYSTEMD_LOG_TARGET": "console"}
    ended = subprocess.run(
        [*command, *(f"./{name}" for name in names)],
        cwd=directory,
        env={**environ, "SYSTEMD_UNIT_PATH": f"{directory}:"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    text = ended.stdout.decode("utf-8", "backslashreplace")
    assert ended.returncode == 0, text
    return text


def program(path: str) -> str:
    """Make a program; return its path."""
    with open(path, "w") as file:
        file.write("#!/bin/sh\n")
    os.chmod(path, 0o755)
    return path


def test_systemd_takes_every_unit(tmp_path: Path) -> None:
    """There is no message about the calendar, the services or the report of failures."""
    here = HERE._replace(csf=program(str(tmp_path / "csf")), user="root")
    request = asked("systemd", drill_every=60.0, scratch="/var/tmp")
    found = schedule(request, host_with("/backup1"), here, Memory())
    names = [one.path.rpartition("/")[2] for one in found.files]
    for name, one in zip(names, found.files, strict=True):
        (tmp_path / name).write_text(one.text)
    told = verified(tmp_path, *names)
    assert [line for line in told.splitlines() if "csf-backup" in line] == []
    assert "StateDirectory: csf-backup\n" in verified(tmp_path, names[0], level="debug")


def test_systemd_reads_each_word_as_it_was(tmp_path: Path) -> None:
    """The command that systemd would run is compared."""
    csf = program(str(tmp_path / "c $HOME%n"))
    variables = {"OS_ROOTDIR": NASTY.replace("\udcff", ""), "CSF_BACKUP_RAID": "sda"}
    here = HERE._replace(csf=csf, user="root", variables=variables)
    host = MemoryHost({f"{NASTY}.db": b"x"}, ["/", NASTY])
    found = schedule(asked("systemd", NASTY, master=f"{NASTY}.db"), host, here, Memory())
    (tmp_path / "x.service").write_text(found.files[0].text)
    (tmp_path / "csf-backup-failed@.service").write_text(found.files[-1].text)
    text = verified(tmp_path, "x.service", level="debug")
    (line,) = re.findall(r"Command Line: (.*)\n", text.partition("x.service:")[2])
    first, *words = map(plain, re.findall(r'"(?:[^"\\]|\\.)*"|[^ ]+', line))
    assert first == os.fsencode(csf)
    want = ["admin_database_rotate", "-database", f"{NASTY}.db", "-image-dir", f"db1:{NASTY}"]
    assert dollars_undone(words) == list(map(os.fsencode, [*want, "-every", "24h", "-quiet"]))
    assert f"Environment: OS_ROOTDIR={variables['OS_ROOTDIR']}\n" in text


def plain(word: str) -> bytes:
    """Return a word from systemd's output, where it is quoted for a shell with C escapes."""
    inside = word[1:-1] if word[0] == '"' else word
    escape = rb"\\(?:([0-7]{3})|(.))"
    return re.sub(
        escape, lambda one: bytes([int(one[1], 8)]) if one[1] else one[2], inside.encode()
    )
