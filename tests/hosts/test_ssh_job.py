"""osbackup on another host: started once, watched despite cuts, with its true exit status."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from sshd import Sshd, reached
from waiting import wait_for

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.errors import HostUnreachable, LockBusy, TimedOut
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.hosts.protocol.values import UNKNOWN
from csf_backup_plugin.hosts.ssh import job, link, lock
from csf_backup_plugin.hosts.ssh.connection import Connection
from csf_backup_plugin.hosts.ssh.errors import Answer, Status
from csf_backup_plugin.hosts.ssh.login import Cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from csf_backup_plugin.hosts.protocol.programs import Running
    from csf_backup_plugin.hosts.protocol.values import Completed
    from csf_backup_plugin.hosts.ssh.request import Pending

pytestmark = pytest.mark.remote


def counted(tmp_path: Path) -> tuple[list[str], Callable[[], int]]:
    """Return a program that logs each start and runs for seconds, and its start counter."""
    log = tmp_path / "starts"
    script = 'echo started >> "$1"; sleep 3; echo done; exit 5'
    return ["sh", "-c", script, "sh", str(log)], lambda: log.read_text().count("started")


def test_a_cut_neither_ends_nor_repeats_osbackup(sshd: Sshd, tmp_path: Path) -> None:
    """The true exit status is returned, no matter how often the connection is cut."""
    argv, starts = counted(tmp_path)
    with reached(sshd) as host, host.start(argv, "/no", None, str(tmp_path / "run")) as running:
        assert sshd.cut()
        while not (ended := running.poll()[0]):
            sshd.cut()
    assert ended == (5, b"done\n", b"")
    assert starts() == 1


@pytest.mark.parametrize("begun", [True, False])
def test_a_cut_while_starting_starts_nothing_anew(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, begun: bool
) -> None:
    """The record on the host shows whether the program was started; if not, the cut is raised."""
    argv, starts = counted(tmp_path)
    run, record = Connection.run, str(tmp_path / "run")

    def cut(self: Connection, words: tuple[str, ...], *_: object, **options: Any) -> NoReturn:
        if begun:
            run(self, *words, kind="locked", **options)
        sshd.cut()
        raise Cut("The connection was cut.", "Look.")

    monkeypatch.setattr(Connection, "run_and_follow", cut)
    with reached(sshd) as host:
        host.read("/no")
        if begun:
            with host.start(argv, "/no", None, record) as running:
                assert ended(running) == (5, b"done\n", b"")
            assert starts() == 1
        else:
            with pytest.raises(Cut), host.start(argv, "/no", None, record):
                pass
            assert os.listdir(tmp_path) == []


def test_a_record_without_our_token_makes_no_second_start(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the record has no token or another run's, nothing is started and the cut is raised."""
    record, marker = tmp_path / "run", tmp_path / "marker"
    tokens = iter(["", "another\n"])

    def cut(*_: object, **_options: object) -> NoReturn:
        record.mkdir()
        if token := next(tokens):
            (record / "token").write_text(token)
        sshd.cut()
        raise Cut("The connection was cut.", "Look.")

    monkeypatch.setattr(Connection, "run_and_follow", cut)
    with reached(sshd) as host:
        for left in ([], ["token"]):
            host.read("/no")
            with pytest.raises(Cut), host.start(["touch", str(marker)], "/no", None, str(record)):
                pass
            assert os.listdir(record) == left
            shutil.rmtree(record)
    assert not marker.exists()


def test_another_runs_record_is_left_alone(sshd: Sshd, tmp_path: Path) -> None:
    """An existing record makes the start fail, since its run may still be going on."""
    (tmp_path / "run").mkdir()
    with reached(sshd) as host, host.lock(str(tmp_path / "lock"), "x", 0, print) as lock:
        for held in (lock, None):
            started = host.start(["true"], "/no", held, str(tmp_path / "run"))
            with pytest.raises(FileExistsError), started:
                pass
    assert os.listdir(tmp_path / "run") == []


def test_an_osbackup_that_was_killed_with_its_group_has_an_end(sshd: Sshd, tmp_path: Path) -> None:
    """The guardian is in another process group, so it still records the end."""
    script = "kill -9 -$$"
    record = str(tmp_path / "run")
    with reached(sshd) as host, host.start(["sh", "-c", script], "/no", None, record) as running:
        while not (ended := running.poll()[0]):
            pass
    assert ended.status == -9


def test_while_there_is_no_connection_nothing_is_known_of_osbackup() -> None:
    """Without a connection, poll returns no result, and the caller decides how long to wait."""
    made = Connection("remote", "false", Cancellation(), print)
    try:
        assert job.Job(made, "/run", "/image", None).poll() == (None, 0)
    finally:
        made.close()


def ended(running: Running) -> Completed:
    """Wait for the end, and return it."""
    while not (completed := running.poll()[0]):
        pass
    return completed


WAITING = ["sh", "-c", 'while [ ! -e "$1" ]; do sleep 0.02; done', "sh"]


def test_after_a_cut_the_lock_passes_from_osbackup_to_us(sshd: Sshd, tmp_path: Path) -> None:
    """After osbackup has ended, we have its lock, and no other command can take it in between."""
    path, go = str(tmp_path / "lock"), tmp_path / "go"
    with reached(sshd) as host, host.lock(path, "x", 0, print) as held:
        with host.start([*WAITING, str(go)], "/no", held, str(tmp_path / "run")) as running:
            for _ in range(2):
                logins = sshd.logins()
                while not sshd.cut():  # there may be no session yet
                    running.poll()
                while sshd.logins() == logins:
                    running.poll()
                running.poll()
            go.touch()
            assert ended(running).status == 0
            with pytest.raises(LockBusy), LocalHost().lock(path, "y", 0, print):
                pass
        with pytest.raises(LockBusy), LocalHost().lock(path, "y", 0, print):
            pass
    with LocalHost().lock(path, "y", 60, print):
        pass


def test_a_cut_of_which_the_host_knows_nothing_is_one_too(sshd: Sshd, tmp_path: Path) -> None:
    """If the host does not notice the cut, the old login still loses the lock."""
    path, go = str(tmp_path / "lock"), tmp_path / "go"
    quick = f"{sshd.command} -o ServerAliveInterval=1 -o ServerAliveCountMax=4"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sshd, "command", quick)
        with reached(sshd) as host, host.lock(path, "x", 0, print) as held:
            with host.start([*WAITING, str(go)], "/no", held, str(tmp_path / "run")) as running:
                running.poll()
                frozen = sshd.freeze()
                go.touch()
                assert ended(running).status == 0
            with pytest.raises(LockBusy), LocalHost().lock(path, "y", 0, print):
                pass
    for pid in frozen:
        os.kill(pid, signal.SIGKILL)


def test_a_lock_whose_shell_was_killed_is_taken_again(sshd: Sshd, tmp_path: Path) -> None:
    """If the shell that holds the lock is killed, the lock is taken again, as after a cut."""
    path, go = str(tmp_path / "lock"), tmp_path / "go"
    with reached(sshd) as host, host.lock(path, "x", 0, print) as held:
        assert isinstance(held, lock.SshLock)
        with host.start([*WAITING, str(go)], "/no", held, str(tmp_path / "run")) as running:
            shell = int((tmp_path / "lock").read_text().splitlines()[1].split()[0])
            os.kill(shell, signal.SIGKILL)
            wait_for(lambda: not Path(f"/proc/{shell}").exists())
            running.poll()
            running.poll()
            go.touch()
            assert ended(running).status == 0
        with pytest.raises(LockBusy), LocalHost().lock(path, "y", 0, print):
            pass


def test_a_lock_that_another_has_got_meanwhile_is_waited_for_so_long(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If another command has the lock, the wait ends after _REGAIN, and the error names it."""
    monkeypatch.setattr(lock, "_REGAIN", 0.3)
    path, go = str(tmp_path / "lock"), tmp_path / "go"
    record = tmp_path / "run"
    with (
        reached(sshd) as host,
        pytest.raises(LockBusy, match="held by csf class_create"),
        host.lock(path, "x", 0, print) as held,
        host.start([*WAITING, str(go)], "/no", held, str(record)) as running,
    ):
        sshd.cut()
        go.touch()
        with LocalHost().lock(path, "class_create", 60, print):
            ended(running)


def test_a_lock_is_taken_again_although_the_connection_is_cut_again(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the connection is cut while the lock is taken again, that is tried once more."""
    path, go, logins = str(tmp_path / "lock"), tmp_path / "go", sshd.logins() + 1
    with reached(sshd) as host, host.lock(path, "x", 0, print) as held:
        assert isinstance(held, lock.SshLock)
        take = held.take
        cuts: list[int] = []

        def cut_once(*arguments: Any) -> None:
            if not cuts:
                cuts.append(sshd.cut())
                raise Cut("The connection was cut.", "Look.")
            take(*arguments)

        monkeypatch.setattr(held, "take", cut_once)
        with host.start([*WAITING, str(go)], "/no", held, str(tmp_path / "run")) as running:
            sshd.cut()
            assert isinstance(running, job.Job)
            # `take` is called only if a poll has tried the lock while the utility held it.
            while sshd.logins() == logins or not running._watch:
                running.poll()
            go.touch()
            assert ended(running).status == 0
        assert cuts
        with pytest.raises(LockBusy), LocalHost().lock(path, "y", 0, print):
            pass


def test_a_host_that_is_gone_is_told_with_what_may_still_run_there(
    serve: Callable[..., Sshd], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error keeps its type, and adds that the program may still be running."""
    monkeypatch.setattr(link, "PATIENCE", 0.2)
    server = serve()
    record = str(tmp_path / "run")
    with (
        reached(server) as host,
        pytest.raises(TimedOut, match="What was started there may still be running") as caught,
        host.start(["sleep", "5"], "/no", None, record) as running,
    ):
        server.cut()
        server.stop()
        assert running.poll() == (None, 0)
        raise TimedOut("It took too long.", "Look.")
    assert "Connection refused" in caught.value.what


def test_a_full_disk_does_not_silence_osbackup(serve: Callable[..., Sshd], tmp_path: Path) -> None:
    """Room for the last output and the exit status is reserved before osbackup starts."""
    if os.geteuid() != 0:
        pytest.skip("a server in a mount namespace of its own is root's")
    (tmp_path / "small").mkdir()
    small = str(tmp_path / "small")
    mount = f'mount -t tmpfs -o size=512k none {small} && exec "$@"'
    server = serve(below=["unshare", "-m", "sh", "-ec", mount, "sh"])
    fill = f"cat /dev/zero > {small}/image; echo no room; exit 3"
    with reached(server) as host:
        with host.start(["sh", "-c", fill], f"{small}/image", None, f"{small}/run") as running:
            completed = ended(running)
        assert completed.status == 3
        assert completed.output.endswith(b"No space left on device\nno room\n")
        for size in (
            0,
            4096,
            8192,
            16384,
        ):  # free bytes; with each, another file of the record does not fit
            host.run(["sh", "-c", f'truncate -s "-$1" {small}/image', "sh", str(size)], 30)
            with pytest.raises(OSError, match="No space left"):  # noqa: SIM117
                with host.start(["true"], "/no", None, f"{small}/again"):
                    pass
        host.run(["sh", "-c", f"truncate -s -90112 {small}/image"], 30)
        with pytest.raises(OSError, match="No space left"):  # noqa: SIM117
            with host.start(["true"], "/no", None, f"{small}/again", note=b"long" * 25000):
                pass
        assert [entry.name for entry in host.list_directory(small) if entry.name == "again"] == []


@pytest.mark.parametrize("refused", ["note", "image.run/", "files/"])
def test_a_note_that_does_not_reach_the_disk_starts_nothing(
    serve: Callable[..., Sshd], tmp_path: Path, refused: str
) -> None:
    """If a part of the record cannot be synced, nothing starts and no record is left."""
    (tmp_path / "bin").mkdir()
    (tmp_path / "files").mkdir()
    program = tmp_path / "bin" / "sync"
    program.write_text(
        f"#!/bin/sh\ncase $2 in */{refused}) echo 'sync: Input/output error' >&2; exit 1;; esac\n"
        'exec /bin/sync "$@"\n'
    )
    program.chmod(0o755)
    record = str(tmp_path / "files" / "image.run")
    with reached(serve(PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")) as host:
        with pytest.raises(OSError, match="Input/output error"):  # noqa: SIM117
            with host.start(["true"], "/no", None, record, note=b"a backup of lib.db"):
                pass
        assert os.listdir(tmp_path / "files") == []


def test_after_another_boot_nobody_is_ended_for_osbackup(sshd: Sshd, tmp_path: Path) -> None:
    """The process numbers in a record of an earlier boot are not used, and no process ends."""
    record, go = tmp_path / "run", tmp_path / "go"
    with reached(sshd) as host, host.start([*WAITING, str(go)], "/no", None, str(record)):
        before = (record / "pid").read_text()
        utility, boot, watch = before.split()
        (record / "pid").write_text(f"{utility} another-{boot} {watch}\n")
    assert Path(f"/proc/{utility}").exists()
    assert (record / "status").read_text().startswith("running")
    go.touch()
    wait_for(lambda: (record / "status").read_text().strip() == "0")


def test_a_shell_that_is_killed_while_it_follows_osbackup_takes_no_other_call_with_it(
    sshd: Sshd, tmp_path: Path
) -> None:
    """What is left of the watch could read the next call, so a new login is made."""
    go, record = tmp_path / "go", str(tmp_path / "run")
    logins = sshd.logins()
    with reached(sshd) as host, host.start([*WAITING, str(go)], "/no", None, record) as running:
        assert isinstance(running, job.Job)
        running.poll()
        watch = running._watch
        assert watch is not None
        wait_for(lambda: followers(record))
        for shell in followers(record):
            with contextlib.suppress(ProcessLookupError):
                os.kill(shell, signal.SIGKILL)
        wait_for(lambda: watch.shell.has_answer(watch.number))
        assert running.poll() == (None, 0)
        assert host.read("/no") is None
        assert sshd.logins() == logins + 2
        go.touch()
        assert ended(running).status == 0


def followers(record: str) -> list[int]:
    """Return the shells that follow a run, and the processes they wait with."""
    opened = ["-path", "/proc/[0-9]*/fd/4", "-lname", f"{record}/alive"]
    command = ["find", "/proc", "-maxdepth", "3", *opened]
    found = subprocess.run(command, check=False, capture_output=True, text=True).stdout
    return [int(path.split("/")[2]) for path in found.splitlines()]


def test_while_osbackup_is_followed_other_calls_are_made(sshd: Sshd, tmp_path: Path) -> None:
    """Another call interrupts the watch, and the next poll starts it again."""
    go, logins = tmp_path / "go", sshd.logins()
    argv = [*WAITING, str(go)]
    with reached(sshd) as host, host.start(argv, "/no", None, str(tmp_path / "run")) as running:
        for _ in range(2):
            assert running.poll() == (None, 0)
            assert host.read("/no") is None
        assert running.poll() == (None, 0)
        go.touch()
        assert ended(running).status == 0
    assert sshd.logins() == logins + 1


def test_of_what_may_begin_yet_the_end_is_told(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the program has not begun when `start` returns, its end is still returned."""
    start = Connection.run_and_follow

    def slowly(self: Connection, *arguments: Any, **options: Any) -> tuple[Answer, Pending]:
        answer, watch = start(self, *arguments, **options)
        return answer._replace(status=Status.NOT_BEGUN), watch

    monkeypatch.setattr(Connection, "run_and_follow", slowly)
    record = str(tmp_path / "run")
    with reached(sshd) as host, host.start(["true"], "/no", None, record) as running:
        assert ended(running).status == 0


def test_a_lock_whose_disk_does_not_answer_is_tried_again(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If trying the lock times out, osbackup continues and the lock is tried again."""
    path, go = str(tmp_path / "lock"), tmp_path / "go"

    def dead(_lock: lock.SshLock, _timeout: float) -> None:
        raise TimeoutError

    with reached(sshd) as host, host.lock(path, "x", 0, print) as held:
        with host.start([*WAITING, str(go)], "/no", held, str(tmp_path / "run")) as running:
            sshd.cut()
            host.read("/no")
            with monkeypatch.context() as patch:
                patch.setattr(lock.SshLock, "try_once", dead)
                for _ in range(2):  # the first poll notices the cut
                    assert running.poll() == (None, 0)
            go.touch()
            assert ended(running).status == 0
        assert is_locked(path)


def test_a_record_that_is_gone_is_an_error(sshd: Sshd, tmp_path: Path) -> None:
    """A missing status file is an error, and does not count as the end of osbackup."""
    record = tmp_path / "run"
    with reached(sshd) as host, host.start(["sleep", "60"], "/no", None, str(record)) as running:
        (record / "status").rename(tmp_path / "status")
        host.read("/no")  # interrupts the watch
        with pytest.raises(FileNotFoundError):
            ended(running)
        (tmp_path / "status").rename(record / "status")


def test_an_osbackup_whose_record_is_gone_is_not_called_ended(sshd: Sshd, tmp_path: Path) -> None:
    """If the record is gone, osbackup keeps the lock, and no new record is written."""
    record, moved, path = tmp_path / "run", tmp_path / "moved", str(tmp_path / "lock")
    with reached(sshd) as host, host.lock(path, "x", 0, print) as held:
        with host.start(["sleep", "60"], "/no", held, str(record)):
            record.rename(moved)
        assert isinstance(held, lock.SshLock)
        assert held.is_left
        assert not record.exists()
    assert is_locked(path)
    os.killpg(int((moved / "pid").read_text().split()[0]), signal.SIGKILL)
    wait_for(lambda: not is_locked(path))


LEAVES = """
setsid sh -c 'echo $$ > new; mv new daemon; exec sleep 60' &
until [ -e daemon ]; do sleep 0.02; done
: > began
until [ -e go ]; do sleep 0.02; done
"""


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Path]:
    """Yield the path for a record; at the end, kill the daemon that was started in it."""
    path = tmp_path / "image.run"
    yield path
    os.kill(int((path / "daemon").read_text()), signal.SIGKILL)


def is_locked(path: str) -> bool:
    """Tell whether a lock is held."""
    try:
        with LocalHost().lock(path, "class_create", 0, print, create=False):
            return False
    except LockBusy:
        return True


@pytest.mark.parametrize("status", [0, 3])
def test_what_is_left_behind_holds_no_lock_and_delays_nobody(
    sshd: Sshd, tmp_path: Path, record: Path, status: int
) -> None:
    """A daemon that osbackup leaves does not hold the lock; our shell holds it until the end."""
    path, argv = str(tmp_path / "lock"), ["sh", "-c", f"{LEAVES} echo said; exit {status}"]
    with reached(sshd) as host, host.lock(path, "x", 0, print) as held:
        with host.start(argv, "/no", held, str(record)) as running:
            wait_for((record / "began").exists)
            (record / "go").touch()
            assert ended(running) == (status, b"said\n", b"")
        assert is_locked(path)
    assert not is_locked(path)


def test_what_a_stopped_osbackup_leaves_behind_holds_no_lock(
    sshd: Sshd, tmp_path: Path, record: Path
) -> None:
    """A daemon that a stopped osbackup leaves does not keep the lock file of a failed command."""
    path = str(tmp_path / "lock")
    with reached(sshd) as host, pytest.raises(ZeroDivisionError):  # noqa: SIM117
        with host.lock(path, "x", 0, print) as held:
            with host.start(["sh", "-c", LEAVES], "/no", held, str(record)):
                wait_for((record / "began").exists)
                raise ZeroDivisionError
    assert not os.path.exists(path)


@pytest.mark.parametrize("is_proving", [False, True])
def test_a_lock_whose_csf_is_killed_is_free_as_soon_as_osbackup_has_ended(
    sshd: Sshd, tmp_path: Path, record: Path, *, is_proving: bool
) -> None:
    """If csf is killed, the lock is held until osbackup has ended, and its end is recorded."""
    path = str(tmp_path / "lock")
    csf = os.fork()
    if not csf:  # pragma: no cover  # another process, which is killed
        with reached(sshd) as host, host.lock(path, "x", 0, print) as held:
            with host.start(["sh", "-c", LEAVES], "/no", held, str(record)) as running:
                ended(running)
            (tmp_path / "proving").touch()
            signal.pause()
    wait_for((record / "began").exists)
    if is_proving:
        (record / "go").touch()
        wait_for((tmp_path / "proving").exists)
    assert is_locked(path)
    os.kill(csf, signal.SIGKILL)
    os.waitpid(csf, 0)
    if not is_proving:
        assert is_locked(path)
        (record / "go").touch()
    wait_for(lambda: not is_locked(path))
    assert (record / "status").read_text().strip() == "0"


def test_another_runs_record_of_the_same_name_is_neither_believed_nor_ended(
    sshd: Sshd, tmp_path: Path, record: Path
) -> None:
    """If another run has replaced the record, that is an error, and that run is not stopped."""
    with reached(sshd) as host:
        with host.start(["sh", "-c", LEAVES], "/no", None, str(record)) as running:
            wait_for((record / "began").exists)
            (record / "token").write_text("another\n")
            with pytest.raises(LockBusy, match="another command has begun"):
                ended(running)
        assert not (record / "status").read_text().startswith("1")
        (record / "go").touch()
        wait_for(lambda: (record / "status").read_text().strip() == "0")


def test_what_may_still_run_on_a_host_that_is_gone_keeps_the_lock(
    sshd: Sshd, tmp_path: Path, record: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the host is gone, the program keeps the lock, since the host may soon be back."""
    path, gone = str(tmp_path / "lock"), HostUnreachable("It is gone.", "Wait.")

    def unreachable(_job: job.Job) -> None:
        raise gone

    with reached(sshd) as host, host.lock(path, "x", 0, print) as held:
        with monkeypatch.context() as patch, pytest.raises(TimedOut) as caught:  # noqa: SIM117
            with host.start(["sh", "-c", LEAVES], "/no", held, str(record)):
                wait_for((record / "began").exists)
                patch.setattr(job.Job, "stop", unreachable)
                raise TimedOut("It took too long.", "Wait.")
        assert held is not None
        assert held.is_left
        (record / "go").touch()
    assert "It is gone. What was started there may still be running." in caught.value.what


def test_a_guardian_that_was_killed_leaves_no_success(
    sshd: Sshd, tmp_path: Path, record: Path
) -> None:
    """If the guardian was killed, osbackup is ended, since its exit status cannot be known."""
    path = str(tmp_path / "lock")
    with reached(sshd) as host, host.lock(path, "x", 0, print) as held:
        with host.start(["sh", "-c", LEAVES], "/no", held, str(record)) as running:
            wait_for((record / "began").exists)
            utility, _, watch = (record / "pid").read_text().split()
            os.kill(int(watch), signal.SIGKILL)
            assert ended(running).status == UNKNOWN
        wait_for(lambda: not Path(f"/proc/{utility}").exists())
    assert not is_locked(path)


@pytest.mark.parametrize("status", [Status.LEFT, 1, None])
def test_an_osbackup_that_cannot_be_ended_keeps_the_lock(
    sshd: Sshd, tmp_path: Path, record: Path, monkeypatch: pytest.MonkeyPatch, status: int | None
) -> None:
    """If stopping osbackup fails or times out, its guardian frees the lock later."""
    run = Connection.run

    def unable(self: Connection, function: str, *arguments: str, **options: Any) -> Answer:
        if function == "job_stop" and arguments[0] == str(record):
            if status is None:
                raise TimeoutError
            return Answer(status, b"", b"")
        return run(self, function, *arguments, **options)

    monkeypatch.setattr(Connection, "run", unable)
    path = str(tmp_path / "lock")
    with reached(sshd) as host, host.lock(path, "x", 0, print) as held:
        with host.start(["sh", "-c", LEAVES], "/no", held, str(record)):
            wait_for((record / "began").exists)
        with host.start(["true"], "/no", None, str(tmp_path / "other.run")):
            pass
    assert is_locked(path)
    (record / "go").touch()
    wait_for(lambda: not is_locked(path))
