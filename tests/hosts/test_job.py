"""osbackup below a guardian: its end is recorded, and the lock is held until then."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
from masks import masks
from waiting import wait_for

from csf_backup_plugin.cancellation import Cancellation, deferred_signals
from csf_backup_plugin.errors import Interrupted, LockBusy
from csf_backup_plugin.hosts import guardian
from csf_backup_plugin.hosts.local import entries, job, process_group, process_table
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.hosts.local.lock import held
from csf_backup_plugin.hosts.local.run_record import Record
from csf_backup_plugin.hosts.protocol.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from csf_backup_plugin.hosts.local.job import Job
    from csf_backup_plugin.hosts.protocol.values import Completed

# Leaves a daemon with all open descriptors, which ends when it is told.
LEAVES = """
setsid sh -c 'echo $$ > new; mv new daemon; exec sleep 60' &
until [ -e daemon ]; do sleep 0.02; done
: > began
until [ -e go ]; do sleep 0.02; done
"""


class Work:
    """A repository's lock, and a utility that runs under it.

    Args:
        directory: where both are.
    """

    def __init__(self, directory: Path) -> None:
        self.lock = str(directory / "lock")
        self.record = directory / "image.run"
        self._proving = directory / "proving"
        self._csf = 0

    def start(self, script: str) -> contextlib.AbstractContextManager[Job]:
        """Run a script in this process, without a lock."""
        return job.started(["sh", "-c", script], os.devnull, None, str(self.record), Cancellation())

    def csf(self, script: str, *, is_stuck: bool = False) -> None:
        """Run a script, and then a proof that never ends, in a process that will be killed.

        Args:
            script: for sh.
            is_stuck: fail instead, unable to end the script.
        """
        self._csf = os.fork()
        if self._csf:
            return
        try:  # pragma: no cover  # another process
            with held(
                self.lock, "admin_database_backup", 0, print, Cancellation(), create=True
            ) as lock:
                argv = ["sh", "-c", script]
                with job.started(
                    argv, os.devnull, lock, str(self.record), Cancellation()
                ) as running:
                    if is_stuck:
                        process_group.Group.close = lambda self: False  # type: ignore[method-assign]
                        self.wait("began")
                        raise ZeroDivisionError
                    end_of(running)
                self._proving.touch()
                signal.pause()
        finally:
            os._exit(1)

    def kill(self) -> None:
        """Kill that process."""
        os.kill(self._csf, signal.SIGKILL)
        self.wait_for_csf()

    def wait_for_csf(self) -> None:
        """Wait until the process has ended."""
        os.waitpid(self._csf, 0)

    def wait(self, name: str) -> None:
        """Wait until the script has made a file in its working directory."""
        wait_for((self.record / name).exists)

    def wait_for_the_proof(self) -> None:
        """Wait until the utility has ended in the process that will be killed."""
        wait_for(self._proving.exists)

    def go(self) -> None:
        """Let the script end."""
        (self.record / "go").touch()

    def number(self, place: int) -> int:
        """Return a process number from the record: 0 for the utility, 2 for its guardian."""
        return int((self.record / "pid").read_text().split()[place])

    def status(self) -> str:
        """Return the status in the record."""
        return (self.record / "status").read_text().strip()

    def is_locked(self) -> bool:
        """Tell whether any process holds the lock."""
        try:
            with held(self.lock, "class_create", 0, print, Cancellation(), create=False):
                return False
        except LockBusy:
            return True


@pytest.fixture
def work(tmp_path: Path) -> Iterator[Work]:
    """Yield a place to work in; a daemon that was left there is killed at the end."""
    made = Work(tmp_path)
    yield made
    with contextlib.suppress(FileNotFoundError):
        daemon = int((made.record / "daemon").read_text())
        assert not gone(daemon), "what was left behind is nobody's to end"
        os.kill(daemon, signal.SIGKILL)


def gone(pid: int) -> bool:
    """Tell whether a process has ended."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def end_of(running: Job) -> Completed:
    """Wait for the end of a utility."""
    while not (completed := running.poll()[0]):
        pass
    return completed


def test_a_run_is_on_record_from_its_start_to_its_end(work: Work) -> None:
    """The record has times, processes, output with reserved room, and a status."""
    with work.start(f"echo said; {LEAVES} exit 7") as running:
        work.wait("began")
        assert {"started", "pid", "output", "status"} < {*os.listdir(work.record)}
        assert (work.record / "started").read_text().startswith("20")
        utility, boot, watch = (work.record / "pid").read_text().split()
        with open("/proc/sys/kernel/random/boot_id") as file:
            assert boot == file.read().strip()
        assert os.getpgid(int(utility)) == int(utility)
        assert os.getpgid(int(watch)) == int(watch) != int(utility)
        assert work.status() == "running"
        assert (work.record / "output").stat().st_size == guardian.ROOM
        work.go()
        assert end_of(running) == (7, b"said\n", b"")
    assert work.status() == "7"
    assert (work.record / "output").read_bytes().rstrip(b"\0") == b"said\n"


def test_what_a_utility_leaves_behind_delays_nobody(work: Work) -> None:
    """A process left behind may still print."""
    began = time.monotonic()
    with work.start(f"{LEAVES} echo said; echo more >&2") as running:
        work.wait("began")
        work.go()
        assert end_of(running) == (0, b"said\nmore\n", b"")
    assert time.monotonic() < began + 50


def test_the_watched_files_growth_is_reported(work: Work, tmp_path: Path) -> None:
    """Before the file exists, its size is 0."""
    image = tmp_path / "image"
    script = f"until [ -e go ]; do sleep 0.02; done; printf 12345 > '{image}'"
    with job.started(
        ["sh", "-c", script], str(image), None, str(work.record), Cancellation()
    ) as running:
        assert running.poll() == (None, 0)
        work.go()
        while not (ended := running.poll())[0]:
            pass
        assert ended[1] == 5


def test_what_still_runs_at_the_end_is_stopped_with_its_children(work: Work) -> None:
    """A child that ignores SIGTERM is killed before the block ends."""
    with work.start("(trap '' TERM; sleep 60) & echo $$ $! > new; mv new pids; sleep 60"):
        work.wait("pids")
    assert all(gone(int(pid)) for pid in (work.record / "pids").read_text().split())
    assert gone(work.number(2))


@pytest.mark.parametrize("shell", ["sh", "bash", "busybox sh"])
def test_a_guardian_that_holds_no_lock_ends_with_its_utility(tmp_path: Path, shell: str) -> None:
    """A kill command for a missing process may print anything."""
    record = Record(str(tmp_path / "run"))
    record.make()
    command = guardian.command(record.path, ["", ""], ["true"])
    subprocess.run(
        [*shell.split(), *command[1:]],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        timeout=60,
    )
    assert record.status() == "0"


def test_a_utility_that_ignores_the_polite_signal_is_killed(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL comes after a grace period."""
    monkeypatch.setattr(process_group, "_GRACE", 1.0)
    with work.start("trap '' TERM; : > ready; while :; do sleep 1; done"):
        work.wait("ready")
    assert gone(work.number(0))


def test_a_utility_has_default_signals_and_nothing_to_read(work: Work) -> None:
    """The signals of guardian and tests do not matter: they are reset."""
    with work.start("cat; exec grep -E '^Sig(Blk|Ign)' /proc/self/status") as running:
        blocked, ignored = masks(end_of(running).output)
    ours = [one for one in signal.valid_signals() if signal.getsignal(one) == signal.SIG_IGN]
    assert (blocked, ignored & ~sum(1 << (one - 1) for one in ours)) == (0, 0)


def test_what_a_utility_prints_is_read_after_we_were_killed(work: Work) -> None:
    """Without a reader, the next output would end it in the middle of a restore."""
    work.csf(": > began; while [ ! -e go ]; do echo x; sleep 0.02; done; echo y; : > done")
    work.wait("began")
    work.kill()
    work.go()
    work.wait("done")
    wait_for(lambda: work.status() == "0")


@pytest.mark.parametrize("status", [0, 3])
def test_after_a_kill_the_lock_is_held_until_the_utility_ends_and_no_longer(
    work: Work, status: int
) -> None:
    """However it ends, that is recorded, and a process left behind does not hold the lock."""
    work.csf(f"{LEAVES} exit {status}")
    work.wait("began")
    work.kill()
    assert work.status() == "running"
    assert work.is_locked()
    work.go()
    wait_for(lambda: not work.is_locked())
    assert work.status() == str(status)


def test_a_kill_while_the_image_is_proven_frees_the_lock_and_nothing_else_does(work: Work) -> None:
    """The guardian waits for the end of csf."""
    work.csf(LEAVES)
    work.wait("began")
    work.go()
    work.wait_for_the_proof()
    assert not gone(work.number(2))
    assert work.is_locked()
    work.kill()
    wait_for(lambda: not work.is_locked())
    wait_for(lambda: gone(work.number(2)))


def test_a_lock_whose_guardian_and_csf_were_killed_is_the_utilitys(work: Work) -> None:
    """No class can be created while the utility runs."""
    work.csf(": > began; while [ ! -e go ]; do sleep 0.02; done")
    work.wait("began")
    os.kill(work.number(2), signal.SIGKILL)
    work.kill()
    assert work.is_locked()
    work.go()
    wait_for(lambda: not work.is_locked())
    assert work.status() == "running"


@pytest.mark.parametrize("end", ["success", "failure", "signal"])
def test_a_lock_is_free_when_its_block_ends_whatever_was_left_behind(work: Work, end: str) -> None:
    """The guardian has ended, too, so nobody waits for it."""
    script = LEAVES if end == "signal" else f"{LEAVES} exit {int(end == 'failure')}"
    with (
        contextlib.suppress(Interrupted, ZeroDivisionError),
        deferred_signals("It") as cancellation,
        held(work.lock, "x", 0, print, cancellation, create=True) as lock,
    ):
        argv = ["sh", "-c", script]
        with job.started(argv, os.devnull, lock, str(work.record), cancellation) as running:
            work.wait("began")
            if end == "signal":
                os.kill(os.getpid(), signal.SIGTERM)
            work.go()
            assert end_of(running).status == int(end == "failure")
        assert not gone(work.number(2))
        if end == "failure":
            raise ZeroDivisionError
    assert not work.is_locked()
    assert gone(work.number(2))
    assert os.path.exists(work.lock) == (end == "success")


def test_a_guardian_that_was_killed_leaves_no_success(work: Work) -> None:
    """The utility is ended, since its end would not be recorded, and no process holds the lock."""
    with held(work.lock, "x", 0, print, Cancellation(), create=True) as lock:
        argv = ["sh", "-c", f"sleep 60 & {LEAVES}"]
        with job.started(argv, os.devnull, lock, str(work.record), Cancellation()) as running:
            work.wait("began")
            os.kill(work.number(2), signal.SIGKILL)
            assert end_of(running).status == UNKNOWN
        assert gone(work.number(0))
    assert work.status() == "running"
    assert not work.is_locked()


def test_a_utility_that_cannot_be_ended_keeps_the_lock(work: Work) -> None:
    """Its disk may have failed; its guardian releases the lock in the end."""
    work.csf(LEAVES, is_stuck=True)
    work.wait_for_csf()
    assert work.is_locked()
    work.go()
    wait_for(lambda: not work.is_locked())
    assert work.status() == "0"


def test_such_a_lock_is_not_given_up_with_its_block(work: Work) -> None:
    """It is only closed, and the guardian is not ended."""
    stuck, watch = SimpleNamespace(stop=lambda: False), SimpleNamespace()
    with held(work.lock, "x", 0, print, Cancellation(), create=True) as lock:
        assert lock is not None
        job._end(cast("Job", stuck), cast("process_group.Child", watch), lock)
        assert lock.is_left


def test_a_machine_without_setsid_runs_nothing(
    work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message names setsid at once."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "sleep", "cat", "sync", "dd", "tail"):
        (programs / name).symlink_to(found(name))
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(job, "_BEGINNING", 600.0)  # the program does not wait for it
    with work.start(": > here") as running:
        status, said, _ = end_of(running)
    assert (status, b"setsid" in said) == (127, True)
    assert not (work.record / "here").exists()


def test_two_at_once_have_their_own_records(work: Work, tmp_path: Path) -> None:
    """Each record has its own end."""
    with work.start("echo one; exit 1") as one:
        other = str(tmp_path / "other.run")
        with job.started(
            ["sh", "-c", "echo two; exit 2"], os.devnull, None, other, Cancellation()
        ) as two:
            assert end_of(two) == (2, b"two\n", b"")
        assert end_of(one) == (1, b"one\n", b"")


def test_another_runs_record_is_left_alone(work: Work) -> None:
    """That run may still be active."""
    work.record.mkdir()
    with pytest.raises(FileExistsError), work.start(": > here"):
        pass
    assert os.listdir(work.record) == []


def test_a_record_for_which_there_is_no_room_starts_nothing(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing of the record is left."""

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("builtins.open", full)
    with pytest.raises(OSError, match="No space left"), work.start(": > here"):
        pass
    assert not work.record.exists()


def test_a_note_that_does_not_reach_the_disk_starts_nothing(
    work: Work, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nothing of the record is left, whichever fsync fails."""
    for refused in (work.record, tmp_path):

        def sync(path: str, refused: Path = refused) -> bool:
            if path == str(refused):
                raise OSError(5, "Input/output error")
            return True

        monkeypatch.setattr(entries, "sync", sync)
        with pytest.raises(OSError, match="Input/output error"):
            Record(str(work.record)).make(b"a backup of lib.db")
        assert os.listdir(tmp_path) == []


def test_a_record_that_says_nothing_of_the_end_is_no_success(work: Work) -> None:
    """Somebody has changed the record."""
    with work.start(LEAVES) as running:
        work.wait("began")
        (work.record / "status").write_text("what?")
        assert end_of(running).status == UNKNOWN


def test_a_record_that_is_gone_is_an_error(work: Work) -> None:
    """It is no end of the utility, which is stopped."""
    with work.start(LEAVES) as running:
        work.wait("began")
        utility = work.number(0)
        (work.record / "status").unlink()
        with pytest.raises(FileNotFoundError, match="status"):
            running.poll()
    assert gone(utility)


def test_a_utility_whose_record_was_moved_is_ended_and_the_lock_is_free(work: Work) -> None:
    """Its process group is known since its start."""
    with held(work.lock, "x", 0, print, Cancellation(), create=True) as lock:
        argv = ["sh", "-c", LEAVES]
        with job.started(argv, os.devnull, lock, str(work.record), Cancellation()) as running:
            work.wait("began")
            utility = work.number(0)
            moved = work.record.rename(work.record.with_name("moved"))
            with pytest.raises(FileNotFoundError):
                running.poll()
        assert gone(utility)
    assert not work.is_locked()
    moved.rename(work.record)


def test_a_utility_whose_process_group_cannot_be_read_is_not_called_gone(tmp_path: Path) -> None:
    """It may have started."""
    child = cast("process_group.Child", None)
    record = Record(str(tmp_path / "none"))
    unknown = job.Job([], record, os.devnull, child, child, -1, Cancellation())
    assert not unknown.stop()


def test_without_flock_what_is_left_behind_holds_no_lock(
    work: Work, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The utility does not get the lock, only its guardian."""
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "setsid", "sleep", "cat", "sync", "dd", "tail", "mv"):
        (programs / name).symlink_to(found(name))
    monkeypatch.setenv("PATH", str(programs))
    work.csf(LEAVES)
    work.wait("began")
    work.kill()
    assert work.is_locked()
    work.go()
    wait_for(lambda: not work.is_locked())


def found(name: str) -> str:
    """Return the path of a program."""
    return subprocess.run(
        ["sh", "-c", f"command -v {name}"], stdout=subprocess.PIPE, text=True, check=True
    ).stdout.strip()


def test_a_boot_that_is_not_known_is_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    """There may be no /proc."""

    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError

    assert len(process_table.boot()) == 36
    monkeypatch.setattr("builtins.open", missing)
    assert process_table.boot() == ""


def test_a_process_that_is_not_known_has_no_start() -> None:
    """No process has the number 0."""
    assert process_table.start_of(0) == ""
    assert process_table.itself() == (str(os.getpid()), process_table.start_of(os.getpid()))


def test_a_local_host_runs_utilities_so(tmp_path: Path) -> None:
    """It must hold the lock itself."""
    host = LocalHost()
    with (
        host.lock(str(tmp_path / "lock"), "x", 0, print) as lock,
        host.start(["pwd"], os.devnull, lock, str(tmp_path / "run")) as running,
    ):
        while not (completed := running.poll()[0]):
            pass
    assert completed.output == os.fsencode(tmp_path / "run") + b"\n"
