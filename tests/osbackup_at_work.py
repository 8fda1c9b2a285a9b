"""The osbackup of a rotation whose csf was killed: it goes on, and can be killed as well."""

from __future__ import annotations

import contextlib
import os
import signal
from typing import TYPE_CHECKING

from waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path


def record(images: Path, name: str) -> str:
    """Return what is on record of the osbackup that runs; nothing if there is none yet."""
    (text,) = [path.read_text() for path in images.rglob(f"*.run/{name}")] or [""]
    return text.strip()


def wait_for_osbackup(images: Path) -> None:
    """Wait until it has ended, and that is on record."""
    wait_for(lambda: record(images, "status") not in ("", "running"))


def kill_osbackup(images: Path) -> None:
    """Kill it, with all that it has started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(int(record(images, "pid").split()[0]), signal.SIGKILL)
    wait_for_osbackup(images)
