"""How a host is reached according to ssh's configuration, without asking the host."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.errors import Interrupted
from csf_backup_plugin.hosts.ssh.route import Route, ssh_route

if TYPE_CHECKING:
    from pathlib import Path

CONFIG = """
Host db1 alias
  HostName DB.example.com
Host other-port
  HostName db.example.com
  Port 2222
Host behind far
  HostName 10.0.0.9
  ProxyJump gate,second
Host proxied
  HostName 10.0.0.8
  ProxyCommand ssh -W %h:%p gate
"""


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    """Return an environment whose ssh has its own configuration."""
    (config := tmp_path / "ssh_config").write_text(CONFIG)
    return {"CSF_BACKUP_SSH": f"ssh -F {config}"}


@pytest.mark.parametrize(
    ("host", "found"),
    [
        ("db1", Route("db.example.com:22", "db.example.com:22")),
        ("alias", Route("db.example.com:22", "db.example.com:22")),
        ("user@alias", Route("db.example.com:22", "db.example.com:22")),
        ("other-port", Route("db.example.com:2222", "db.example.com:2222")),
        ("behind", Route("10.0.0.9:22", "gate")),
        ("proxied", Route("10.0.0.8:22", "ssh -W %h:%p gate")),
    ],
)
def test_two_names_of_a_machine_lead_to_one(
    environ: dict[str, str], host: str, found: Route
) -> None:
    """Machines behind one jump host have that in common."""
    assert ssh_route(host, environ, Cancellation()) == found


@pytest.mark.parametrize(
    "ssh", ["/no/such/ssh", "'", "false", "echo", "sh -c 'sleep 60' sh"], ids=str
)
def test_where_ssh_does_not_tell_the_name_stands_for_the_machine(
    ssh: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each job reports the error of ssh."""
    monkeypatch.setattr("csf_backup_plugin.hosts.ssh.route._LIMIT", 1.0)
    assert ssh_route("db1", {"CSF_BACKUP_SSH": ssh}, Cancellation()) == Route("db1", "db1")


def test_a_signal_ends_the_wait_for_ssh() -> None:
    """The signal ends it like everything else."""
    cancellation = Cancellation()
    cancellation.cancel(signal.SIGTERM)
    with pytest.raises(Interrupted):
        ssh_route("db1", {}, cancellation)
