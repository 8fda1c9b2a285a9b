"""The simulator as programs use it."""

from __future__ import annotations

import contextlib
import os
import subprocess

import pytest

from csf_simulator.repository import repository
from csf_simulator.simulator import Simulator


def test_a_repository_can_be_worked_on() -> None:
    """The example of the documentation holds, and leaves nothing behind."""
    with Simulator() as sim:
        master = sim.repository(classes=3)
        result = sim.csf("class_create", "-database", master, "-class", "Person")
        assert (result.exit_code, result.stderr) == (0, "")
        path = os.path.join(os.path.dirname(master), "Person.db")
        assert result.stdout == f"{path}\n"
        names = repository.classes(sim.home.server, master)
        assert names == ["Class1", "Class2", "Class3", "Person"]
        assert sim.check(master) == []
    assert not os.path.exists(sim.home.path)


def test_a_home_that_was_named_stays(tmp_path: os.PathLike[str]) -> None:
    """Only a temporary home is removed; a named one can be used again."""
    with Simulator(os.fspath(tmp_path)) as sim:
        first = sim.repository(size=1 << 20, classes=1)
    with Simulator(os.fspath(tmp_path)) as sim:
        assert sim.repository() != first
        assert sim.check(first) == []
        assert os.stat(os.path.join(os.path.dirname(first), "Class1.db")).st_size == 1 << 20


def test_a_check_finds_damage(tmp_path: os.PathLike[str]) -> None:
    """A simulator does not take a damaged repository for a sound one."""
    with Simulator(os.fspath(tmp_path)) as sim:
        master = sim.repository(classes=1)
        os.truncate(os.path.join(os.path.dirname(master), "Class1.db"), 512)
        assert len(sim.check(master)) == 1


def test_a_command_sees_the_simulator_and_no_input(tmp_path: os.PathLike[str]) -> None:
    """Environment, directory and standard input are what a test can rely on."""
    script = 'command -v osbackup; pwd; echo "$MORE"; cat; echo "$CSF_SIM_HOME" >&2; exit 7'
    with Simulator(os.path.join(tmp_path, "home")) as sim:
        result = sim.run(["sh", "-c", script], env={"MORE": "more"}, cwd="/")
    assert result.exit_code == 7
    assert result.stdout == f"{sim.home.bin}/osbackup\n/\nmore\n"
    assert result.stderr == f"{sim.home.path}\n"


def test_surroundings_do_not_reach_a_command(
    tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A variable that names a real program counts only if it is passed on purpose."""
    script = 'echo "${OS_ROOTDIR-none} ${CSF_BACKUP_OSBACKUP-none} ${CSF_BACKUP_SSH-none}"'
    for name in ("OS_ROOTDIR", "CSF_BACKUP_OSBACKUP", "CSF_BACKUP_SSH"):
        monkeypatch.setenv(name, "real")
    with Simulator(os.path.join(tmp_path, "home")) as sim:
        assert sim.run(["sh", "-c", script]).stdout == "none none none\n"
        sim.home.variables["CSF_BACKUP_SSH"] = "always"
        result = sim.run(["sh", "-c", script], env={"CSF_BACKUP_OSBACKUP": "once"})
    assert result.stdout == "none once always\n"


def test_output_of_any_bytes_is_kept(tmp_path: os.PathLike[str]) -> None:
    """Output that is not text can be encoded back."""
    with Simulator(os.fspath(tmp_path)) as sim:
        result = sim.run(["printf", "\\377"])
    assert os.fsencode(result.stdout) == b"\xff"


def test_a_death_by_signal_is_reported(tmp_path: os.PathLike[str]) -> None:
    """The exit code is the negative number of the signal, as in subprocess."""
    with Simulator(os.fspath(tmp_path)) as sim:
        assert sim.run(["sh", "-c", "kill -9 $$"]).exit_code == -9


def test_a_command_that_hangs_is_killed_with_its_children(
    tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A time limit ends all child processes, so that none outlives the test."""
    fifo = os.path.join(tmp_path, "fifo")
    os.mkfifo(fifo)
    reader = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)

    def expire(process: subprocess.Popen[bytes], timeout: float) -> None:
        received = b""
        while not received:  # until the grandchild exists
            with contextlib.suppress(BlockingIOError):
                received = os.read(reader, 1)
        raise subprocess.TimeoutExpired(process.args, timeout)

    monkeypatch.setattr(subprocess.Popen, "communicate", expire)
    script = '(printf x; exec sleep 600) > "$FIFO" & wait'
    with Simulator(os.path.join(tmp_path, "h")) as sim, pytest.raises(subprocess.TimeoutExpired):
        sim.run(["sh", "-c", script], env={"FIFO": fifo}, timeout=9)
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b""  # the end of the file: no process has it open for writing
    os.close(reader)


def test_a_command_has_limited_time(tmp_path: os.PathLike[str]) -> None:
    """The limit is in seconds, and a command that reaches it is an error."""
    with Simulator(os.fspath(tmp_path)) as sim, pytest.raises(subprocess.TimeoutExpired):
        sim.run(["sleep", "600"], timeout=0.01)
