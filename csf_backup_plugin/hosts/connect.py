"""The host of a name: this machine, or one that ssh reaches."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

from csf_backup_plugin.log import noted

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import AbstractContextManager

    from csf_backup_plugin.cancellation import Cancellation
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.ssh.login import Login

#: The name that always means this machine.
THIS_MACHINE = "localhost"


def connect(
    name: str,
    cancellation: Cancellation,
    note: Callable[[str], None] = noted,
    early: Login | None = None,
) -> AbstractContextManager[Host]:
    """Work with the host called `name` while the block runs.

    Args:
        name: `localhost`, this machine's own name or its fully qualified one; any other is one that
            ssh knows.
        cancellation: what asks the host's work to end.
        note: called with a sentence on what the user may want to know meanwhile, such as a cut
            connection.
        early: what `log_in_early` has returned for that name, once; None for none.

    Raises:
        UsageError: the ssh command that the environment names cannot be read.
        HostUnreachable: there is no such program.
        OSError: this machine cannot look for it.
    """
    if is_this_machine(name):
        from csf_backup_plugin.hosts.local.host import LocalHost

        return contextlib.nullcontext(LocalHost(name, cancellation))
    from csf_backup_plugin.hosts.ssh.host import connected

    return connected(name, cancellation, note, early)


def log_in_early(name: str) -> AbstractContextManager[Login | None]:
    """Begin to log in to a host that will be needed, while the block runs.

    Args:
        name: a name for ssh; empty for none.
    """
    if not name:
        return contextlib.nullcontext()
    from csf_backup_plugin.hosts.ssh.early import early_login

    return early_login(name)


def machine_of(name: str, environ: Mapping[str, str], cancellation: Cancellation) -> str:
    """Return a name of a host's machine, the same for all names of one machine; connect to nothing.

    Args:
        name: the name of the host, as for `connect`.
        environ: the environment, which may name the ssh command.
        cancellation: what ends the wait for ssh.

    Raises:
        Interrupted: a signal came.
    """
    if not is_for_ssh(name):
        return THIS_MACHINE if is_this_machine(name) else name
    from csf_backup_plugin.hosts.ssh.route import ssh_route

    return ssh_route(name, environ, cancellation).machine


def is_for_ssh(name: str) -> bool:
    """Tell whether ssh is what reaches a host of that name."""
    return not is_this_machine(name)


def is_this_machine(name: str) -> bool:
    """Tell whether `name` is this machine, asking the resolver only if it may be."""
    wanted, own = name.lower(), socket.gethostname().lower()
    if wanted in (THIS_MACHINE, own):
        return True
    return wanted.split(".")[0] == own.split(".")[0] and wanted == socket.getfqdn().lower()
