"""Which names mean this machine."""

from __future__ import annotations

import socket

import pytest

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.hosts.connect import connect, is_this_machine, machine_of
from csf_backup_plugin.hosts.local.host import LocalHost


@pytest.fixture(autouse=True)
def _called_db1(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostname", lambda: "db1")
    monkeypatch.setattr(socket, "getfqdn", lambda: "DB1.example.org")


@pytest.mark.parametrize("name", ["localhost", "LOCALHOST", "db1", "Db1", "db1.Example.org"])
def test_localhost_and_this_machines_own_names_are_this_machine(name: str) -> None:
    """Case does not matter in host names."""
    with connect(name, Cancellation()) as host:
        assert host.name == name


@pytest.mark.parametrize("name", ["db2", "db1.elsewhere.org", "me@db1", "127.0.0.1", "db1x"])
def test_any_other_name_is_another_machine(name: str) -> None:
    """ssh decides what it means; no connection is made before it is needed."""
    with connect(name, Cancellation()) as host:
        assert host.name == name
        assert not isinstance(host, LocalHost)


@pytest.mark.parametrize(
    ("name", "machine"), [("Db1", "localhost"), ("db2", "10.0.0.2:22"), ("db1x", "10.0.0.2:22")]
)
def test_all_names_of_a_machine_have_one_name(name: str, machine: str) -> None:
    """ssh is asked which machine a name means, unless it is this one."""
    ssh = {"CSF_BACKUP_SSH": "sh -c 'echo hostname 10.0.0.2'"}
    assert machine_of(name, ssh, Cancellation()) == machine


@pytest.mark.parametrize("name", ["localhost", "db2"])
def test_a_host_offers_the_cancellation_that_it_was_given(name: str) -> None:
    """Without one, a local host makes its own."""
    cancellation = Cancellation()
    with connect(name, cancellation) as host:
        assert host.cancellation is cancellation
    assert LocalHost().cancellation is not LocalHost().cancellation


def test_the_resolver_is_asked_only_about_names_that_may_be_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A dead name server does not hold up a backup."""
    monkeypatch.setattr(socket, "getfqdn", None)
    assert not is_this_machine("db2.example.org")
    assert is_this_machine("db1")
