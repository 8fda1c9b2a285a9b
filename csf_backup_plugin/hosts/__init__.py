"""Where a backup runs: the `Host` protocol and the adapters behind it."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import HostUnreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.hosts.protocol import Host


@contextlib.contextmanager
def connect(name: str) -> Iterator[Host]:
    """Work with the host called `name` while the block runs.

    Args:
        name: `localhost`, this machine's own name or its fully qualified one.

    Raises:
        HostUnreachable: it is another machine.
    """
    from csf_backup_plugin.hosts.local import LocalHost

    if is_this_machine(name):
        yield LocalHost(name)
        return
    raise HostUnreachable(
        f"Host {name} is not this machine ({socket.gethostname()}), and backups of other hosts "
        "are not supported by this version.",
        f"Run the same command on {name} itself, where the databases are.",
    )


def is_this_machine(name: str) -> bool:
    """Tell whether `name` is this machine, asking the resolver only if it may be."""
    wanted, own = name.lower(), socket.gethostname().lower()
    if wanted in ("localhost", own):
        return True
    return wanted.split(".")[0] == own.split(".")[0] and wanted == socket.getfqdn().lower()
