"""A connection to another host: one login, cuts, noise, signals, and hosts that do not answer."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
from sshd import Sshd, reached
from waiting import wait_for

from csf_backup_plugin.cancellation import Cancellation, deferred_signals
from csf_backup_plugin.errors import HostUnreachable, Interrupted, UsageError
from csf_backup_plugin.hosts.connect import connect
from csf_backup_plugin.hosts.ssh import connection, link, login
from csf_backup_plugin.hosts.ssh.connection import Connection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.remote


def test_noise_is_no_answer(noisy: Sshd, tmp_path: Path) -> None:
    """Output of the login shell, of any kind, does not get into the answers."""
    path = str(tmp_path / "it's a $(file)")
    with reached(noisy) as host:
        host.create(path, b"data\n\xff")
        assert host.read(path) == b"data\n\xff"
        assert [fact.kind for fact in host.look([path, path + "no"])] == ["file", "missing"]
        with pytest.raises(FileExistsError):
            host.create(path, b"")
        with (
            host.lock(f"{path}.lock", "x", 0, print) as lock,
            host.start(["echo", "a  b"], path, lock, f"{path}.run") as running,
        ):
            while not (ended := running.poll()[0]):
                pass
        assert ended == (0, b"a  b\n", b"")
    assert noisy.logins() == 1


def unreachable(command: str, name: str = "remote") -> str:
    """Return the error message for a host that cannot be reached."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(HostUnreachable) as caught:
        patch.setenv("CSF_BACKUP_SSH", command)
        with connect(name, Cancellation()) as host:
            host.read("/")
    return str(caught.value)


def test_why_a_host_cannot_be_reached_is_told_in_sshs_own_words(sshd: Sshd, tmp_path: Path) -> None:
    """If a login fails, the error has ssh's message, and what to try by hand or to correct."""
    other = tmp_path / "known_hosts"
    key = (sshd.directory / "user_key.pub").read_text()
    other.write_text(f"remote {key}")
    ssh = sshd.command
    for command, words in (
        (f"{ssh} -o UserKnownHostsFile={other}", "Host key verification failed"),
        (f"{ssh} -o PreferredAuthentications=none", "Permission denied"),
        (f"{ssh} -o Port=1", "Connection refused"),
        (f"{ssh} -l nobody-of-that-name", "Permission denied"),
        ("/no/ssh", "/no/ssh cannot be run: there is no such program"),
    ):
        said = unreachable(command)
        assert words in said
        assert "by hand" in said or "CSF_BACKUP_SSH" in said


def test_a_host_that_never_answers_is_given_up(sshd: Sshd) -> None:
    """The login fails after ssh's own time limit."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        said = unreachable(f"{sshd.command} -o ConnectTimeout=1 -o Port={port}")
    assert "timed out" in said


def test_what_changes_nothing_is_asked_again_after_a_cut(sshd: Sshd, tmp_path: Path) -> None:
    """A read is repeated after a cut, and the caller gets the data without an error."""
    (tmp_path / "file").write_bytes(b"data")
    with reached(sshd) as host:
        for _ in range(3):
            assert host.read(str(tmp_path / "file")) == b"data"
            assert sshd.cut()


def test_without_a_host_for_too_long_it_is_given_up(
    serve: Callable[..., Sshd], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a cut, the call fails if the host cannot be reached within PATIENCE."""
    server = serve()
    monkeypatch.setattr(link, "PATIENCE", 0.3)
    with reached(server) as host:
        host.read("/no")
        server.cut()
        server.stop()
        with pytest.raises(HostUnreachable, match="Connection refused"):
            host.read("/no")


def test_a_signal_ends_a_wait_and_not_the_clean_up(sshd: Sshd, tmp_path: Path) -> None:
    """After a signal, files can still be removed over the same connection."""
    path = tmp_path / "file"
    path.touch()
    with deferred_signals("The test") as cancellation, reached(sshd, cancellation) as host:
        host.read(str(path))
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted):
            host.run(["sleep", "60"], 60)
        host.remove([str(path)])
    assert not path.exists()


def test_a_signal_ends_the_wait_for_a_connection(sshd: Sshd) -> None:
    """A signal ends the wait for the first login."""
    with (
        socket.create_server(("127.0.0.1", 0)) as silent,
        deferred_signals("The test") as cancellation,
    ):
        made = Connection(
            "remote", f"{sshd.command} -o Port={silent.getsockname()[1]}", cancellation, print
        )
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted):
            made.run("true")
        made.close()


def test_one_login_serves_a_whole_backup(sshd: Sshd, tmp_path: Path) -> None:
    """All calls use one login, and no ssh is left after the end."""
    before = sshd.logins()
    with reached(sshd) as host:
        host.create(str(tmp_path / "file"), b"")
        with host.lock(str(tmp_path / "lock"), "x", 0, print):
            host.look([str(tmp_path)])
    assert sshd.logins() == before + 1
    running = subprocess.run(["pgrep", "-f", str(sshd.directory / "ssh_config")], check=False)
    assert running.returncode == 1


@pytest.mark.parametrize(
    ("forced", "words"),
    [("echo 'This account is not available.'; exit 1", "not available"), ("true", "runs nothing")],
)
def test_an_account_that_runs_nothing_is_told_at_once(
    serve: Callable[..., Sshd], forced: str, words: str
) -> None:
    """An account that runs no commands is an error after one login."""
    server = serve(f"ForceCommand {forced}")
    assert words in unreachable(server.command)
    assert server.logins() == 1


def test_a_host_that_refuses_us_is_not_asked_again(serve: Callable[..., Sshd]) -> None:
    """After a refusal, later calls fail with the same error and without another login."""
    server = serve("ForceCommand true")
    with reached(server) as host:
        for _ in range(2):
            with pytest.raises(HostUnreachable, match="runs nothing for us"):
                host.read("/no")
    assert server.logins() == 1


def test_a_start_up_file_that_waits_for_a_line_gets_one(
    serve: Callable[..., Sshd], tmp_path: Path
) -> None:
    """A start-up file that reads a line gets an empty one, and no call is lost."""
    script = tmp_path / "login"
    script.write_text('#!/bin/sh\nread -r answer\nexec sh -c "$SSH_ORIGINAL_COMMAND"\n')
    script.chmod(0o755)
    with reached(serve(f"ForceCommand {script}")) as host:
        assert host.read("/no") is None


def test_an_older_ssh_is_not_told_what_it_does_not_know(sshd: Sshd, tmp_path: Path) -> None:
    """An ssh before 8.7, which rejects SessionType, is started again without that option."""
    older, starts = tmp_path / "ssh", tmp_path / "starts"
    refusal = "command-line: line 0: Bad configuration option: sessiontype"
    older.write_text(
        f"#!/bin/sh\necho >>{starts}\n"
        f'case "$*" in *SessionType*) echo "{refusal}" >&2; exit 255;; esac\nexec "$@"\n'
    )
    older.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sshd, "command", f"{older} {sshd.command}")
        with reached(sshd) as host:
            assert host.read("/no") is None
            sshd.cut()
            assert host.read("/no") is None
    assert starts.read_text() == "\n" * 3


def test_an_ssh_that_cannot_be_executed_is_told(tmp_path: Path) -> None:
    """If ssh cannot be executed, the error says that this machine cannot run it."""
    broken = tmp_path / "ssh"
    broken.write_bytes(b"\0")
    broken.chmod(0o755)
    assert "this machine cannot run ssh: " in unreachable(str(broken))


def test_a_login_that_prints_without_end_is_told_soon(
    serve: Callable[..., Sshd], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A login shell that prints without end is an error, and memory does not fill up."""
    monkeypatch.setattr("csf_backup_plugin.hosts.ssh.shell._NOISE", 1 << 20)
    server = serve("ForceCommand yes please change your password")
    said = unreachable(server.command)
    assert "a login shell there prints without end: please change your password." in said
    assert server.logins() == 1


def test_an_ssh_command_that_cannot_be_read_is_refused() -> None:
    """If CSF_BACKUP_SSH cannot be parsed, the error names the variable and its value."""
    for command in ("ssh 'x", " "):
        with pytest.raises(UsageError, match=f"CSF_BACKUP_SSH={command} cannot be read"):
            Connection("remote", command, Cancellation(), print)


def test_patience_counts_from_the_cut(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PATIENCE is counted from the cut, not from the start of a program that runs for longer."""
    monkeypatch.setattr(link, "PATIENCE", 0.7)
    marker = tmp_path / "marker"
    script = 'sleep 1; if [ -e "$1" ]; then echo twice; else : > "$1"; sleep 60; fi'

    with reached(sshd) as host:
        pid = os.fork()
        if not pid:  # pragma: no cover  # another process cuts after the program has run a while
            wait_for(marker.exists)
            sshd.cut()
            os._exit(0)
        assert host.run(["sh", "-c", script, "sh", str(marker)], 30).output == b"twice\n"
        os.waitpid(pid, 0)


def test_after_a_signal_a_host_that_is_gone_is_given_up_soon(
    serve: Callable[..., Sshd], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a signal, the cleanup tries to reach the host for HURRY, not for PATIENCE."""
    monkeypatch.setattr(connection, "HURRY", 1.0)
    server = serve()
    with deferred_signals("The test") as cancellation, reached(server, cancellation) as host:
        host.read("/no")
        server.cut()
        server.stop()
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted):
            host.read("/no")
        with pytest.raises(HostUnreachable, match=r"refused|closed by"):
            host.remove(["/no/file"])


def test_a_host_that_lets_us_in_and_never_answers_again_is_given_up(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If every login succeeds and then breaks, the call fails after PATIENCE."""
    monkeypatch.setattr(link, "PATIENCE", 0.2)
    made = Connection("remote", sshd.command, Cancellation(), print)
    with pytest.raises(HostUnreachable, match="The connection to remote was cut"):
        made.ask("eval", "kill -9 $$")
    made.close()


CLIENT = """
import sys, time
from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.hosts.connect import connect
with connect("remote", Cancellation()) as host, host.lock(sys.argv[1], "x", 0, print):
    print("held", flush=True)
    host.run(["sleep", sys.argv[2]], 600)
"""


def test_a_killed_client_leaves_nothing_running(sshd: Sshd, tmp_path: Path) -> None:
    """After csf is killed, its ssh and its program on the host end, and its lock is free."""
    lock, seconds = str(tmp_path / "lock"), f"600.{os.getpid()}"
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, lock, seconds],
        env={**os.environ, "CSF_BACKUP_SSH": sshd.command},
        stdout=subprocess.PIPE,
    )
    with client:
        assert client.stdout is not None
        assert client.stdout.readline() == b"held\n"
        wait_for(lambda: running(f"sleep {seconds}"))
        client.kill()
    config = str(sshd.directory / "ssh_config")
    wait_for(lambda: not running(config) and not running(f"sleep {seconds}"))
    # A process that ends loses its command line first, and then its files.
    wait_for(lambda: subprocess.run(["flock", "-n", lock, "true"]).returncode == 0)


def running(words: str) -> bool:
    """Tell whether a process has these words in its command line."""
    return subprocess.run(["pgrep", "-f", words], check=False, capture_output=True).returncode == 0


def test_what_a_signal_interrupts_ends_on_the_host_too(sshd: Sshd) -> None:
    """A signal also ends the program on the host, with its children."""
    with deferred_signals("The test") as cancellation, reached(sshd, cancellation) as host:
        host.read("/no")
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted):
            host.run(["sh", "-c", f"sleep 601.{os.getpid()}; true"], 700)
    wait_for(lambda: not running(f"sleep 601.{os.getpid()}"))


def test_a_script_that_changes_something_is_waited_for_in_spite_of_a_signal(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a signal, a script gets `grace` seconds to end, so that its result is known."""
    with deferred_signals("The test") as cancellation:
        made = Connection("remote", sshd.command, cancellation, print)
        made.run("true")
        os.kill(os.getpid(), signal.SIGTERM)
        assert made.run("eval", "sleep 0.3; echo done").output == b"done\n"
        with pytest.raises(Interrupted):
            made.run("sleep", "60", grace=0.1)
    made.close()


def test_what_cleans_up_is_not_waited_for_for_ever(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a signal has been raised, a call fails if there is no answer in `grace` and HURRY."""
    monkeypatch.setattr(connection, "HURRY", 0.3)
    monkeypatch.setattr(login, "HURRY", 0.3)
    with deferred_signals("The test") as cancellation:
        made = Connection("remote", sshd.command, cancellation, print)
        made.run("true")
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted):
            cancellation.check()
        with pytest.raises(HostUnreachable, match="remote does not answer"):
            made.run("sleep", "60")
    made.close()


def test_of_steps_carried_out_at_once_a_signal_is_told_first(sshd: Sshd) -> None:
    """If several steps fail, a signal is raised before other errors."""

    def fail() -> None:
        raise ZeroDivisionError

    def interrupt() -> None:
        raise Interrupted(15, "The test")

    with reached(sshd) as host:
        with pytest.raises(Interrupted):
            host.together(fail, interrupt)
        with pytest.raises(ZeroDivisionError):
            host.together(lambda: 1, fail)


@pytest.fixture
def hang(tmp_path: Path, serve: Callable[..., Sshd]) -> Iterator[tuple[Sshd, Path]]:
    """Yield a server, and a file; while the file exists, login shells hang."""
    script, file, go = (tmp_path / name for name in ("login", "hang", "go"))
    script.write_text(
        f'#!/bin/sh\nwhile [ -e "{file}" ] && [ ! -e "{go}" ]; do sleep 0.1; done\n'
        'exec sh -c "$SSH_ORIGINAL_COMMAND"\n'
    )
    script.chmod(0o755)
    yield serve(f"ForceCommand {script}"), file
    go.touch()


@pytest.mark.parametrize("first", ["first", "after a cut"])
def test_a_login_shell_that_hangs_is_given_up(
    hang: tuple[Sshd, Path], monkeypatch: pytest.MonkeyPatch, first: str
) -> None:
    """A login shell that hangs is an error, at the first login and at one after a cut."""
    server, file = hang
    with reached(server) as host:
        if first != "first":
            host.read("/no")
            server.cut()
        file.touch()
        monkeypatch.setattr(login, "LOGIN", 0.5)
        monkeypatch.setattr(link, "PATIENCE", 0.1)
        with pytest.raises(HostUnreachable, match="it has run nothing for us in"):
            host.read("/no")


def test_a_script_that_takes_too_long_to_begin_is_given_up_at_its_time(
    hang: tuple[Sshd, Path],
) -> None:
    """The time limit of a script also applies while the login shell hangs."""
    server, file = hang
    made = Connection("remote", server.command, Cancellation(), print)
    file.touch()
    with pytest.raises(TimeoutError):
        made.run("true", until=time.monotonic() + 0.5)
    made.close()
