"""The osbackup of a rotation whose csf was killed: it continues, and can be killed, too."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

from waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path


def record(images: Path, name: str) -> str:
    """Return the run record of the running osbackup; an empty string without one."""
    (text,) = [path.read_text() for path in images.rglob(f"*.run/{name}")] or [""]
    return text.strip()


def wait_for_osbackup(images: Path) -> None:
    """Wait until it has ended, and its end is recorded."""
    wait_for(lambda: record(images, "status") not in ("", "running"))


def kill_osbackup(images: Path) -> None:
    """Kill it, with all its processes."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(int(record(images, "pid").split()[0]), signal.SIGKILL)
    wait_for_osbackup(images)
