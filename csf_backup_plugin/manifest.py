"""The manifest: an append-only journal of a repository's databases, a checksum on every line.

First line: ``csf-backup-manifest 1``. Each further line: the CRC-32 of the name as eight
hexadecimal digits, a space, the name. A name without a slash lies in the master database's own
directory, so a repository may be moved as a whole; any other name is an absolute path. An append
that was cut short leaves a last line without its newline, which counts as never written.
"""

from __future__ import annotations

import os
import zlib
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

HEADER = b"csf-backup-manifest 1"


class Manifest(NamedTuple):
    """What a manifest says.

    Attributes:
        names: every database recorded, in the order of recording, each once.
        damaged: the numbers, from 1, of lines that are not what was written.
    """

    names: tuple[str, ...]
    damaged: tuple[int, ...] = ()


class CorruptManifest(ValueError):
    """A line is not what was written.

    Args:
        line: its number, from 1.
    """

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line} is damaged")
        self.line = line


def encode(names: Iterable[str]) -> bytes:
    """Return a whole manifest that records `names`."""
    return HEADER + b"\n" + encode_lines(names)


def encode_lines(names: Iterable[str]) -> bytes:
    """Return the lines that record `names`, to be appended to a manifest."""
    return b"".join(_encode_line(name) + b"\n" for name in names)


def decode(data: bytes) -> Manifest:
    """Read a manifest.

    Args:
        data: the file's bytes, whole.

    Raises:
        CorruptManifest: a line other than a torn last one was changed.
    """
    recorded = salvage(data)
    if recorded.damaged:
        raise CorruptManifest(recorded.damaged[0])
    return recorded


def salvage(data: bytes) -> Manifest:
    """Read of a manifest what is whole, and tell which lines are not."""
    lines = data[: data.rfind(b"\n") + 1].split(b"\n")[:-1]
    names = {number: _decode_line(line) for number, line in enumerate(lines[1:], start=2)}
    damaged = [number for number, name in names.items() if name is None]
    if lines[:1] != [HEADER]:  # written at once with the file, so never torn
        damaged.insert(0, 1)
    whole = (name for name in names.values() if name is not None)
    return Manifest(tuple(dict.fromkeys(whole)), tuple(damaged))


def _encode_line(name: str) -> bytes:
    raw = os.fsencode(name)
    return b"%08x %s" % (zlib.crc32(raw), raw)


def _decode_line(line: bytes) -> str | None:
    """Return the name, or None where the line is not what was written."""
    name = os.fsdecode(line[9:])
    return name if line == _encode_line(name) else None
