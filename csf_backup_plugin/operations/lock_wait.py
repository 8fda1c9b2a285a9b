"""How long a command waits for the repository's lock."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Seconds to wait for the repository's lock if neither an option nor the environment sets it.
LOCK_WAIT = 30.0
LOCK_WAIT_VARIABLE = "CSF_BACKUP_LOCK_WAIT"


def lock_wait(environ: Mapping[str, str], given: float | None = None) -> float:
    """Return how long to wait for the lock, in seconds.

    Args:
        environ: the environment, which may set it.
        given: the value from the command line, if any; it has precedence.

    Raises:
        UsageError: the variable is not a number of seconds.
    """
    if given is not None:
        return given
    text = environ.get(LOCK_WAIT_VARIABLE, "")
    try:
        seconds = float(text) if text else LOCK_WAIT
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < float("inf"):
        raise UsageError(
            f"{LOCK_WAIT_VARIABLE}={shown(text)} is not a number of seconds.",
            f"Set it to a number such as {LOCK_WAIT:g}, or unset it.",
        )
    return seconds
