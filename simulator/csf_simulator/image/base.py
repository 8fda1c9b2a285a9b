"""What an incremental database of an image is built upon, as bytes and back."""

from __future__ import annotations

import struct
from typing import NamedTuple

from csf_simulator.image.layout import ImageError

HIGHEST_LEVEL = 9  # ObjectStore 6.0 manual

_BASE = struct.Struct("<HH8sQ16s")
BASE_SIZE = _BASE.size


class Base(NamedTuple):
    """The state of a database in an earlier backup, without which its image cannot be restored.

    Attributes:
        level: level the database is now saved at, 1 to 9.
        base_level: level it was saved at then, lower than `level`.
        image_id: 8 bytes: the image that holds it as it was then.
        sectors: its length then, in sectors of 512 bytes.
        digest: 16 bytes of checksum over its contents then.
    """

    level: int
    base_level: int
    image_id: bytes
    sectors: int
    digest: bytes


def pack_base(base: Base) -> bytes:
    """Make the payload of an OVER record."""
    return _BASE.pack(*base)


def unpack_base(payload: bytes) -> Base:
    """Read the payload of an OVER record.

    Raises:
        ImageError: it does not describe an earlier state.
    """
    if len(payload) != BASE_SIZE:
        raise ImageError("a base of the image has an impossible length")
    base = Base._make(_BASE.unpack(payload))
    if not base.base_level < base.level <= HIGHEST_LEVEL or base.sectors == 0:
        raise ImageError("a base of the image has an impossible level or size")
    return base
