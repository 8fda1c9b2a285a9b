"""The bytes of a file on the host, which go elsewhere, and a new file there for those that come.

They need streams of their own, so there is a second login for each: its standard streams are those
of a cat(1) there. What it says on standard error, behind a mark, tells why that has failed.
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
# Nobody but the owner and the group may write there; a file that stands there is none of ours.
_WRITE = 'umask u=rwx; umask o-w; set -C; exec 3>"$1" || exit 1; exec cat >&3'


class SshSource:
    """A file that is read on the host; see `Source`.

    Args:
        channel: to the cat(1) that reads it.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def take(self) -> bytes | None:
        """Return what has come; the end is one only if cat(1) has ended well."""
        more = self._channel.read()
        return None if more == b"" and not self._channel.has_ended() else more


class SshSink:
    """A file that is written on the host; see `Sink`.

    Args:
        channel: to the cat(1) that writes it.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def give(self, data: memoryview) -> int:
        """Send bytes, as many as there is room for on the way."""
        return self._channel.write(data)

    def end(self) -> bool:
        """Close the stream; tell whether cat(1) has ended well."""
        self._channel.end()
        return self._channel.has_ended()


@contextlib.contextmanager
def sending(connection: Connection, path: str) -> Iterator[SshSource]:
    """Have the bytes of a file; see `Host.sending`."""
    with _opened(connection, path, _READ) as channel:
        yield SshSource(channel)


@contextlib.contextmanager
def receiving(connection: Connection, path: str) -> Iterator[SshSink]:
    """Have a file that must not exist yet; see `Host.receiving`."""
    with _opened(connection, path, _WRITE) as channel:
        yield SshSink(channel)


@contextlib.contextmanager
def _opened(connection: Connection, path: str, script: str) -> Iterator[Channel]:
    text = f"LC_ALL=C; export LC_ALL; set -- {shlex.quote(path)}; {script}"
    with contextlib.ExitStack() as stack:
        connection.argv()  # which may log in, and takes a slot of its own for that
        with login_slot(connection.host, float("inf"), connection.cancellation):
            channel = Channel(connection, path)
            stack.callback(channel.close)
            channel.begin(os.fsencode(text))
        yield channel
