"""A program whose output goes to files neither waits for a reader nor needs one."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path

import pytest
from waiting import wait_for

from csf_backup_plugin.hosts.local.captured import Captured

LONG = 60.0


def ended(script: str, **variables: str) -> tuple[int | None, Captured]:
    """Run a script to its end."""
    program = Captured(["sh", "-c", script], {"PATH": os.environ["PATH"], **variables})
    return program.wait(LONG), program


def state(program: Captured) -> str:
    """Return the state of a program, as a letter of proc(5)."""
    return Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()[0]


def test_what_it_prints_is_read_behind_its_end() -> None:
    """This holds for any amount of output; of standard error, the last part is kept."""
    status, program = ended("head -c 300000 /dev/zero; printf %s $SAID >&2; exit 3", SAID="abcdef")
    with contextlib.closing(program):
        assert status == 3
        assert program.printed(1 << 20) == bytes(300000)
        assert program.printed(10) == bytes(10)
        assert (program.said(100), program.said(2)) == (b"abcdef", b"ef")


def test_it_is_in_a_session_of_its_own_and_reads_nothing() -> None:
    """Ctrl-C does not reach it, and it cannot wait for input."""
    status, program = ended("cat; ps -o sid= -p $$")
    with contextlib.closing(program):
        assert status == 0
        assert int(program.printed(100)) == program.pid


def test_it_is_asked_to_end_with_its_group() -> None:
    """It reports its own status; a program that has ended gets no signal."""
    program = Captured(["sh", "-c", "trap 'exit 7' TERM; echo up; sleep 60 & wait"], os.environ)
    with contextlib.closing(program):
        wait_for(lambda: program.printed(10) == b"up\n")
        assert program.wait(0) is None
        program.terminate()
        assert program.wait(LONG) == 7
        program.terminate()


def test_it_goes_on_when_nobody_waits_for_it() -> None:
    """csf may be killed."""
    program = Captured(["sh", "-c", "kill -STOP $$; echo on; exit 0"], os.environ)
    wait_for(lambda: state(program) == "T")
    program.close()
    os.kill(program.pid, signal.SIGCONT)
    wait_for(lambda: state(program) == "Z")
    assert os.waitpid(program.pid, 0)[1] == 0


def test_one_that_is_not_there_leaves_nothing() -> None:
    """Neither file nor descriptor is left."""
    before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(FileNotFoundError):
        Captured(["/no/such/program"], {})
    assert len(os.listdir("/proc/self/fd")) == before
