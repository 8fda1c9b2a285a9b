"""The host protocol, and the hosts that fulfil it."""

from __future__ import annotations

import inspect

import pytest

from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.hosts.logged_host import observed
from csf_backup_plugin.hosts.protocol.host import Host
from csf_backup_plugin.hosts.ssh.host import SshHost
from doubles import MemoryHost

METHODS = [
    name for name, _ in inspect.getmembers(Host, inspect.isfunction) if not name.startswith("_")
]


def parameters(host: type, name: str) -> list[str]:
    """Return the names of a method's parameters; an unused one may begin with an underscore."""
    return [one.lstrip("_") for one in inspect.signature(getattr(host, name)).parameters]


@pytest.mark.parametrize("adapter", [LocalHost, SshHost, MemoryHost])
def test_a_host_has_each_method_of_the_protocol(adapter: type) -> None:
    """Its parameters have the same names, in the same order."""
    for name in METHODS:
        assert parameters(adapter, name) == parameters(Host, name)


def test_the_parts_of_the_protocol_are_in_the_whole() -> None:
    """A host that is logged has all of them, too."""
    parts = {"machine", "lock", "replace", "sending", "start", "together"}
    assert parts.issubset(METHODS)
    assert all(hasattr(observed(LocalHost()), name) for name in METHODS)
