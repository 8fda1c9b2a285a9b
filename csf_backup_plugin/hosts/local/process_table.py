"""Facts on a process from /proc."""

from __future__ import annotations

import os


def itself() -> tuple[str, str]:
    """Return our process and its start; together they are unique until the next boot."""
    return str(os.getpid()), start_of(os.getpid())


def start_of(process: int) -> str:
    """Return when a process was started, in clock ticks since the boot; empty if not known."""
    try:
        with open(f"/proc/{process}/stat", "rb") as file:
            return file.read().rpartition(b")")[2].split()[19].decode("ascii")
    except OSError:
        return ""


def boot() -> str:
    """Return the id of this boot; empty if not known."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="utf-8") as file:
            return file.read().strip()
    except OSError:
        return ""
