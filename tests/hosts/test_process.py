"""Programs run in their own group, are watched, and end with all their processes."""

from __future__ import annotations

import os
import signal
import time
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.cancellation import Cancellation, deferred_signals
from csf_backup_plugin.errors import Interrupted
from csf_backup_plugin.hosts.local import process, process_group
from csf_backup_plugin.hosts.protocol.values import ENDLESS, UNKNOWN

if TYPE_CHECKING:
    from pathlib import Path


def test_a_program_is_run_to_its_end_with_nothing_to_read() -> None:
    """Both streams are kept separately."""
    script = "echo one; echo two >&2; cat; exit 3"
    assert process.run(["sh", "-c", script], 30, Cancellation()) == (3, b"one\n", b"two\n")


def test_a_signal_is_a_negative_status() -> None:
    """It is the same as in subprocess."""
    assert process.run(["sh", "-c", "kill -9 $$"], 30, Cancellation()).status == -signal.SIGKILL


def test_a_status_that_cannot_be_had_is_no_success() -> None:
    """If SIGCHLD is ignored, no status is known, and Popen would report success."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        for command in ("true", "false"):
            assert process.run([command], 30, Cancellation()).status == UNKNOWN
    finally:
        signal.signal(signal.SIGCHLD, before)


def test_a_megabyte_of_output_that_is_no_text_is_kept() -> None:
    """The program never blocks."""
    completed = process.run(["head", "-c", "1000000", "/dev/urandom"], 30, Cancellation())
    assert len(completed.output) == 1_000_000


def test_a_program_that_does_not_end_is_stopped() -> None:
    """The caller gets an error."""
    with pytest.raises(TimeoutError):
        process.run(["sleep", "60"], 0.2, Cancellation())


@pytest.mark.parametrize(("room", "status"), [(8, 0), (7, ENDLESS)])
def test_there_is_room_for_so_much_and_no_more(room: int, status: int) -> None:
    """A program that prints more is stopped."""
    completed = process.run(["echo", "0123456"], 30, Cancellation(), room=room)
    assert completed == (status, b"0123456\n", b"")


def test_another_users_process_is_left_and_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """The result is how the program ended."""

    def refused(*_: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "killpg", refused)
    monkeypatch.setattr(process_group, "_GRACE", 0.05)
    assert not process_group.Group(1, lambda: None).close()


def test_a_program_that_closes_its_streams_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may still be running."""
    go, wait = tmp_path / "go", process_group.Group.wait

    def waited(program: process_group.Group, seconds: float) -> int | None:
        if seconds:
            go.touch()
        return wait(program, seconds)

    monkeypatch.setattr(process_group.Group, "wait", waited)
    script = f"exec >&- 2>&-; until [ -e '{go}' ]; do sleep 0.02; done; exit 3"
    assert process.run(["sh", "-c", script], 60, Cancellation()) == (3, b"", b"")


def test_what_a_program_leaves_behind_delays_nobody() -> None:
    """A process left behind may still print."""
    script = "setsid sleep 60 & echo said; echo more >&2"
    began = time.monotonic()
    assert process.run(["sh", "-c", script], 30, Cancellation()) == (0, b"said\n", b"more\n")
    assert time.monotonic() < began + 50


def test_a_signal_to_csf_ends_the_run() -> None:
    """The signal is noticed between two polls."""
    with deferred_signals("It") as cancellation:
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Interrupted):
            process.run(["sleep", "60"], 30, cancellation)


def test_a_program_is_not_in_our_group_so_that_a_terminals_signals_do_not_reach_it() -> None:
    """csf itself handles Ctrl-C."""
    script = "ps -o pgid= -p $$ 2>/dev/null || cut -d' ' -f5 /proc/$$/stat"
    assert int(process.run(["sh", "-c", script], 30, Cancellation()).output) != os.getpgrp()


def test_a_program_that_cannot_be_started_is_the_systems_error(tmp_path: Path) -> None:
    """The error names its file."""
    program = tmp_path / "no program"
    program.write_bytes(b"\x7fELF nonsense")
    program.chmod(0o755)
    with pytest.raises(OSError, match="no program"):
        process.run([str(program)], 30, Cancellation())
