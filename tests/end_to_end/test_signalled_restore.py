"""A restore that gets a signal starts no more programs that change databases."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from csf_backup_plugin.cancellation import deferred_signals
from csf_backup_plugin.errors import Interrupted
from csf_backup_plugin.hosts.connect import connect
from csf_backup_plugin.operations.restore import restore
from csf_backup_plugin.operations.restore.request import RestoreRequest
from doubles import Memory

if TYPE_CHECKING:
    from pathlib import Path

    from csf_backup_plugin.hosts.protocol.host import Host
    from sites import Site

# Notes that it was started, except for a list.
SAYS_SO = """#!/bin/sh
[ "$1" = -t ] || echo started >> {log}
exec {real} "$@"
"""


LEFT = (
    "Nothing was created or changed.",
    "No database was changed.\nThe extra databases are where they were.",
)


class Signalled:
    """A host that sends us a signal at its n-th call.

    Args:
        host: does what is asked.
        at: n; counted from when `counts` is set.
    """

    def __init__(self, host: Host, at: int) -> None:
        self._host = host
        self._left = at
        self.counts = False
        self.asked: list[str] = []

    def __getattr__(self, name: str) -> Any:
        wanted = getattr(self._host, name)
        if not callable(wanted):
            return wanted

        def asked(*arguments: Any, **options: Any) -> Any:
            if self.counts:
                self.asked.append(name)
                self._left -= 1
                if not self._left:
                    os.kill(os.getpid(), signal.SIGTERM)
            return wanted(*arguments, **options)

        return asked


@pytest.fixture
def log(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Back up, and create another class; return the file in which osrestore notes its starts."""
    assert site.backup().exit_code == 0
    site.create("Newer")
    program, real = tmp_path / "osrestore", os.path.join(site.sim.home.bin, "osrestore")
    program.write_text(SAYS_SO.format(log=tmp_path / "log", real=real))
    program.chmod(0o755)
    monkeypatch.setenv("CSF_BACKUP_OSRESTORE", str(program))
    for name, value in site.sim.home.environment(os.environ).items():
        monkeypatch.setenv(name, value)
    return tmp_path / "log"


def restored(site: Site, at: int) -> tuple[Interrupted | None, list[str]]:
    """Restore, with a signal at the n-th thing asked of the host since the user agreed.

    Returns:
        How it was interrupted, and what was asked.
    """
    image = f"{site.host}:{site.image}"
    request = RestoreRequest.parse(site.master, image, quarantine=True, unattended=True)
    with deferred_signals("The restore") as cancellation, connect(site.host, cancellation) as real:
        host = Signalled(real, at)

        def agreed(_plan: object) -> bool:
            host.counts = True
            return True

        try:
            restore(request, host, Memory(), agreed)
        except Interrupted as error:
            return error, host.asked
    return None, host.asked


def test_nothing_is_started_or_moved_after_a_signal(site: Site, log: Path) -> None:
    """At whatever call it comes, the message about the databases is true."""
    before, at, asked = site.databases(), 0, [""]
    names = sorted(os.listdir(site.repository))
    while "start" not in asked[: at - 1]:
        at += 1
        error, asked = restored(site, at)
        if "start" not in asked[: at - 1]:
            assert not {"make_directories", "start"} & {*asked[at:]}
            assert error is not None
            assert error.exit_code == 128 + signal.SIGTERM
            assert not log.exists()
            assert site.databases() == before
            assert error.left in LEFT
            assert sorted(os.listdir(site.repository)) == names
    assert at > 5
    assert {"replace", "make_directories", "move", "start"} <= {*asked}


def test_no_osbackup_is_started_after_a_signal(site: Site, log: Path) -> None:
    """No other command that starts a utility is started either, on either host."""
    record = str(log.parent / "record")
    with deferred_signals("It") as cancellation, connect(site.host, cancellation) as host:
        os.kill(os.getpid(), signal.SIGTERM)
        script = ["sh", "-c", f"echo started >> {log}"]
        with pytest.raises(Interrupted), host.start(script, site.image, None, record):
            pass
    assert not log.exists()
    assert not os.path.exists(record)
