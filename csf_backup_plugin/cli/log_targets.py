"""Send the log to the file that CSF_BACKUP_LOG names, and to standard error."""

from __future__ import annotations

import contextlib
import datetime
import logging
import shlex
from typing import TYPE_CHECKING

from csf_backup_plugin.cli.log_file import VARIABLE, LogFile, opened
from csf_backup_plugin.log import is_shown, log
from csf_backup_plugin.names import shown
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

_SECRET = "CSF_BACKUP_SSH"  # its options may contain a password
_LONGEST = 8000  # characters of a line


@contextlib.contextmanager
def logged(
    environ: Mapping[str, str],
    warn: Callable[[str], None],
    verbose: Callable[[str], None] | None = None,
) -> Iterator[None]:
    """Log during the block; open the file again each time, for logrotate(8).

    Args:
        environ: the environment, which names the file.
        warn: called with a sentence if the file cannot be opened or written.
        verbose: called with each line that is not printed otherwise; None to show nothing.
    """
    lines, level = _Lines(environ.get(_SECRET, "")), log.level
    with contextlib.ExitStack() as stack:
        handlers = list[logging.Handler]()
        if path := environ.get(VARIABLE):
            try:
                handlers.append(LogFile(path, stack.enter_context(opened(path)), warn))
            except OSError as error:
                warn(f"{VARIABLE}: nothing is logged to {shown(path)}: {reason(error)}")
        if verbose:
            handlers.append(_Verbose(verbose))
        for handler in handlers:
            handler.setFormatter(lines)
            log.addHandler(handler)
            stack.callback(log.removeHandler, handler)
        if handlers:
            stack.callback(log.setLevel, level)
            log.setLevel(logging.INFO)
            log.disabled = False  # csf's configuration of logging may have disabled it
        yield


class _Lines(logging.Formatter):
    """Format a record as one line: time with zone, process, level, message.

    Args:
        secret: a command line that is replaced in the log if it has options.
    """

    def __init__(self, secret: str) -> None:
        super().__init__()
        self._secrets: list[str] = []
        if len(secret.split()) > 1:
            self._secrets = [secret, shown(secret)]
            with contextlib.suppress(ValueError):
                self._secrets.append(shlex.join(shlex.split(secret)))

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without its newline."""
        time = datetime.datetime.fromtimestamp(record.created).astimezone()
        when = time.isoformat(timespec="milliseconds")
        text = shown(record.getMessage())
        for secret in self._secrets:
            text = text.replace(secret, f"${_SECRET}")
        if len(text) > _LONGEST:
            text = f"{text[:_LONGEST]}... ({len(text):,} characters)"
        return f"{when} {record.process} {record.levelname} {text}"


class _Verbose(logging.Handler):
    def __init__(self, show: Callable[[str], None]) -> None:
        super().__init__()
        self._show = show

    def emit(self, record: logging.LogRecord) -> None:
        """Show a line, unless it was printed already."""
        if not is_shown(record):
            self._show(self.format(record))
