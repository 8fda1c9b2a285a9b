"""How much room and how much time ObjectStore's utilities are given."""

from __future__ import annotations

#: Bytes an image needs beside the databases' own, besides a hundredth of them.
RESERVE = 1 << 20
_BLOCK = 4096  # bytes of a block of most file systems; a file takes up whole ones


def default_timeout(size: int) -> float:
    """Return how long osbackup or osrestore may take over `size` bytes, in seconds.

    Four times what ObjectStore's 4 GB an hour would need, and ten minutes at least.
    """
    return max(600.0, 4 * size / (4e9 / 3600))


def allocated(size: int) -> int:
    """Return the bytes that a file of `size` bytes takes up if none of it is a hole."""
    return -(-size // _BLOCK) * _BLOCK


def space_needed(size: int) -> int:
    """Return the bytes that must be free for an image of `size` bytes of databases."""
    return size + size // 100 + RESERVE
