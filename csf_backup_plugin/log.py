"""Records of what is done and decided, for the standard library's logging.

There is one logger, `csf_backup_plugin`. It does not propagate, so csf's own logging is not
changed. To get the records, add a handler to this logger.

No record holds a value of the environment, what is in a file, or what a program is given to read.
"""

from __future__ import annotations

import logging
import traceback
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import Unexpected

if TYPE_CHECKING:
    from csf_backup_plugin.errors import BackupError

log = logging.getLogger("csf_backup_plugin")
log.propagate = False
log.addHandler(logging.NullHandler())

_SHOWN = {"is_shown": True}  # marks a record whose text the user also gets in another way


def is_shown(record: logging.LogRecord) -> bool:
    """Return whether the user also gets a record's text in another way."""
    return hasattr(record, "is_shown")


def noted(text: str) -> None:
    """Log a text that the user gets, a record for each line."""
    _log_shown(logging.INFO, text)


def warned(text: str) -> None:
    """Log a warning that the user gets."""
    _log_shown(logging.WARNING, text)


def failed(error: BackupError) -> None:
    """Log how a command has failed; the traceback of a fault of ours is found only here."""
    _log_shown(logging.ERROR, f"{error.what}\n{error.left}")
    if isinstance(error, Unexpected):
        traced(error.cause)


def traced(error: BaseException) -> None:
    """Log the traceback of an unexpected error."""
    for part in traceback.format_exception(error):
        for line in part.splitlines():
            log.error("%s", line)


def _log_shown(level: int, text: str) -> None:
    for line in text.splitlines():
        log.log(level, "%s", line, extra=_SHOWN)
