"""Databases and images for the tests of the simulator."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from csf_simulator.database.header import Header, encode_header
from csf_simulator.database.sectors import SECTOR
from csf_simulator.image.catalog import Database
from csf_simulator.image.layout import FRAME, RECORD_SIZE, VOLUME_SIZE, Record, unpack_record
from csf_simulator.image.reader import ImageReader
from csf_simulator.image.scanner import Scanner
from csf_simulator.image.sinks import Buffer
from csf_simulator.image.writer import ImageWriter

IMAGE_ID = b"image id"


def make_database(path: Path, sectors: int = 8, data: Mapping[int, bytes] | None = None) -> Path:
    """Make a database of a header and some data by first sector; the rest is a hole."""
    with path.open("wb") as file:
        file.write(encode_header(Header(os.urandom(16), sectors, "class")))
        for first, contents in (data or {}).items():
            file.seek(first * SECTOR)
            file.write(contents)
        file.truncate(sectors * SECTOR)
    return path


def flipped(data: bytes, bit: int) -> bytes:
    """Return data with one bit changed."""
    damaged = bytearray(data)
    damaged[bit // 8] ^= 1 << bit % 8
    return bytes(damaged)


class MemorySink:
    """A volume written into memory."""

    def __init__(self) -> None:
        self.written = bytearray()
        self.closed = False

    def claim(self, parts: Sequence[Buffer]) -> int:
        """Reserve room."""
        offset = len(self.written)
        self.written += bytes(sum(map(len, parts)))
        return offset

    def store(self, parts: Sequence[Buffer], offset: int) -> None:
        """Fill the room."""
        for part in parts:
            self.written[offset : offset + len(part)] = part
            offset += len(part)

    def close(self) -> None:
        """Record it."""
        self.closed = True


class MemoryVolume:
    """A volume read from memory."""

    def __init__(self, contents: bytes) -> None:
        self._contents = contents
        self._position = 0
        self.closed = False

    def claim(self, view: memoryview) -> int:
        """Move on."""
        self._position += len(view)
        return self._position - len(view)

    def fill(self, view: memoryview, claim: int) -> int:
        """Copy what there is."""
        found = self._contents[claim : claim + len(view)]
        view[: len(found)] = found
        return len(found)

    def retire(self) -> None:
        """Record it."""
        self.closed = True

    def close(self) -> None:
        """Record it."""
        self.closed = True


Stretch = tuple[int, int, bytes | int]  # database, first sector, data or count of zero sectors


def make_volumes(
    databases: Iterable[Database], stretches: Iterable[Stretch], limit: int | None = None
) -> list[bytes]:
    """Make the volumes of an image with records in the order given."""
    sinks: list[MemorySink] = []

    def open_volume(_: int) -> MemorySink:
        sinks.append(MemorySink())
        return sinks[-1]

    writer = ImageWriter(IMAGE_ID, open_volume, limit)
    writer.info("for people")
    for database in databases:
        writer.database(database)
    for number, first, contents in stretches:
        if isinstance(contents, int):
            writer.zero(number, first, contents)
        else:
            writer.data(number, first, memoryview(contents))
    writer.finish()
    writer.close()
    return [bytes(sink.written) for sink in sinks]


def read_volumes(volumes: Sequence[bytes]) -> dict[str, dict[int, bytes | int]]:
    """Read a whole image: for each path, data or count of zeros by first sector.

    Raises:
        ImageError: It is not sound.
    """
    reader = ImageReader(Scanner(lambda number: MemoryVolume(volumes[number - 1])))
    found: dict[str, dict[int, bytes | int]] = {item.path: {} for item in reader.databases}
    buffer = bytearray(FRAME)
    while frame := reader.take(buffer):
        payload = bytes(frame.load(buffer))
        path = reader.databases[frame.record.database].path
        found[path][frame.record.first] = payload or frame.record.sectors
    return found


def split(volume: bytes) -> tuple[bytes, list[tuple[Record, bytes]]]:
    """Split a volume into its header, and the header and payload of each record."""
    records, position = [], VOLUME_SIZE
    while position < len(volume):
        record = unpack_record(volume[position : position + RECORD_SIZE])
        position += RECORD_SIZE
        records.append((record, volume[position : position + record.length]))
        position += record.length
    return volume[:VOLUME_SIZE], records


def command(utility: str, *arguments: str) -> list[str]:
    """Return the command line that runs a utility as a separate program."""
    program = f"from csf_simulator.utilities.{utility} import main; main()"
    return [sys.executable, "-I", "-c", program, *arguments]
