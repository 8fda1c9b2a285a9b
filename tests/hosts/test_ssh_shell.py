"""The shell on another host: nothing gets into its answers, and nothing is lost with a program."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sshd import Sshd, reached
from waiting import wait_for

from csf_backup_plugin.cancellation import Cancellation, deferred_signals
from csf_backup_plugin.errors import HostUnreachable, Interrupted, LockBusy
from csf_backup_plugin.hosts import ssh
from csf_backup_plugin.hosts.local import LocalHost
from csf_backup_plugin.hosts.ssh import connection
from csf_backup_plugin.hosts.ssh.calls import Call, beginning
from csf_backup_plugin.hosts.ssh.connection import Connection, Cut
from csf_backup_plugin.hosts.ssh.lock import held
from csf_backup_plugin.hosts.ssh.shell import Shell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from csf_backup_plugin.hosts.ssh.calls import Kind

pytestmark = pytest.mark.remote


@pytest.fixture
def made(sshd: Sshd) -> Iterator[Connection]:
    """A connection."""
    connected = Connection("remote", sshd.command, Cancellation())
    connected.run("true")
    yield connected
    connected.close()


@pytest.mark.parametrize(
    "setting",
    [
        "LogLevel DEBUG3",
        "RequestTTY force",
        "SessionType none",
        "StdinNull yes",
        "ForkAfterAuthentication yes",
        "RemoteCommand echo something else",
        "ControlMaster auto\n  ControlPath {}/master\n  ControlPersist 60",
        "PermitLocalCommand yes\n  LocalCommand echo something else",
        "LocalForward {}/forward localhost:1",
        "IgnoreUnknown UseKeychain\n  UseKeychain yes",
    ],
)
def test_what_a_configuration_has_for_interactive_use_is_put_aside(
    serve: Callable[..., Sshd], tmp_path: Path, setting: str
) -> None:
    """And what ssh says itself is no answer."""
    server = serve()
    config = server.directory / "ssh_config"
    config.write_text(f"{config.read_text()}  {setting.format(tmp_path)}\n")
    data = bytes(range(256)) * 1000
    with reached(server) as host:
        host.create(str(tmp_path / "file"), data)
        assert host.read(str(tmp_path / "file")) == data
        ended = host.run(["sh", "-c", "echo out; echo err >&2; exit 3"], 30)
        assert ended == (3, b"out\n", b"err\n")
    assert server.logins() == 1
    assert not {"master", "forward"} & set(os.listdir(tmp_path))


def test_what_a_verbose_ssh_says_is_no_answer(sshd: Sshd, tmp_path: Path) -> None:
    """Nor is it a reason why a host cannot be reached."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sshd, "command", f"{sshd.command} -vvv")
        with reached(sshd) as host:
            (tmp_path / "image").write_bytes(b"data")
            assert host.digest(str(tmp_path / "image"), lambda _: None)[0] == 4
            assert host.run(["sh", "-c", "echo err >&2"], 30).errors == b"err\n"
        patch.setattr(sshd, "command", f"{sshd.command} -o PreferredAuthentications=none")
        with reached(sshd) as host, pytest.raises(HostUnreachable, match="Permission") as caught:
            host.read("/no")
        assert "debug1" not in str(caught.value)


@pytest.mark.parametrize("directory", ["/no/such/directory", "/proc"])
def test_the_drivers_directory_for_temporary_files_does_not_matter(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, directory: str
) -> None:
    """Nothing of ours is in it."""
    for name in ("TMPDIR", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, directory)
    with reached(sshd) as host:
        host.create(str(tmp_path / "file"), b"data")
        assert host.read(str(tmp_path / "file")) == b"data"


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
@pytest.mark.parametrize("kind", ["script", "program", "locked", "here"])
def test_a_call_that_is_cut_short_never_runs(tmp_path: Path, shell: str, kind: Kind) -> None:
    """Wherever it is cut; its data is not taken for whole either."""
    marker, file = tmp_path / "marker", tmp_path / "file"
    begin = beginning("run.1")
    data = os.fsencode(file) + b"\0" if kind == "script" else b""
    run = f"{shell} -c".split()

    def heard(sent: bytes) -> None:
        argv = [*run, f'eval "$(head -c {len(begin)})"']
        subprocess.run(argv, input=sent, capture_output=True, start_new_session=True, check=False)

    script = 'xargs -0r rm -f --; : > "$1"'
    call = Call.of(script, [str(marker)], data, kind)
    whole = begin + call.sent
    text = len(whole) - (len(data) + 33 if data else 0) - 1
    for end in (*range(len(begin), text, 9), *range(text - 20, text)):
        heard(whole[:end])
        assert not marker.exists(), whole[len(begin) : end]
    file.touch()
    if data:
        for end in range(text + 1, len(whole) - 1, 7):
            marker.unlink(missing_ok=True)
            heard(whole[:end])
            assert file.exists(), whole[len(begin) : end]
            assert not marker.exists()
    heard(whole)
    assert marker.exists()
    assert file.exists() != bool(data)


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
def test_what_a_program_leaves_behind_delays_nobody(
    tmp_path: Path, serve: Callable[..., Sshd], shell: str
) -> None:
    """And writes into no later answer."""
    (tmp_path / "bin").mkdir()
    sh = tmp_path / "bin" / "sh"
    sh.write_text(f'#!/bin/{shell.split()[0]}\nexec /usr/bin/env {shell} "$@"\n')
    sh.chmod(0o755)
    server = serve(PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    leave = 'trap "" PIPE; ( while sleep 0.1; do echo left; echo left >&2; done ) & echo $! > "$0"'
    argv = ["/bin/sh", "-c", f"{leave}; echo out; echo err >&2; exit 3"]
    pids = [tmp_path / "one", tmp_path / "two"]
    began = time.monotonic()
    try:
        with reached(server) as host:
            ended = host.run([*argv, str(pids[0])], 30)
            assert (ended.status, ended.output, ended.errors) == (3, b"out\n", b"err\n")
            (one,) = host.run_each(argv, [str(pids[1])], 30)
            assert (one.status, one.output) == (3, b"out\nerr\n")
            for _ in range(5):
                assert host.read("/no/such/file") is None
                assert host.run(["echo", "x"], 30) == (0, b"x\n", b"")
        assert time.monotonic() < began + 25
    finally:
        for pid in pids:
            os.kill(int(pid.read_text()), signal.SIGKILL)


def test_a_program_that_is_stopped_takes_neither_shell_nor_lock_with_it(
    sshd: Sshd, tmp_path: Path
) -> None:
    """Be it by its time limit, by a signal, or because it prints without end."""
    path = str(tmp_path / "lock")
    logins = sshd.logins()
    with (
        deferred_signals("The test") as cancellation,
        reached(sshd, cancellation) as host,
        host.lock(path, "x", 0, print),
    ):
        with pytest.raises(TimeoutError):
            host.run(["sleep", "60"], 0.2)
        with pytest.raises(TimeoutError):
            list(host.run_each(["sleep"], ["60"], 0.2))
        assert host.run(["yes"], 60).status > 255
        os.kill(os.getpid(), signal.SIGTERM)
        (tmp_path / "pipe").touch()
        with pytest.raises(Interrupted):
            host.run(["sleep", "60"], 60)
        host.replace(str(tmp_path / "file"), b"data")
        with pytest.raises(LockBusy), LocalHost().lock(path, "y", 0, print):
            pass
    assert sshd.logins() == logins + 1


def test_an_answer_that_nobody_waited_for_is_no_later_calls(made: Connection) -> None:
    """It is waited for first, as long as the next one may take."""
    for _ in range(2):
        with pytest.raises(TimeoutError):
            made.run("echo late; sleep 1; echo late", until=time.monotonic() + 0.2)
        with pytest.raises(TimeoutError):
            made.run("echo next", until=time.monotonic() + 0.2)
        assert made.run("echo next").output == b"next\n"
    assert made.login == 1


def test_a_script_that_does_not_end_is_left_for_a_new_login(
    made: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After as long as a login may take."""
    with pytest.raises(TimeoutError):
        made.run("sleep 60", until=time.monotonic() + 0.2)
    monkeypatch.setattr(connection, "LOGIN", 0.3)
    assert made.run("echo next").output == b"next\n"
    assert made.login == 2


def test_much_is_sent_and_said_at_once(made: Connection) -> None:
    """Neither side waits for the other with its hands full."""
    data = os.urandom(1 << 22)
    assert made.run("tee /dev/stderr | cat", data=data).output == data
    assert made.run("head -c 10", data=data).output == data[:10]
    assert made.run(":", data=data) == (0, b"", b"")


def test_of_what_ssh_says_its_last_is_kept(tmp_path: Path) -> None:
    """However much it is, and although it says no more on one stream."""
    shell = Shell(["sh", "-c", "yes | head -c 1000000 >&2; echo end >&2; exec 2>&-; cat"])
    try:
        shell.send(b"x" * 300_000)
        while len(shell.came) < 300_000:
            shell.step(0.1)
        assert shell.said().endswith(b"y\nend")
        assert len(shell.said()) < 1 << 17
    finally:
        shell.close()
    assert os.listdir(tmp_path) == []


def test_an_ssh_that_has_ended_is_noticed_although_a_stream_stays_open() -> None:
    """As by a proxy that it has started."""
    shell = Shell(["sh", "-c", "sleep 2 & echo why >&2; exec true"])
    while not shell.is_over:
        shell.step(0.05)
    assert shell.said() == b"why"
    shell.send(b"x")
    shell.close()


def test_the_library_of_the_shell_is_clean() -> None:
    """As shellcheck sees it."""
    files = [str(path) for path in Path(ssh.__file__).parent.glob("*.sh")]
    assert len(files) == 3
    if shutil.which("shellcheck") is None:
        pytest.fail("CI needs it") if os.environ.get("CI") else pytest.skip("no shellcheck here")
    said = subprocess.run(["shellcheck", *files], check=False, capture_output=True, text=True)
    assert said.stdout == ""


def test_whoever_waits_for_a_lock_is_gone_with_the_connection(sshd: Sshd, tmp_path: Path) -> None:
    """Though nothing is said meanwhile."""
    path = str(tmp_path / "lock")
    with LocalHost().lock(path, "class_create", 0, print):
        waiter = os.fork()
        if not waiter:  # pragma: no cover  # another process, which is killed
            told = Path(f"{path}.told")
            with reached(sshd) as host, host.lock(path, "x", 60, lambda _: told.touch()):
                os._exit(1)
        wait_for(Path(f"{path}.told").exists)
        os.kill(waiter, signal.SIGKILL)
        os.waitpid(waiter, 0)
        wait_for(lambda: not _has_open(path, os.getpid()))


def test_nothing_is_run_under_a_lock_that_is_lost(
    sshd: Sshd, tmp_path: Path, made: Connection
) -> None:
    """Nor is it taken again where its file is gone, and none is to be made."""
    (tmp_path / "lock").touch()
    with held(made, str(tmp_path / "lock"), "x", 0, print, create=False) as lock:
        assert lock is not None
        sshd.cut()
        wait_for(lambda: not made.login)
        with pytest.raises(Cut, match="the connection was cut"):
            lock.run("true")
        (tmp_path / "lock").unlink()
        lock.regain()
        assert made.bound == 1
        assert made.login == 2
    assert made.bound == 0


def _has_open(path: str, but: int) -> bool:
    """Tell whether any other process has a file open."""
    found = subprocess.run(
        ["find", "/proc", "-maxdepth", "3", "-path", "*/fd/*", "-lname", path],
        check=False,
        capture_output=True,
        text=True,
    )
    return any(line.split("/")[2] != str(but) for line in found.stdout.splitlines())
