"""Cuts that the host does not notice: a later login ends the old shell and frees its lock."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from proxy import BOTH, Proxy, Way, drop
from sshd import Sshd
from waiting import wait_for

from csf_backup_plugin.cancellation import Cancellation, deferred_signals
from csf_backup_plugin.errors import HostUnreachable, Interrupted
from csf_backup_plugin.hosts.ssh import connection, library, lock, login
from csf_backup_plugin.hosts.ssh.connection import Connection
from csf_backup_plugin.hosts.ssh.login import Cut
from csf_backup_plugin.hosts.ssh.request import Kind, Request
from csf_backup_plugin.hosts.ssh.waiting import answer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.remote

#: Lets ssh wait for a host longer than any test takes.
PATIENT = " -o ConnectTimeout=600"


class Behind:
    """A connection through a proxy.

    Args:
        server: the server behind the proxy.
        proxy: the proxy that ssh connects to.
        cancellation: cancels the calls over the connection.

    Attributes:
        made: the connection.
        notes: the notes that the user got.
    """

    def __init__(self, server: Sshd, proxy: Proxy, cancellation: Cancellation) -> None:
        self.server = server
        self.notes: list[str] = []
        self.made = Connection(
            "remote", server.behind(proxy), cancellation, lambda note: self.notes.append(note)
        )
        self._proxy = proxy
        self.made.run("true")

    def lose(self, *ways: Way) -> None:
        """From now on, drop what is sent in these directions, but not on later connections."""
        self._proxy.arm(drop(0, *ways))
        self._proxy.strike_now()

    def cut(self) -> None:
        """Kill ssh in such a way that the host does not notice."""
        self.lose(*BOTH)
        assert self.made.link.shell is not None
        self.made.link.shell._process.kill()
        wait_for(lambda: not self.made.login)

    def processes(self) -> list[str]:
        """Return the processes of the connection's logins."""
        found = []
        for name in filter(str.isdigit, os.listdir("/proc")):
            try:
                environment = Path(f"/proc/{name}/environ").read_bytes()
            except OSError:  # it has ended
                continue
            if f"csf_run={self.made.link.login._run}.".encode() in environment:
                found.append(name)
        return found

    def check_ended(self, logins: int) -> None:
        """Check that no process is left, after this number of logins and without any note."""
        self.made.close()
        wait_for(lambda: not self.processes())
        assert self.made.link.login.count == logins
        assert self.notes == []


@pytest.fixture
def behind(sshd: Sshd) -> Iterator[Behind]:
    """Yield a connection through a proxy."""
    with Proxy(sshd.port) as proxy:
        yield Behind(sshd, proxy, Cancellation())


def is_free(path: Path) -> bool:
    """Tell whether a lock is free."""
    return subprocess.run(["flock", "-n", str(path), "true"], check=False).returncode == 0


def _nothing() -> None:
    """Do nothing, in place of a look under the lock."""


def test_an_idle_shell_is_ended_and_its_lock_is_free(behind: Behind, tmp_path: Path) -> None:
    """If a cut is noticed only at the end, a new login ends the old shell and frees the lock."""
    path = tmp_path / "lock"
    with lock.held(behind.made, str(path), "x", 0, print, _nothing, create=True):
        behind.cut()
        assert not is_free(path)
    assert not is_free(path)
    behind.check_ended(logins=2)
    wait_for(lambda: is_free(path))


def test_a_lock_whose_taking_was_cut_is_taken_again(behind: Behind, tmp_path: Path) -> None:
    """If taking a lock is cut, a new login ends the old shell and takes the lock again."""
    path = tmp_path / "lock"
    path.touch()
    behind.lose(Way.DOWN)

    def strike() -> None:
        wait_for(path.read_bytes)  # the holder writes into it; trying the lock would disturb it
        behind.cut()

    striker = threading.Thread(target=strike)
    striker.start()
    with lock.held(behind.made, str(path), "x", 0, print, _nothing, create=True) as (held, _):
        assert held is not None
        assert held.is_held
        assert not is_free(path)
    striker.join()
    assert is_free(path)
    cut, answered = behind.notes
    assert "was cut" in cut
    assert answered == "remote answers again."
    behind.notes.clear()
    behind.check_ended(logins=2)


def test_a_lock_whose_release_was_lost_is_free(
    behind: Behind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the release gets no answer on an open connection, a second login frees the lock."""
    monkeypatch.setattr(lock, "_PARTING", 0.3)
    path = tmp_path / "lock"
    with lock.held(behind.made, str(path), "x", 0, print, _nothing, create=True):
        behind.lose(Way.UP)
    assert not is_free(path)
    behind.check_ended(logins=2)
    wait_for(lambda: is_free(path))


@pytest.mark.parametrize("kind", ["script", "program"])
def test_what_the_shell_runs_is_ended_with_it(behind: Behind, tmp_path: Path, kind: Kind) -> None:
    """After a cut, the script or program that the old shell runs is ended, too."""
    pid = tmp_path / "pid"
    script = f"echo $$ >{pid}.new; mv {pid}.new {pid}; sleep 300"
    words = ["eval", script] if kind == "script" else ["program", "100", "sh", "-c", script]
    pending = behind.made._post(Request(library.step(words), kind))
    wait_for(pid.exists)
    behind.cut()
    with pytest.raises(Cut):
        answer_of(behind.made.link, pending)
    behind.check_ended(logins=2)
    wait_for(lambda: not Path(f"/proc/{pid.read_text().strip()}").exists())


def test_what_was_to_be_done_at_last_is_done_after_a_cut(behind: Behind, tmp_path: Path) -> None:
    """After a cut, the new login also does what was registered for the end."""
    (tmp_path / "aside").touch()
    behind.made.at_last("clear_aside", str(tmp_path / "aside"))
    behind.cut()
    behind.check_ended(logins=2)
    assert not (tmp_path / "aside").exists()


def test_a_shell_that_a_later_login_has_ended_takes_no_other(behind: Behind) -> None:
    """If a call after the cut made a new login, closing needs no third one."""
    behind.cut()
    assert behind.made.ask("echo", "x").output == b"x\n"
    behind.check_ended(logins=2)


def test_a_login_that_was_asked_nothing_yet_ends_the_earlier_shell(behind: Behind) -> None:
    """A new login that has made no call still ends the old shell before it closes."""
    behind.cut()
    behind.made.link.connect()
    behind.check_ended(logins=2)


@pytest.mark.parametrize("first", ["signal", "cut"])
def test_a_signal_does_not_keep_the_shell(sshd: Sshd, tmp_path: Path, first: str) -> None:
    """A new login ends the old shell even if a signal came before or after the cut."""
    path = tmp_path / "lock"
    with Proxy(sshd.port) as proxy, deferred_signals("The test") as cancellation:
        behind = Behind(sshd, proxy, cancellation)
        with (
            pytest.raises(Interrupted),
            lock.held(behind.made, str(path), "x", 0, print, _nothing, create=True),
        ):
            if first == "signal":
                os.kill(os.getpid(), signal.SIGTERM)
                behind.cut()
            else:
                behind.cut()
                os.kill(os.getpid(), signal.SIGTERM)
            behind.made.ask("true")
        behind.check_ended(logins=2)
    wait_for(lambda: is_free(path))


def test_a_signal_that_nothing_has_answered_does_not_keep_the_shell(sshd: Sshd) -> None:
    """A new login ends the old shell even if a signal is pending at the close."""
    with Proxy(sshd.port) as proxy, deferred_signals("The test") as cancellation:
        behind = Behind(sshd, proxy, cancellation)
        behind.cut()
        os.kill(os.getpid(), signal.SIGTERM)
        behind.check_ended(logins=2)


def test_the_next_signal_ends_the_wait_for_another_login(
    serve: Callable[..., Sshd], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second signal ends the wait; a note says what may be left, and how to find it."""
    server = serve()
    server.command += PATIENT
    for module in (connection, login):
        monkeypatch.setattr(module, "HURRY", 600.0)
    assert server._process is not None
    with Proxy(server.port) as proxy, deferred_signals("The test") as cancellation:
        behind = Behind(server, proxy, cancellation)
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted):
            behind.made.run("sleep", "60", grace=0)
        behind.lose(*BOTH)
        os.kill(server._process.pid, signal.SIGSTOP)
        connections = len(proxy._connections)

        def strike() -> None:
            wait_for(lambda: len(proxy._connections) > connections)
            os.kill(os.getpid(), signal.SIGTERM)

        striker = threading.Thread(target=strike)
        striker.start()
        behind.made.close()
        striker.join()
        os.kill(server._process.pid, signal.SIGCONT)
    (note,) = behind.notes
    assert note == (
        "Whether the shell of this command on remote has ended is not known; it may hold the "
        "repository's lock. Look for its process there: grep -l "
        f"csf_run={behind.made.link.login._run} /proc/[0-9]*/environ"
    )


def test_no_other_login_is_made_after_a_signal_meanwhile(
    behind: Behind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal during the final calls leads to a note, and to no further login."""
    behind.made.at_last("sleep", "60")
    cancellation, run = behind.made.cancellation, Connection.run

    def signalled(self: Connection, *words: str, **options: float) -> object:
        cancellation.cancel(signal.SIGTERM)
        return run(self, *words, grace=0, until=options["until"])

    monkeypatch.setattr(Connection, "run", signalled)
    behind.made.close()
    assert behind.made.link.login.count == 1
    assert len(behind.notes) == 1
    wait_for(lambda: not behind.processes())  # the host has noticed the end


def test_a_host_that_is_gone_is_waited_for_in_vain(
    serve: Callable[..., Sshd], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that is gone is waited for during HURRY, not ssh's own time; then a note follows."""
    monkeypatch.setattr(connection, "HURRY", 0.5)
    monkeypatch.setattr(login, "LOGIN", 600.0)
    server = serve()
    server.command += PATIENT
    assert server._process is not None
    with Proxy(server.port) as proxy:
        behind = Behind(server, proxy, Cancellation())
        behind.cut()
        os.kill(server._process.pid, signal.SIGSTOP)
        behind.made.close()
        os.kill(server._process.pid, signal.SIGCONT)
    assert len(behind.notes) == 1


def test_a_shell_that_cannot_be_ended_is_told_at_the_end_too(
    behind: Behind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the old shell cannot be ended, closing tries once more, and then a note follows."""
    text = library.library

    def unable(mark: str) -> bytes:
        said = base64.b64decode(text(mark)).replace(b"-lt 50 ]", b"-lt 2 ]")
        return base64.b64encode(said.replace(b"'HUP CONT'", b"0")) + b"\n"

    monkeypatch.setattr(library, "library", unable)
    behind.cut()
    with pytest.raises(HostUnreachable, match="cannot be ended"):
        behind.made.ask("true")
    behind.made.close()
    assert behind.made.link.login.count == 3
    assert len(behind.notes) == 1


def test_a_host_that_nothing_can_be_done_on_is_not_logged_in_to_again(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A host that lacks a program ends its shell itself, so closing makes no other login."""
    text = library.library

    def lacking(mark: str) -> bytes:
        said = base64.b64decode(text(mark))
        return base64.b64encode(said.replace(b"uname wc xargs", b"uname wc xargs no-such")) + b"\n"

    monkeypatch.setattr(library, "library", lacking)
    notes: list[str] = []
    made = Connection("remote", sshd.command, Cancellation(), notes.append)
    with pytest.raises(HostUnreachable, match="it has no no-such"):
        made.run("true")
    made.close()
    assert made.link.login.count == 1
    assert notes == []
