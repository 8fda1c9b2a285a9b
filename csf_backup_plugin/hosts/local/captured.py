"""A program whose output goes to unnamed files, so that it goes on if csf is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from typing import IO, TYPE_CHECKING

from csf_backup_plugin.hosts.local.process_group import Group
from csf_backup_plugin.hosts.protocol.values import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Captured:
    """A running program, in a session of its own; its standard input is empty.

    A terminal's Ctrl-C does not reach it. A pipe would break when csf dies, and a file does not; an
    unnamed file leaves nothing behind.

    Args:
        argv: the command.
        environ: its environment.

    Attributes:
        pid: its process, which leads its process group.

    Raises:
        OSError: it cannot be run.
    """

    def __init__(self, argv: Sequence[str], environ: Mapping[str, str]) -> None:
        self._files = contextlib.ExitStack()
        with contextlib.ExitStack() as stack:
            self._output = stack.enter_context(tempfile.TemporaryFile())
            self._errors = stack.enter_context(tempfile.TemporaryFile())
            self._popen = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=self._errors,
                env=environ,
                start_new_session=True,
            )
            self._files = stack.pop_all()
        self.pid = self._popen.pid
        self._group = Group.of(self._popen)

    def wait(self, seconds: float) -> int | None:
        """Wait a while; return how it ended, as `Group.wait` does."""
        return self._group.wait(seconds)

    def terminate(self) -> None:
        """Send SIGTERM to its process group; the program itself must end the rest of it."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGTERM)

    def printed(self, room: int) -> bytes:
        """Return what it has printed on standard output, up to a number of bytes."""
        self._output.seek(0)
        return self._output.read(room)

    def said(self, room: int) -> bytes:
        """Return the last bytes that it has printed on standard error."""
        return _last(self._errors, room)

    def close(self) -> None:
        """Close the files. The program may go on; it is not waited for."""
        if self._group.wait(0) is None:
            self._popen.returncode = UNKNOWN
        self._files.close()


def _last(file: IO[bytes], room: int) -> bytes:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - room))
    return file.read(room)
