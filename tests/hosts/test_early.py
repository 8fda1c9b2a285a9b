"""ssh is started while csf still loads, and whoever then needs the host waits for that login."""

from __future__ import annotations

import contextlib
import os
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from process_facts import lives

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.cli.command import _host_to_begin_with
from csf_backup_plugin.cli.options import host_of
from csf_backup_plugin.errors import HostUnreachable, UsageError
from csf_backup_plugin.hosts.connect import connect, log_in_early
from csf_backup_plugin.hosts.ssh import login_slots

if TYPE_CHECKING:
    from pathlib import Path

    from sshd import Sshd


@pytest.mark.remote
def test_a_login_that_has_begun_is_the_one_that_is_used(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is one login, and what was early is over at the end."""
    monkeypatch.setenv("CSF_BACKUP_SSH", sshd.command)
    before = sshd.logins()
    with log_in_early("remote") as early:
        assert early
        assert early._early
        process = early._early._process
        with connect("remote", Cancellation(), print, early) as host:
            assert host.read("/no") is None
            assert process.poll() is None
        assert process.poll() is not None
    assert sshd.logins() == before + 1


def test_a_login_that_nobody_needs_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ssh is gone after the block, even if the block fails."""
    ssh = tmp_path / "ssh"
    ssh.write_text("#!/bin/sh\nexec sleep 300\n")
    ssh.chmod(0o755)
    monkeypatch.setenv("CSF_BACKUP_SSH", str(ssh))
    with contextlib.suppress(ZeroDivisionError), log_in_early("remote") as early:
        assert early
        assert early._early
        pid = early._early._process.pid
        assert lives(pid)
        raise ZeroDivisionError
    assert not lives(pid)


def test_nothing_is_begun_for_no_host() -> None:
    """There is no login then."""
    with log_in_early("") as early:
        assert early is None


@pytest.mark.parametrize("host", ["localhost", "far"])
@pytest.mark.parametrize("plugins", [[], ["night"], None])
def test_ssh_is_started_at_once_unless_a_plugin_may_refuse_the_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str, plugins: list[str] | None
) -> None:
    """Whether it would is not asked; if plugins cannot be listed, there may be one."""
    monkeypatch.setattr(
        "csf_backup_plugin.notices.plugins.importlib.metadata.entry_points",
        lambda **_: [*plugins] if plugins is not None else 1 // 0,
    )
    given = {"image": f"{host}:{tmp_path}/image"}
    assert _host_to_begin_with(given) == ("far" if host == "far" and plugins == [] else "")


def test_what_makes_a_login_impossible_is_told_by_whoever_needs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A wrong command line may be a worse fault, and is told first."""
    for ssh, error in (('"', UsageError), ("/no/such/ssh", HostUnreachable)):
        monkeypatch.setenv("CSF_BACKUP_SSH", ssh)
        with log_in_early("remote") as early:
            assert early is None
        with pytest.raises(error), connect("remote", Cancellation()):
            pass


@pytest.mark.remote
def test_an_ssh_that_cannot_be_started_is_tried_again(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever needs the host reports it, or gets in the second time."""
    monkeypatch.setenv("CSF_BACKUP_SSH", sshd.command)
    start, tries = subprocess.Popen.__init__, list[int]()

    def full(process: Any, *arguments: Any, **options: Any) -> None:
        tries.append(1)
        if len(tries) == 1:
            raise OSError("Resource temporarily unavailable")
        start(process, *arguments, **options)

    monkeypatch.setattr(subprocess.Popen, "__init__", full)
    with log_in_early("remote") as early, connect("remote", Cancellation(), print, early) as host:
        assert host.read("/no") is None
    assert len(tries) == 2


def test_where_logins_are_counted_none_begins_before_its_slot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Below a fleet's driver, a login waits until it may begin."""
    monkeypatch.setenv(login_slots.VARIABLE, str(tmp_path))
    with log_in_early("remote") as early:
        assert early
        assert early._early is None
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    ("given", "host"),
    [
        ({"image": "db1:/b/image", "host": None}, "db1"),
        ({"image": None, "directory": "me@db1:/b"}, "me@db1"),
        ({"directories": ("db1:/b", "db2:/b")}, "db1"),
        ({"image": None, "directories": (), "host": "db1"}, "db1"),
        ({"host": None, "master": "/os/a.db"}, ""),
        ({"image": "-oProxyCommand=x:/b"}, ""),
        ({"host": "-v"}, ""),
        ({}, ""),
    ],
)
def test_the_host_is_known_from_the_command_line(given: dict[str, Any], host: str) -> None:
    """What ssh would take for an option is no host; the command itself refuses it."""
    assert host_of(given) == host
