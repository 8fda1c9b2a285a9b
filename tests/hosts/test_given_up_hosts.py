"""A host that does not answer is given up, during the login or during a call."""

from __future__ import annotations

import contextlib
import threading
from typing import TYPE_CHECKING

import pytest
from waiting import wait_for

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.cli.runner import limited
from csf_backup_plugin.errors import HostUnreachable, Interrupted
from csf_backup_plugin.hosts.connect import connect

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from csf_backup_plugin.hosts.protocol.host import Host

# The options of ssh come before the command, which is the last argument.
SSH = """#!/bin/sh
echo >>{logins}
for last; do :; done
{then}
"""


@pytest.fixture
def ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Return a function that makes a fake ssh; each login adds a line to a file."""

    def write(then: str) -> Path:
        logins, script = tmp_path / "logins", tmp_path / "ssh"
        script.write_text(SSH.format(logins=logins, then=then))
        script.chmod(0o755)
        monkeypatch.setenv("CSF_BACKUP_SSH", str(script))
        return logins

    return write


@contextlib.contextmanager
def looking(cancellation: Cancellation, notes: list[str]) -> Iterator[Host]:
    """Yield a host, for a command that changes nothing."""
    with limited(cancellation, "db1", 60) as within, connect("db1", within, notes.append) as host:
        yield host


@contextlib.contextmanager
def given_up(cancellation: Cancellation, begun: Callable[[], object]) -> Iterator[None]:
    """Let a signal come as soon as something has begun while the block runs."""

    def give_up() -> None:
        wait_for(begun)
        cancellation.cancel(15)

    thread = threading.Thread(target=give_up)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def test_in_its_login_it_is_asked_once(ssh: Callable[[str], Path]) -> None:
    """The first of several steps logs in, and the others do not repeat it."""
    logins, cancellation = ssh("exec sleep 60"), Cancellation()
    notes: list[str] = []
    with (
        given_up(cancellation, lambda: logins.exists() and logins.read_text()),
        pytest.raises(Interrupted),
        looking(cancellation, notes) as host,
    ):
        host.together(host.machine, host.machine, host.machine)
    assert (logins.read_text().count("\n"), notes) == (1, [])


def test_in_a_call_it_is_not_logged_in_to_again(ssh: Callable[[str], Path], tmp_path: Path) -> None:
    """No lock must be released, so nothing is done at the end."""
    called, slow = tmp_path / "called", tmp_path / "stat"
    slow.write_text(f"#!/bin/sh\n: >{called}\nexec sleep 10\n")
    slow.chmod(0o755)
    logins = ssh(f'PATH={tmp_path}:$PATH exec /bin/sh -c "$last"')
    cancellation, notes = Cancellation(), list[str]()
    with (
        given_up(cancellation, called.exists),
        pytest.raises(Interrupted),
        looking(cancellation, notes) as host,
    ):
        host.together(lambda: host.stat(["/"]), lambda: host.stat(["/tmp"]))
    assert (logins.read_text().count("\n"), notes) == (1, [])


def test_a_host_that_has_no_time_is_not_reached(ssh: Callable[[str], Path]) -> None:
    """The message names the option with the time limit."""
    ssh("exec sleep 60")
    with (
        pytest.raises(HostUnreachable, match="db1 has not answered within 0.1 s"),
        limited(Cancellation(), "db1", 0.1) as within,
        connect("db1", within) as host,
    ):
        host.together(host.machine, host.machine)
