"""The signals that a process blocks and ignores, as grep(1) finds them in /proc/PID/status."""

from __future__ import annotations

# Signals 32 and 33 are the C library's; its posix_spawn(3), which Python 3.13 uses, ignores them.
_OF_LIBC = 3 << 31


def masks(said: bytes) -> list[int]:
    """Return the masks in the lines found, without the C library's own signals."""
    return [int(line.split()[1], 16) & ~_OF_LIBC for line in said.splitlines()]
