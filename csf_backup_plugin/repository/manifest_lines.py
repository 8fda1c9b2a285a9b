"""Lines of the manifest; see `manifest`."""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def encode_lines(names: Iterable[str]) -> bytes:
    """Return the lines that record databases, to be appended to a manifest."""
    return b"".join(map(line_of, names))


def line_of(record: str) -> bytes:
    """Return the line of a record, with its checksum."""
    raw = os.fsencode(record)
    return b"%08x %s\n" % (zlib.crc32(raw), raw)
