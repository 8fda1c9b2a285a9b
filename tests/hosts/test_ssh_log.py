"""The log lists logins with the host, and without the options of the ssh command."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest
from sshd import Sshd, reached

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.errors import HostUnreachable
from csf_backup_plugin.hosts.connect import connect
from csf_backup_plugin.hosts.logged_host import observed
from csf_backup_plugin.log import log

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.remote


class Records(logging.Handler):
    """A handler that keeps the messages."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())


def test_logins_and_what_is_run_within_them_are_told(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log has logins, the calls within them, and failed logins."""
    records, level = Records(), log.level
    log.addHandler(records)
    log.setLevel(logging.INFO)
    try:
        with reached(sshd) as host:
            watched = observed(host)
            watched.create(str(tmp_path / "file"), b"secret")
            assert watched.run(["sh", "-c", "exit 3"], 10).status == 3
        monkeypatch.setenv("CSF_BACKUP_SSH", f"{sshd.command} -o Port=1 -o Tag=secret")
        with connect("remote", Cancellation()) as other, pytest.raises(HostUnreachable):
            other.read("/")
    finally:
        log.removeHandler(records)
        log.setLevel(level)
    told = records.texts
    assert told[0] == "logged in to remote, for the 1. time"
    assert told[1].startswith(f"create {tmp_path}/file on remote: ")
    assert told[2] == "run on remote in the login's directory: sh -c 'exit 3'"
    assert told[3].startswith("ended with status 3 on remote after ")
    assert told[-1] == "no login to remote"
    assert "secret" not in "".join(told)
