"""Who holds the lock is named, or the message says that it is unknown."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from pathlib import Path

import pytest
from waiting import wait_for

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.errors import LockBusy
from csf_backup_plugin.hosts.local import job, lock
from csf_backup_plugin.hosts.local.lock import held
from csf_backup_plugin.hosts.lock_holder import holder

SCRIPT = ": > began; until [ -e go ]; do sleep 0.02; done"


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Return the path of the lock file."""
    return str(tmp_path / "lib.db.lock")


@pytest.fixture
def record(tmp_path: Path) -> Path:
    """Return the path of a utility's run record."""
    return tmp_path / "an image.run"


def killed(path: str, record: Path, *, is_reaped: bool) -> None:
    """Kill a process that holds the lock while its utility runs."""
    pid = os.fork()
    if not pid:  # pragma: no cover  # another process
        with held(path, "admin_database_backup", 0, print, Cancellation(), create=True) as mine:
            argv = ["sh", "-c", SCRIPT, "an image"]
            with job.started(argv, os.devnull, mine, str(record), Cancellation()):
                signal.pause()
    wait_for((record / "began").exists)
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | (0 if is_reaped else os.WNOWAIT))


def refused(path: str) -> LockBusy:
    """Ask for a lock that is held; return the refusal."""
    told: list[str] = []
    with (
        pytest.raises(LockBusy) as caught,
        held(path, "x", 0.1, told.append, Cancellation(), create=True),
    ):
        pass
    assert len(told) == 1
    assert told[0].removeprefix("waiting up to 0.1 s for ") in caught.value.what
    return caught.value


@pytest.mark.parametrize("is_reaped", [True, False])
def test_after_a_kill_it_is_the_utility(path: str, record: Path, *, is_reaped: bool) -> None:
    """It has host, process, image, and how to end it; a zombie holds nothing."""
    killed(path, record, is_reaped=is_reaped)
    error = refused(path)
    group = (record / "pid").read_text().split()[0]
    by = f"held by sh -c {SCRIPT} an image (process {group} on {socket.gethostname()}), "
    assert by in error.what
    assert f"end it, on {socket.gethostname()}: kill -- -{group}\n" in error.next_step
    assert "admin_database_backup" not in str(error)
    os.killpg(int(group), signal.SIGTERM)
    with held(path, "x", 30, print, Cancellation(), create=True):
        pass


def test_a_living_csf_is_named_while_its_utility_is_at_work(path: str, record: Path) -> None:
    """It will hold the lock longer than the utility."""
    with (
        held(path, "admin_database_backup", 0, print, Cancellation(), create=True) as mine,
        job.started(["sh", "-c", SCRIPT], os.devnull, mine, str(record), Cancellation()),
    ):
        wait_for((record / "began").exists)
        error = refused(path)
    assert f"held by csf admin_database_backup (process {os.getpid()} on " in error.what
    assert error.next_step.startswith("Run the command again when that has ended")


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ("\n1 ", "\n9", "a process that cannot be named; csf x "),
        (" boot", " other-boot", "whether that still runs cannot be known from"),
        ("csf x", "data", "a process that cannot be named."),
        ("csf x", "", "a process that cannot be named."),
    ],
)
def test_what_cannot_be_known_is_said(path: str, old: str, new: str, name: str) -> None:
    """A process that may have ended, or has a reused number, is not named."""
    with held(path, "x", 0, print, Cancellation(), create=True):
        text = Path(path).read_text()
        first, second = text.splitlines()
        process, start, boot = second.split()
        if old.startswith("\n"):
            text = f"{first}\n{process} {start}9 {boot}\n"
        elif old == " boot":
            text = f"{first}\n{process} {start} other-{boot}\n"
        else:
            text = f"{new}\n" if new else ""
        Path(path).write_text(text)
        error = refused(path)
    assert name in error.what
    if "cannot be named" in name:
        assert f"fuser -v {path}" in error.next_step


@pytest.mark.parametrize("word", ["starting", "\x1b[2J", "0", "00", "1", "--1", "-"])
def test_what_is_no_process_group_is_not_named(path: str, tmp_path: Path, word: str) -> None:
    """A forged lock file must not make a user kill another process."""
    (tmp_path / "pid").write_text(f"{word} boot\n")
    with held(path, "x", 0, print, Cancellation(), create=True):
        first, second = Path(path).read_text().splitlines()
        process, start, boot = second.split()
        Path(path).write_text(f"{first}\n{process} {start}9 {boot}\n{tmp_path}\nosbackup\n")
        error = refused(path)
    assert "a process that cannot be named; csf x " in error.what
    assert "kill" not in error.next_step
    assert "\x1b" not in str(error)


def test_a_holder_that_cannot_be_found_out_in_time_is_not_named(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The host may be too slow."""
    monkeypatch.setattr(lock, "_LOOK", 0.0)
    with held(path, "x", 0, print, Cancellation(), create=True):
        assert "a process that cannot be named" in refused(path).what


def test_a_csf_of_another_machine_may_be_there_all_the_same(path: str, record: Path) -> None:
    """During a cut its shell has ended here and will return, so it must not be killed."""
    killed(path, record, is_reaped=True)
    text = Path(path).read_text()
    Path(path).write_text(text.replace(" since ", ", by process 7 on db1, since ", 1))
    error = refused(path)
    (record / "go").touch()
    assert "whose csf runs on another machine, if it has not ended." in error.what
    assert error.next_step.startswith("Wait until it has ended. If it does not end, end it, on ")


def test_a_lock_that_was_given_up_names_nobody(path: str) -> None:
    """The next holder may be unable to write its name."""
    for error in (None, ZeroDivisionError):
        with (
            contextlib.suppress(ZeroDivisionError),
            held(path, "x", 0, print, Cancellation(), create=True),
        ):
            if error:
                raise error
        assert Path(path).read_bytes() == b""


def test_an_image_may_have_any_name() -> None:
    """It is made printable, as everywhere."""
    by = holder("utility 7 db1 osbackup -f /b/\udcff \x1b", "/r/lock")
    assert by.name.endswith("(process 7 on db1), whose csf has ended")
    assert "\x1b" not in by.name


def test_a_utility_is_not_named_in_somebodys_data(path: str) -> None:
    """Nothing of ours is written into it."""
    Path(path).write_bytes(b"data")
    with held(path, "x", 0, print, Cancellation(), create=True) as mine:
        assert mine is not None
        mine.sign_for("/b/a.img.run", ["osbackup"])
    assert Path(path).read_bytes() == b"data"
