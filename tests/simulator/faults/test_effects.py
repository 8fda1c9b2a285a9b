"""Every fault does to a real run of a utility what its name says."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from typing import TYPE_CHECKING

import pytest

from csf_simulator.simulator import Result, Simulator

pytestmark = pytest.mark.measured

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Run:
    """A repository, and osbackup run on it.

    Args:
        sim: The simulator it lives in.
        root: Where the image goes.
    """

    def __init__(self, sim: Simulator, root: Path) -> None:
        self.sim = sim
        self.master = sim.repository(classes=2, size=1 << 20)
        self.image = str(root / "image")
        self.command = ["osbackup", "-a", "-r", "-f", self.image, os.path.dirname(self.master)]

    def backup(self, *fault: str, timeout: float = 60) -> Result:
        """Run osbackup under a fault."""
        if fault:
            self.sim.fault("osbackup", *fault)
        return self.sim.run(self.command, timeout=timeout)

    def listed(self) -> Result:
        """List the image, which proves it."""
        return self.sim.run(["osrestore", "-t", "-f", self.image])


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Return a run that has not begun; check that the fault strikes."""
    with Simulator(str(tmp_path / "home")) as sim:
        yield Run(sim, tmp_path)
        assert sim.faults.unstruck() == []


def test_without_a_fault_the_image_is_sound(run: Run) -> None:
    """A run without a fault succeeds, so the other tests see the effects of faults."""
    assert run.backup().exit_code == 0
    assert run.listed().exit_code == 0


def test_exit_leaves_a_partial_image(run: Run) -> None:
    """A failing run leaves part of an image, and the next run succeeds."""
    result = run.backup("exit", "7")
    assert result.exit_code == 7
    assert "(err_misc)" in result.stderr
    assert os.path.getsize(run.image) > 0
    assert run.listed().exit_code == 1
    assert run.backup().exit_code == 0


@pytest.mark.parametrize("name", ["KILL", "TERM", "SEGV"])
def test_signal_kills_it(run: Run, name: str) -> None:
    """The parent process sees which signal ended the run."""
    assert run.backup("signal", name).exit_code == -signal.Signals[f"SIG{name}"]


@pytest.mark.parametrize("kind", ["hang", "prompt"])
def test_what_stops_for_good_has_to_be_ended(run: Run, kind: str) -> None:
    """A hanging run does nothing more, and a prompt waits for an answer."""
    run.sim.fault("osbackup", kind)
    environment = run.sim.home.environment(os.environ)
    with subprocess.Popen(
        run.command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        words = process.stdout.readline()
        assert words.startswith(b"Please enter" if kind == "prompt" else b"Writing")
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.5)
        process.kill()


def test_a_prompt_nobody_can_answer_is_a_failure(run: Run) -> None:
    """A prompt fails at the end of standard input."""
    assert run.backup("prompt").exit_code == 1


def test_slow_keeps_to_its_rate(run: Run) -> None:
    """Two megabytes at four a second take half a second."""
    began = time.monotonic()
    assert run.backup("slow", "4m/s").exit_code == 0
    assert time.monotonic() - began > 0.4
    assert run.listed().exit_code == 0


def test_a_full_disk_is_met_at_the_byte_it_is_scripted_for(run: Run) -> None:
    """The run fails with the error of the system."""
    result = run.backup("enospc", "500k")
    assert result.exit_code == 1
    assert "No space left on device" in result.stderr
    assert 400_000 < os.path.getsize(run.image) < 2_200_000


@pytest.mark.parametrize("fault", [("truncate",), ("truncate", "1k"), ("corrupt",), ("empty",)])
def test_a_damaged_image_is_reported_as_a_success(run: Run, fault: tuple[str, ...]) -> None:
    """The exit code is 0; only reading the image shows the damage."""
    assert run.backup(*fault).exit_code == 0
    assert os.path.getsize(run.image) == {"1k": 1024}.get(fault[-1], os.path.getsize(run.image))
    assert run.listed().exit_code == 1


def test_a_record_nobody_asked_for_goes_into_the_working_directory(
    run: Run, tmp_path: Path
) -> None:
    """The fault writes a record that the next level can be built upon; no other run writes one."""
    work = tmp_path / "work"
    work.mkdir()
    assert run.sim.run(run.command, cwd=str(work)).exit_code == 0
    assert os.listdir(work) == []
    run.sim.fault("osbackup", "record")
    result = run.sim.run(run.command, cwd=str(work))
    assert (result.exit_code, result.stderr) == (0, "")
    assert os.listdir(work) == ["osbackup.record"]
    assert run.listed().exit_code == 0
    higher = [*run.command, "-i", "osbackup.record", "-l", "1"]
    assert run.sim.run(higher, cwd=str(work)).exit_code == 0
    assert os.path.getsize(run.image) < 1 << 20


def test_a_record_that_is_asked_for_spares_the_run(run: Run, tmp_path: Path) -> None:
    """A run with -i is not struck; the next run without it is."""
    run.sim.fault("osbackup", "record")
    named = [*run.command, "-i", "named"]
    assert run.sim.run(named, cwd=str(tmp_path)).exit_code == 0
    assert [str(fault) for fault in run.sim.faults.unstruck()] == ["osbackup record"]
    assert not (tmp_path / "osbackup.record").exists()
    assert run.sim.run(run.command, cwd=str(tmp_path)).exit_code == 0
    assert (tmp_path / "osbackup.record").exists()


@pytest.mark.parametrize(
    ("name", "image", "words"),
    [
        ("osbackup.record", "image", "not an incremental record file"),
        ("other", "osbackup.record", "cannot be the image too"),
    ],
)
def test_a_default_record_that_cannot_be_kept_fails_the_run(
    run: Run, tmp_path: Path, name: str, image: str, words: str
) -> None:
    """The run fails before the image is opened, as with a named record."""
    (tmp_path / name).write_text("something else")
    run.sim.fault("osbackup", "record")
    command = ["osbackup", "-a", "-f", image, run.master]
    result = run.sim.run(command, cwd=str(tmp_path))
    assert result.exit_code == 1
    assert words in result.stderr
    assert not (tmp_path / image).exists() or name == image
    assert (tmp_path / name).read_text() == "something else"


def test_a_database_that_vanishes_fails_the_run(run: Run) -> None:
    """The error names the database."""
    result = run.backup("vanish")
    assert result.exit_code == 1
    assert re.search(r"\.db", result.stderr)
    assert len(os.listdir(os.path.dirname(run.master))) == 3


def test_output_and_bytes_that_are_no_text_change_nothing_else(run: Run) -> None:
    """More output, or output that is not text, leaves the image sound."""
    assert len(run.backup("output", "1m").stdout) > 1 << 20
    assert "\udcff\udcfe is not UTF-8" in run.backup("binary").stdout
    assert run.listed().exit_code == 0


def test_a_fault_may_strike_every_run(run: Run) -> None:
    """A fault scripted with always strikes until it is cleared."""
    run.sim.fault("osbackup", "exit", "3", always=True)
    assert [run.backup().exit_code for _ in range(2)] == [3, 3]
    run.sim.faults.clear()
    assert run.backup().exit_code == 0


def test_osrestore_has_faults_too(run: Run) -> None:
    """A failing osrestore leaves the databases as they were."""
    assert run.backup().exit_code == 0
    for fault, code in ((("exit", "5"), 5), (("enospc", "100k"), 1), (("signal", "KILL"), -9)):
        run.sim.fault("osrestore", *fault)
        assert run.sim.run(["osrestore", "-f", run.image]).exit_code == code
        assert run.sim.check(run.master) == []
    run.sim.fault("osrestore", "output", "1m")
    assert len(run.listed().stdout) > 1 << 20
