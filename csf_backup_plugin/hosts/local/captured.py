"""A program whose output goes to files without a name: it goes on by itself if csf is killed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
from typing import IO, TYPE_CHECKING

from csf_backup_plugin.hosts.local.process_group import Group
from csf_backup_plugin.hosts.protocol import UNKNOWN

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


class Captured:
    """A program at work, in a session of its own, nothing on its standard input.

    A terminal's Ctrl-C does not reach it. A pipe would break when csf dies; a file does not, and
    has no name that could be left behind.

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
        """Return how it ended, as `Group.wait` does; wait for that a while."""
        return self._group.wait(seconds)

    def terminate(self) -> None:
        """Send SIGTERM to its process group, of which it has to end the rest by itself."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGTERM)

    def printed(self, room: int) -> bytes:
        """Return what it has printed on standard output; at most so many bytes."""
        self._output.seek(0)
        return self._output.read(room)

    def said(self, room: int) -> bytes:
        """Return what it has printed on standard error; of more bytes, its last."""
        return _last(self._errors, room)

    def close(self) -> None:
        """Close the files; the program may go on, and is not waited for any more."""
        if self._group.wait(0) is None:
            self._popen.returncode = UNKNOWN
        self._files.close()


def _last(file: IO[bytes], room: int) -> bytes:
    size = file.seek(0, os.SEEK_END)
    file.seek(max(0, size - room))
    return file.read(room)
