"""How much room and how much time ObjectStore's utilities are given."""

from __future__ import annotations

#: Bytes that an image needs in addition to the databases' bytes and one percent of them.
RESERVE = 1 << 20
_BLOCK = 4096  # bytes; the block size of most file systems; files take up whole blocks


def default_timeout(size: int) -> float:
    """Return how long osbackup or osrestore may take over `size` bytes, in seconds.

    That is four times what ObjectStore's 4 GB an hour would need, and at least ten minutes.
    """
    return max(600.0, 4 * size / (4e9 / 3600))


def allocated(size: int) -> int:
    """Return the bytes that a file of `size` bytes takes up on the disk if it has no holes."""
    return -(-size // _BLOCK) * _BLOCK


def space_needed(size: int) -> int:
    """Return the bytes that must be free for an image of `size` bytes of databases."""
    return size + size // 100 + RESERVE
