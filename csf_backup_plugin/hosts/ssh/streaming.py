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

_READ = 'exec 3<"$1" || exit 1; exec cat <&3'
# At most the owner and the group may write to it; a file that already exists is not ours.
_WRITE = 'umask u=rwx; umask o-w; set -C; exec 3>"$1" || exit 1; exec cat >&3'


class SshSource:
    """A file that is read on the host; see `Source`.

    Args:
        channel: the channel to the cat(1) that reads it.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def take(self) -> bytes | None:
        """Return what has come; empty at the end, but only if cat(1) has ended with success."""
        more = self._channel.read()
        return None if more == b"" and not self._channel.has_ended() else more


class SshSink:
    """A file that is written on the host; see `Sink`.

    Args:
        channel: the channel to the cat(1) that writes it.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def give(self, data: memoryview) -> int:
        """Send bytes; return how many could be sent."""
        return self._channel.write(data)

    def end(self) -> bool:
        """Close the stream; return whether cat(1) has ended with success."""
        self._channel.end()
        return self._channel.has_ended()


@contextlib.contextmanager
def sending(connection: Connection, path: str) -> Iterator[SshSource]:
    """Read the bytes of a file while the block runs; see `Host.sending`."""
    with _opened(connection, path, _READ) as channel:
        yield SshSource(channel)


@contextlib.contextmanager
def receiving(connection: Connection, path: str) -> Iterator[SshSink]:
    """Write a file that must not exist yet; see `Host.receiving`."""
    with _opened(connection, path, _WRITE) as channel:
        yield SshSink(channel)


@contextlib.contextmanager
def _opened(connection: Connection, path: str, script: str) -> Iterator[Channel]:
    text = f"LC_ALL=C; export LC_ALL; set -- {shlex.quote(path)}; {script}"
    with contextlib.ExitStack() as stack:
        connection.argv()  # this may log in, with a slot of its own
        with login_slot(connection.host, float("inf"), connection.cancellation):
            channel = Channel(connection, path)
            stack.callback(channel.close)
            channel.begin(os.fsencode(text))
        yield channel
