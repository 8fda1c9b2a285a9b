"""The machine that a host's name leads to, and the first machine that is logged in to."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import HostUnreachable, UsageError
from csf_backup_plugin.hosts.local.process import run
from csf_backup_plugin.hosts.ssh.command_line import SSH, VARIABLE, configuration

if TYPE_CHECKING:
    from collections.abc import Mapping

    from csf_backup_plugin.cancellation import Cancellation

_LIMIT = 10.0  # seconds; ssh does not contact the host
_NONE = "none"


class Route(NamedTuple):
    """How a host is reached, as far as the user's ssh configuration says.

    Attributes:
        machine: the address and port, which are equal for two names of one machine.
        gate: the machine whose sshd gets each login first: a jump host, or the host itself.
    """

    machine: str
    gate: str


def ssh_route(host: str, environ: Mapping[str, str], cancellation: Cancellation) -> Route:
    """Return how a host is reached; if ssh does not print that, its name is used for both.

    Args:
        host: as the user names it.
        environ: the environment, which may name the ssh command.
        cancellation: what ends the wait for ssh.

    Raises:
        Interrupted: a signal came.
    """
    try:
        asked = run(configuration(host, environ.get(VARIABLE) or SSH), _LIMIT, cancellation)
    except (OSError, UsageError, HostUnreachable):  # each login reports that
        return Route(host, host)
    lines = (line.partition(" ") for line in os.fsdecode(asked.output).splitlines())
    found = {key: value for key, _, value in lines}
    if asked.status or "hostname" not in found:
        return Route(host, host)
    machine = f"{found['hostname'].lower()}:{found.get('port', '22')}"
    jumps = found.get("proxyjump", _NONE)
    proxy = found.get("proxycommand", _NONE)
    if jumps != _NONE:
        return Route(machine, jumps.partition(",")[0])
    return Route(machine, machine if proxy == _NONE else proxy)
