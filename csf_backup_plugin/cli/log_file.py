"""The log file that CSF_BACKUP_LOG names; several processes may append to it at once."""

from __future__ import annotations

import contextlib
import logging
import os
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.local.opening import open_file
from csf_backup_plugin.names import shown
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

VARIABLE = "CSF_BACKUP_LOG"


@contextlib.contextmanager
def opened(path: str) -> Iterator[int]:
    """Open a file, never through a link; its descriptor is above the standard ones."""
    descriptor = open_file(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    try:
        yield descriptor
    finally:
        with contextlib.suppress(OSError):
            os.close(descriptor)


class LogFile(logging.Handler):
    """Append each line with one write, so that lines of several processes do not mix.

    Args:
        path: the file.
        descriptor: the open file.
        warn: called once if the file cannot be written; the command goes on.
    """

    def __init__(self, path: str, descriptor: int, warn: Callable[[str], None]) -> None:
        super().__init__()
        self._path = path
        self._descriptor = descriptor
        self._warn: Callable[[str], None] | None = warn
        self._torn = b""

    def emit(self, record: logging.LogRecord) -> None:
        """Append a line."""
        line = self._torn + self.format(record).encode("utf-8", "backslashreplace") + b"\n"
        try:
            self._torn = b"\n" if os.write(self._descriptor, line) < len(line) else b""
        except OSError as error:
            self._fail(reason(error))
        else:
            if self._torn:
                self._fail("a line was cut short")

    def _fail(self, why: str) -> None:
        warn, self._warn = self._warn, None
        if warn:
            warn(f"{VARIABLE}: not all is logged to {shown(self._path)}: {why}")
