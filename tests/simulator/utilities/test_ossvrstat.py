"""The simulated ossvrstat."""

from __future__ import annotations

import os
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

from csf_simulator.home import Home
from csf_simulator.repository import repository
from csf_simulator.utilities import ossvrstat
from csf_simulator.workload.background import start_workload

if TYPE_CHECKING:
    from pathlib import Path

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A simulator's home."""
    home = Home(str(tmp_path / "home"))
    home.create()
    monkeypatch.setenv("CSF_SIM_HOME", home.path)
    return home


def test_the_writers_of_a_workload_are_clients(home: Home, tmp_path: Path, capfd: Capture) -> None:
    """They are listed while they work, but not after they were killed."""
    master = str(tmp_path / "zoo" / "zoo.db")
    repository.create(home.server, master, classes=2)
    with start_workload(home.server, master, writers=2) as workload:
        assert ossvrstat.run(["-clients", "db1"]) == 0
        pids = sorted(writer.pid for writer in workload.writers)
        lines = [f"client #{number}: process {pid}\n" for number, pid in enumerate(pids, 1)]
        assert capfd.readouterr() == ("".join(lines), "")
        os.kill(pids[0], signal.SIGKILL)
        workload.writers[[one.pid for one in workload.writers].index(pids[0])].wait()
        assert ossvrstat.run(["-clients", "db1"]) == 0
        assert capfd.readouterr() == (f"client #1: process {pids[1]}\n", "")
    assert ossvrstat.run(["-clients", "db1"]) == 0
    assert capfd.readouterr() == ("no active clients\n", "")


@pytest.mark.parametrize("arguments", [[], ["db1"], ["-clients"], ["-clients", "a", "b"], ["-x"]])
def test_anything_else_is_misuse(home: Home, capfd: Capture, arguments: list[str]) -> None:
    """Only what csf-backup-plugin asks is simulated."""
    assert ossvrstat.run(arguments) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err.endswith("usage: ossvrstat -clients hostname\n")


@pytest.mark.measured
def test_it_is_among_the_executables(home: Home) -> None:
    """ossvrstat exists in the home's own folder, and nowhere else."""
    command = [os.path.join(home.bin, "ossvrstat"), "-clients", "db1"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "no active clients\n", "")
