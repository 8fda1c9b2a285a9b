"""A file that is held for reading: it is not withdrawn, and a running utility holds it, too."""

from __future__ import annotations

import errno
import fcntl
import os
import signal
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest
from sshd import reached
from users import BOB, TEAM, shared_directory, user
from waiting import wait_for

from csf_backup_plugin.cancellation import Cancellation, deferred_signals
from csf_backup_plugin.errors import Interrupted, LockBusy
from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.common import BEING_READ
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.hosts.protocol.steps import Withdrawal
from csf_backup_plugin.hosts.ssh.connection import Connection
from csf_backup_plugin.hosts.ssh.host import SshHost
from memory_path import make_pipe, names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sshd import Sshd

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.programs import Running
    from memory_path import Home

# Leaves a daemon with all open descriptors, which ends when it is told.
LEAVES = """
setsid sh -c 'echo $$ > new; mv new daemon; exec sleep 60' &
until [ -e daemon ]; do sleep 0.02; done
: > began
until [ -e go ]; do sleep 0.02; done
"""


def withdrawn(path: object, host: Host | None = None) -> str:
    """Withdraw a file; return why it stays, or an empty string."""
    one = Withdrawal(str(path), f"{path}.removing", f"{path}.keep")
    (why,) = (host or LocalHost()).withdraw([one])
    return why


def finish(running: Running) -> int:
    """Wait for a utility's end; return its status."""
    while not (completed := running.poll()[0]):
        pass
    return completed.status


@pytest.fixture
def receipt(tmp_path: Path) -> Path:
    """Return a file to be read."""
    path = tmp_path / "it's an image.receipt.json"
    path.write_bytes(b"{}")
    return path


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Path]:
    """Return the path of a record; a daemon that was left in it is killed at the end."""
    path = tmp_path / "image.run"
    yield path
    os.kill(int((path / "daemon").read_text()), signal.SIGKILL)


def test_a_file_that_is_read_is_withdrawn_once_nobody_reads_it(host: Host, home: Home) -> None:
    """Any number may read it at once, and it is unchanged."""
    path = home / "receipt"
    path.write_bytes(b"{}")
    with host.reading(str(path)):
        with host.reading(str(path)):
            assert withdrawn(path, host) == BEING_READ
        assert withdrawn(path, host) == BEING_READ
    assert path.read_bytes() == b"{}"
    assert withdrawn(path, host) == ""
    with pytest.raises(FileNotFoundError) as caught, host.reading(str(path)):
        pass
    assert caught.value.filename == str(path)
    assert names(home) == {"receipt.removing"}


@pytest.mark.not_in_memory("locks")
def test_readers_of_both_kinds_of_hosts_are_known_to_each_other(host: Host, receipt: Path) -> None:
    """They are also known to a withdrawal on either host."""
    with LocalHost().reading(str(receipt)):
        with host.reading(str(receipt)):
            assert withdrawn(receipt) == BEING_READ
        assert withdrawn(receipt, host) == BEING_READ
    with host.reading(str(receipt)):
        assert withdrawn(receipt) == BEING_READ
    wait_for(lambda: withdrawn(receipt) == "")


def test_what_is_no_file_is_not_read(host: Host, home: Home) -> None:
    """A link is not followed, and no file is made."""
    (home / "file").write_bytes(b"")
    (home / "link").symlink_to("file")
    host.make_directories([str(home / "directory")])
    make_pipe(home / "pipe")
    before = names(home)
    for name, words in (
        ("link", "Is a symbolic link"),
        ("directory", "Not a file"),
        ("pipe", "Not a file"),
        ("missing", "No such file"),
    ):
        with pytest.raises(OSError, match=words) as caught, host.reading(str(home / name)):
            pass
        assert caught.value.filename == str(home / name)
    assert names(home) == before


def test_who_may_only_read_keeps_a_file_from_being_withdrawn() -> None:
    """This holds even against users who may write the file."""
    with shared_directory(0o755, TEAM) as directory:
        path = directory / "receipt"
        path.touch(0o444)
        with user(BOB), LocalHost().reading(str(path)):
            os.seteuid(0)
            assert withdrawn(path) == BEING_READ
            os.seteuid(BOB)
        path.chmod(0)
        with user(BOB), pytest.raises(PermissionError), LocalHost().reading(str(path)):
            pass


@pytest.mark.not_in_memory("locks")
def test_who_is_about_to_withdraw_a_file_is_waited_for_so_long(
    host: Host, receipt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The withdrawal usually takes a moment."""
    check, checks = Cancellation.check, list[Cancellation]()

    def checked(cancellation: Cancellation) -> None:  # before each attempt
        checks.append(cancellation)
        if len(checks) == 2:
            fcntl.flock(file, fcntl.LOCK_UN)
        check(cancellation)

    with open(receipt) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with monkeypatch.context() as patch:
            patch.setattr(common, "WITHDRAWAL", 0.2)
            with pytest.raises(LockBusy) as caught, host.reading(str(receipt)):
                pass
        assert f"on {host.name} is locked: another command is about to remove" in caught.value.what
        monkeypatch.setattr(Cancellation, "check", checked)
        with host.reading(str(receipt)):
            assert withdrawn(receipt, host) == BEING_READ
    assert len(checks) == 2


def test_without_locks_a_file_is_read_all_the_same(
    receipt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are then withdrawn without a lock; any other error of a lock is reported."""
    monkeypatch.setattr(fcntl, "flock", Mock(side_effect=OSError(errno.ENOLCK, "No locks")))
    with LocalHost().reading(str(receipt)):
        pass
    monkeypatch.setattr(fcntl, "flock", Mock(side_effect=OSError(errno.EIO, "I/O error")))
    with pytest.raises(OSError, match="I/O error") as caught, LocalHost().reading(str(receipt)):
        pass
    assert caught.value.filename == str(receipt)


def test_a_file_that_has_lost_its_name_when_it_is_locked_is_missing(
    receipt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another file may have that name by then."""
    for then in (b"", b"another"):

        def lock(_file: object, _how: int, then: bytes = then) -> None:
            receipt.rename(f"{receipt}.removing")
            if then:
                receipt.write_bytes(then)

        monkeypatch.setattr(fcntl, "flock", lock)
        with pytest.raises(FileNotFoundError) as caught, LocalHost().reading(str(receipt)):
            pass
        assert caught.value.filename == str(receipt)
        receipt.write_bytes(b"")


@pytest.mark.not_in_memory("processes")
@pytest.mark.parametrize("status", [0, 3])
def test_what_a_utility_leaves_behind_does_not_read(
    host: Host, receipt: Path, record: Path, status: int
) -> None:
    """The file is held exactly as long as the block runs."""
    with host.reading(str(receipt)):
        argv = ["sh", "-c", f"{LEAVES} exit {status}"]
        with host.start(argv, "/no", None, str(record)) as running:
            wait_for((record / "began").exists)
            (record / "go").touch()
            assert finish(running) == status
        assert withdrawn(receipt) == BEING_READ
    wait_for(lambda: withdrawn(receipt) == "")


@pytest.mark.not_in_memory("processes")
def test_a_utility_that_is_stopped_reads_no_longer(host: Host, receipt: Path, record: Path) -> None:
    """Processes that it leaves do not read either."""
    with pytest.raises(ZeroDivisionError), host.reading(str(receipt)):  # noqa: SIM117
        with host.start(["sh", "-c", LEAVES], "/no", None, str(record)):
            wait_for((record / "began").exists)
            raise ZeroDivisionError
    wait_for(lambda: withdrawn(receipt) == "")


def kill_while_it_runs(host: Host, receipt: Path, record: Path) -> None:
    """Run a utility that holds a file and a lock, in a process that is killed meanwhile."""
    csf = os.fork()
    if not csf:  # pragma: no cover  # another process, which is killed
        with (
            host.reading(str(receipt)),
            host.lock(f"{record}.lock", "x", 0, print) as lock,
            host.start(["sh", "-c", LEAVES], "/no", lock, str(record)) as running,
        ):
            finish(running)
        os._exit(1)
    wait_for((record / "began").exists)
    os.kill(csf, signal.SIGKILL)
    os.waitpid(csf, 0)


def let_it_end(receipt: Path, record: Path) -> None:
    """Let the utility end; the file is held until then."""
    assert withdrawn(receipt) == BEING_READ
    (record / "go").touch()
    wait_for(lambda: withdrawn(receipt) == "")
    wait_for(lambda: (record / "status").read_text().strip() == "0")


def test_after_a_kill_a_file_is_read_until_the_utility_ends(receipt: Path, record: Path) -> None:
    """A process left behind does not hold it."""
    kill_while_it_runs(LocalHost(), receipt, record)
    let_it_end(receipt, record)


@pytest.mark.remote
def test_after_a_kill_a_file_is_read_until_the_utility_ends_on_its_host(
    sshd: Sshd, receipt: Path, record: Path
) -> None:
    """The connection ends with csf."""
    with reached(sshd) as host:  # no login before that of the other process
        kill_while_it_runs(host, receipt, record)
    wait_for(lambda: not sshd.cut())
    let_it_end(receipt, record)


def test_a_file_whose_csf_and_guardian_were_killed_is_read_by_the_utility(
    receipt: Path, record: Path
) -> None:
    """No command removes what osrestore still reads."""
    kill_while_it_runs(LocalHost(), receipt, record)
    utility, _, guardian = (record / "pid").read_text().split()
    os.kill(int(guardian), signal.SIGKILL)
    assert withdrawn(receipt) == BEING_READ
    os.kill(int((record / "daemon").read_text()), signal.SIGSTOP)
    assert withdrawn(receipt) == BEING_READ
    assert (record / "status").read_text().strip() == "running"
    os.killpg(int(utility), signal.SIGKILL)


@pytest.mark.not_in_memory("processes")
@pytest.mark.parametrize("then", ["gone", "link"])
def test_no_utility_is_run_for_what_was_withdrawn_meanwhile(
    host: Host, receipt: Path, tmp_path: Path, then: str
) -> None:
    """It may be withdrawn during a cut; the error names the file."""
    marker, record = tmp_path / "marker", tmp_path / "run"
    with host.reading(str(receipt)):
        receipt.rename(f"{receipt}.removing")
        if then == "link":
            receipt.symlink_to("/dev/null")
        with pytest.raises(FileNotFoundError, match="Removed meanwhile") as caught:  # noqa: SIM117
            with host.start(["touch", str(marker)], "/no", None, str(record)) as running:
                finish(running)
    assert caught.value.filename == str(receipt)
    assert (record / "status").read_text().strip() == "unheld"
    assert not marker.exists()


@pytest.mark.remote
def test_after_a_cut_a_file_is_read_again(sshd: Sshd, receipt: Path) -> None:
    """The next call locks it again; if it was withdrawn, that alone ends nothing."""
    path = str(receipt)
    with reached(sshd) as host:
        with host.reading(path):
            sshd.cut()
            host.read("/no")
            assert withdrawn(path) == BEING_READ
            sshd.cut()
            wait_for(lambda: withdrawn(path) == "")
            assert host.read(path) is None
            with open(path, "xb"):
                pass
            assert withdrawn(f"{path}") == "File exists"
        with host.reading(path):
            assert withdrawn(path, host) == BEING_READ


@pytest.mark.remote
def test_a_reader_whose_connection_has_gone_has_nothing_to_give_up(
    sshd: Sshd, receipt: Path
) -> None:
    """No new login is made for that."""
    connection = Connection("remote", sshd.command, Cancellation(), print)
    host = SshHost("remote", connection)
    with host.reading(str(receipt)):
        sshd.cut()
        wait_for(lambda: not connection.login)
    assert not connection.login
    wait_for(lambda: withdrawn(receipt) == "")
    connection.close()


@pytest.mark.remote
def test_a_reader_who_ends_while_a_utility_is_followed_disturbs_nothing(
    sshd: Sshd, receipt: Path, tmp_path: Path
) -> None:
    """Its last output is not taken for another call's."""
    argv = ["sh", "-c", "until [ -e go ]; do sleep 0.02; done; exit 7"]
    with (
        reached(sshd) as host,
        host.start(argv, "/no", None, str(tmp_path / "run")) as running,
    ):
        with host.reading(str(receipt)):
            assert running.poll()[0] is None
        assert withdrawn(receipt, host) == ""
        (tmp_path / "run" / "go").touch()
        assert finish(running) == 7


@pytest.mark.remote
def test_who_is_told_to_end_does_not_begin_to_read(sshd: Sshd, receipt: Path) -> None:
    """The file is left to the withdrawal."""
    with deferred_signals("The test") as cancellation, reached(sshd, cancellation) as host:
        host.read("/no")
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted), host.reading(str(receipt)):
            pass
        assert withdrawn(receipt, host) == ""


@pytest.mark.remote
@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
def test_every_shell_reads(
    serve: Callable[..., Sshd],
    program: Callable[[str, str], None],
    tmp_path: Path,
    receipt: Path,
    record: Path,
    shell: str,
) -> None:
    """This includes systems without locks, and errors of locks are reported."""
    (tmp_path / "bin").mkdir()
    program("sh", f'exec {shell} "$@"')
    path, server = str(receipt), serve(PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    with reached(server) as host:
        with host.reading(path), host.reading(path):
            argv = ["sh", "-c", LEAVES]
            with host.start(argv, "/no", None, str(record)) as running:
                wait_for((record / "began").exists)
                assert withdrawn(path) == BEING_READ
                (record / "go").touch()
                assert finish(running) == 0
            receipt.rename(f"{receipt}.away")
            with pytest.raises(FileNotFoundError):  # noqa: SIM117
                with host.start(["true"], "/no", None, f"{record}2") as running:
                    finish(running)
            receipt.with_name(f"{receipt.name}.away").rename(receipt)
        host.read("/no")
        assert withdrawn(path) == ""
    receipt.touch()
    program("flock", "echo 'flock: 9: No locks available' >&2; exit 65")
    with reached(server) as host, host.reading(path):
        pass
    for script, words in (
        ("echo 'flock: 9: Input/output error' >&2; exit 65", "Input/output error"),
        (f'mv "{receipt}" "{receipt}.away"', "No such file"),
    ):
        program("flock", script)
        with reached(server) as host, pytest.raises(OSError, match=words), host.reading(path):
            pass
