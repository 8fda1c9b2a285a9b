"""Format bytes and counts for people."""

from __future__ import annotations


def human(size: float) -> str:
    """Return a size in bytes in the largest unit of which there is at least 1: ``1.5 GB``.

    Units are decimal, as in ObjectStore's figure of 4 Gbytes an hour.
    """
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 999.95:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 database``, ``2 databases``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
