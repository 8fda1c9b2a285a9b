"""A program gets input, and is ended with its process group if it takes too long."""

from __future__ import annotations

import os
import signal
from types import SimpleNamespace
from typing import IO, TYPE_CHECKING

import pytest
from waiting import wait_for

from csf_backup_plugin.cancellation import Cancellation, deferred_signals
from csf_backup_plugin.errors import Interrupted
from csf_backup_plugin.hosts.local import feeding

if TYPE_CHECKING:
    from pathlib import Path


def feed(script: str, data: bytes = b"", timeout: float = 60, **variables: str) -> int:
    """Run a script of the shell."""
    environ = {"PATH": os.environ["PATH"], **variables}
    return feeding.feed(["sh", "-c", script], data, environ, timeout, Cancellation())


@pytest.mark.parametrize("size", [0, 10, 200_000])
def test_a_program_reads_all_it_is_given(tmp_path: Path, size: int) -> None:
    """The input may be larger than a pipe's buffer, and then ends."""
    assert feed(f"cat > '{tmp_path}/read'; exit 3", b"x" * size) == 3
    assert (tmp_path / "read").stat().st_size == size


def test_a_program_need_not_read() -> None:
    """It is no failure, however much input there was."""
    assert feed("exec <&-; sleep 0.3", b"x" * 200_000) == 0


def test_what_a_program_prints_goes_to_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    """Both streams are merged in order; the environment is the given one."""
    assert feed("echo one; echo $WORD >&2", WORD="two") == 0
    assert capfd.readouterr() == ("", "one\ntwo\n")


def test_what_reads_no_more_is_given_no_more() -> None:
    """Its end of the pipe is closed."""
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "wb", buffering=0) as pipe:
        assert not feeding._given(pipe, memoryview(b"x"))
        assert pipe.closed


def test_a_program_that_takes_too_long_is_stopped_with_its_group(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not matter whether it has read anything."""
    made = tmp_path / "pid"
    script = f"sleep 60 & echo $! > '{made}.new'; mv '{made}.new' '{made}'; wait"
    given: list[int] = []
    give = feeding._given

    def noted(pipe: IO[bytes], rest: memoryview) -> memoryview:
        given.append(len(rest))
        return give(pipe, rest)

    def now() -> float:  # it counts as late once the pipe is full, and a child exists
        return 100.0 if len(given) > 2 and made.exists() else 0.0

    monkeypatch.setattr(feeding, "_given", noted)
    monkeypatch.setattr(feeding, "time", SimpleNamespace(monotonic=now))
    with pytest.raises(TimeoutError):
        feed(script, b"x" * 200_000)
    pid = int(made.read_text())
    wait_for(lambda: has_ended(pid))


def has_ended(pid: int) -> bool:
    """Tell whether a process has ended, even if nobody has waited for it."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_what_a_program_leaves_behind_goes_on(tmp_path: Path) -> None:
    """It was left on purpose."""
    script = f"(until [ -e '{tmp_path}/go' ]; do sleep 0.05; done; touch '{tmp_path}/done') &"
    assert feed(script) == 0
    (tmp_path / "go").touch()
    wait_for((tmp_path / "done").exists)


def test_a_signal_to_csf_ends_a_program() -> None:
    """The signal is noticed between two polls."""
    with deferred_signals("It") as cancellation:
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted):
            feeding.feed(["sleep", "60"], b"", os.environ, 60, cancellation)


def test_a_program_that_cannot_be_started_is_the_systems_error(tmp_path: Path) -> None:
    """No descriptor is left open."""
    with pytest.raises(FileNotFoundError):
        feeding.feed([str(tmp_path / "none")], b"", {}, 60, Cancellation())
