"""A login whose standard streams all belong to one script on the host."""

from __future__ import annotations

import base64
import contextlib
import os
import select
import subprocess
import tempfile
import time
from typing import IO, TYPE_CHECKING

from csf_backup_plugin.hosts.local.process_group import Child, wait
from csf_backup_plugin.hosts.ssh.command_line import READY
from csf_backup_plugin.hosts.ssh.errors import Answer, os_error
from csf_backup_plugin.hosts.ssh.login import LOGIN

if TYPE_CHECKING:
    from csf_backup_plugin.errors import HostUnreachable
    from csf_backup_plugin.hosts.ssh.connection import Connection

_CHUNK = 1 << 20  # bytes
_MOMENT = 0.1  # seconds
_SAID = 1 << 16  # bytes at the end of standard error that are read
_SSHS_OWN = 255  # the exit status of ssh if it has failed itself


class Channel:
    """A further login of a connection that exists; it is a `Source`, or a `Sink`.

    Args:
        connection: the connection to the same host.
        path: the file that the script is about; errors name it.
    """

    def __init__(self, connection: Connection, path: str) -> None:
        self._connection = connection
        self._path = path
        self._mark = f"\n{connection.mark.decode()} begins\n"
        argv = connection.argv()
        with contextlib.ExitStack() as stack:
            self._said = stack.enter_context(tempfile.TemporaryFile())
            self._process = subprocess.Popen(
                argv,
                bufsize=0,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._said,
                start_new_session=True,
            )
            stack.pop_all()  # `close` closes it
        self._child = Child(self._process)

    def begin(self, script: bytes) -> None:
        """Run the script as soon as the host has started a shell for it.

        Raises:
            HostUnreachable: the host has not started one.
            Interrupted: a signal came.
        """
        came, began, lines = b"", time.monotonic(), 1
        while READY not in came:
            self._connection.cancellation.check_start()
            if time.monotonic() >= began + LOGIN:
                raise self._cut(b"it has run nothing for us in %d s" % LOGIN)
            if time.monotonic() >= began + lines:  # a start-up file may wait for a line
                with contextlib.suppress(BrokenPipeError):  # the next read reports that
                    self._put(b"\n")
                lines += 1
            more = self._read()
            if more == b"":
                raise self._cut(self._words())
            came += more or b""
        told = f"printf '{self._mark.encode('unicode_escape').decode()}' >&2\n".encode()
        rest = memoryview(base64.b64encode(told + script) + b"\n")
        while rest:  # a pipe has room for one line
            rest = rest[self.give(rest) :]

    def take(self) -> bytes | None:
        """Return what the script has printed; empty at its end, if it has ended with success."""
        more = self._read()
        return None if more == b"" and not self.has_ended() else more

    def _read(self) -> bytes | None:
        stream = _open_stream(self._process.stdout)
        if not select.select([stream], [], [], _MOMENT)[0]:
            return None
        return os.read(stream, _CHUNK)

    def give(self, data: memoryview) -> int:
        """Send bytes to the script; return how many could be sent within a moment."""
        try:
            return self._put(data)
        except BrokenPipeError:
            wait(self._child.ended, LOGIN)
            self.has_ended()
            raise self._cut(b"it takes no more") from None

    def end(self) -> bool:
        """Close the script's input; return whether the script has ended with success."""
        assert self._process.stdin
        self._process.stdin.close()
        return self.has_ended()

    def has_ended(self) -> bool:
        """Wait a moment; return whether the script has ended with success.

        Raises:
            OSError: the script has failed.
            HostUnreachable: the connection was cut, or how it has ended is not known.
        """
        status = wait(self._child.ended, _MOMENT)
        if not status:
            return status == 0
        if 0 < status < _SSHS_OWN:
            raise os_error(Answer(status, b"", self._words()), self._path)
        raise self._cut(self._words())

    def close(self) -> None:
        """End the login and what it runs."""
        self._child.kill()
        for stream in (self._process.stdin, self._process.stdout, self._said):
            assert stream
            with contextlib.suppress(OSError):
                stream.close()

    def _put(self, data: bytes | memoryview) -> int:
        stream = _open_stream(self._process.stdin)
        os.set_blocking(stream, False)
        is_free = bool(select.select([], [stream], [], _MOMENT)[1])
        return os.write(stream, data) if is_free else 0

    def _words(self) -> bytes:
        """Return the last text on standard error; only the script's, once the script has begun."""
        size = os.fstat(self._said.fileno()).st_size
        said = os.pread(self._said.fileno(), _SAID, max(0, size - _SAID))
        return said.rpartition(self._mark.encode())[2]

    def _cut(self, said: bytes) -> HostUnreachable:
        return self._connection.cut_short(self._path, said)


def _open_stream(stream: IO[bytes] | None) -> int:
    assert stream
    return stream.fileno()
