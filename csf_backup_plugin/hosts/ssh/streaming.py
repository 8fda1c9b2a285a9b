"""Files on the host that are read or written as a stream.

Each needs streams of its own, so there is a further login for it: its standard streams are those of
a cat(1) on the host. Standard error, after a mark, contains the reason if that has failed.
"""

from __future__ import annotations

import contextlib
import os
import shlex
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.ssh.channel import Channel
from csf_backup_plugin.hosts.ssh.login_slots import login_slot

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.hosts.ssh.connection import Connection

READ = 'exec 3<"$1" || exit 1; exec cat <&3'
# At most the owner and the group may write to it; a file that already exists is not ours.
WRITE = 'umask u=rwx; umask o-w; set -C; exec 3>"$1" || exit 1; exec cat >&3'


@contextlib.contextmanager
def opened(connection: Connection, path: str, script: str) -> Iterator[Channel]:
    """Read or write a file on the host while the block runs.

    Args:
        connection: the connection to the host.
        path: the file.
        script: `READ` or `WRITE`.
    """
    text = f"LC_ALL=C; export LC_ALL; set -- {shlex.quote(path)}; {script}"
    with contextlib.ExitStack() as stack:
        connection.argv()  # this may log in, with a slot of its own
        with login_slot(connection.host, float("inf"), connection.cancellation):
            channel = Channel(connection, path)
            stack.callback(channel.close)
            channel.begin(os.fsencode(text))
        yield channel
