"""Copying databases into an image."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from imaging import IMAGE_ID, MemorySink, make_database, read_volumes

from csf_simulator.database.file_source import FileSource
from csf_simulator.database.sectors import SECTOR
from csf_simulator.database.sources import Source
from csf_simulator.image import stretches
from csf_simulator.image.archive import archive
from csf_simulator.image.layout import FRAME, PIECE
from csf_simulator.image.writer import ImageWriter

PIECE_SECTORS = PIECE // SECTOR


def back_up(paths: list[Path], limit: int | None = None) -> list[bytes]:
    """Return the volumes of an image of databases."""
    sinks: list[MemorySink] = []

    def open_volume(_: int) -> MemorySink:
        sinks.append(MemorySink())
        return sinks[-1]

    sources = [FileSource(str(path)) for path in paths]
    writer = ImageWriter(IMAGE_ID, open_volume, limit)
    archive(sources, writer, lambda _: None, workers=2 if limit is None else 1)
    writer.close()
    assert all(sink.closed for sink in sinks)
    return [bytes(sink.written) for sink in sinks]


def contents(volumes: list[bytes], path: Path) -> bytes:
    """Return the contents of a database in an image."""
    stretches = read_volumes(volumes)[str(path)]
    return b"".join(
        bytes(what * SECTOR) if isinstance(what, int) else what
        for _, what in sorted(stretches.items())
    )


def test_databases_are_in_the_image_bit_for_bit(tmp_path: Path) -> None:
    """Every sector of every database is there, whatever the lengths."""
    paths = [
        make_database(tmp_path / f"{sectors}.db", sectors, {1: os.urandom((sectors - 1) * SECTOR)})
        for sectors in (1, 2, 511, 512, 513, 3000)
    ]
    volumes = back_up(paths)
    assert [contents(volumes, path) for path in paths] == [path.read_bytes() for path in paths]


def test_zeros_among_data_are_a_note(tmp_path: Path) -> None:
    """Zeros outside of holes, scattered or at the end, take no room in the image."""
    mixed = (os.urandom(PIECE) + bytes(3 * PIECE)) * 20 + os.urandom(SECTOR) + bytes(SECTOR * 3)
    path = make_database(
        tmp_path / "a.db", PIECE_SECTORS + len(mixed) // SECTOR, {PIECE_SECTORS: mixed}
    )
    volumes = back_up([path])
    assert contents(volumes, path) == path.read_bytes()
    assert len(volumes[0]) < 23 * PIECE


def test_frame_of_zeros_is_one_note(tmp_path: Path) -> None:
    """A written stretch of zeros is treated like a hole."""
    path = make_database(tmp_path / "a.db", 3 * FRAME // SECTOR, {1: bytes(3 * FRAME - SECTOR)})
    stretches = read_volumes(back_up([path]))[str(path)]
    data = [what for what in stretches.values() if not isinstance(what, int)]
    assert [len(what) for what in data] == [PIECE]
    assert len(stretches) <= 4


def test_what_a_buffer_held_before_is_not_taken_for_data(tmp_path: Path) -> None:
    """Zeros at the end of a database are found after a frame full of data."""
    data = os.urandom(FRAME - SECTOR)
    path = make_database(tmp_path / "a.db", FRAME // SECTOR + 3, {1: data + bytes(3 * SECTOR)})
    found = read_volumes(back_up([path], limit=10**9))[str(path)]
    assert found[FRAME // SECTOR] == 3


def test_huge_hole_is_several_notes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run longer than a record can count is cut."""
    monkeypatch.setattr(stretches, "RUN_LIMIT", 1000)
    path = make_database(tmp_path / "a.db", 5000)
    assert contents(back_up([path]), path) == path.read_bytes()


def test_volumes_are_as_many_as_in_the_manual(tmp_path: Path) -> None:
    """452 sectors in volumes of 80k are three volumes, as the manual's example shows."""
    path = make_database(tmp_path / "foo.db", 452, {1: os.urandom(451 * SECTOR)})
    volumes = back_up([path], limit=80 * 1024)
    assert contents(volumes, path) == path.read_bytes()
    assert len(volumes) == 3


@pytest.mark.parametrize("limit", range(16384, 16384 + SECTOR, 8))
def test_volumes_are_filled_and_never_exceeded(tmp_path: Path, limit: int) -> None:
    """Frames are cut to what fits: no volume but the last has room for another sector."""
    path = make_database(tmp_path / "a.db", 100, {1: os.urandom(99 * SECTOR)})
    volumes = back_up([path], limit)
    assert contents(volumes, path) == path.read_bytes()
    assert max(map(len, volumes)) <= limit
    for volume in volumes[:-1]:
        assert len(volume) + SECTOR > limit


def test_each_database_is_announced_in_order(tmp_path: Path) -> None:
    """What osbackup prints follows the order of its arguments."""
    paths = [make_database(tmp_path / f"{number}.db") for number in range(20)]
    begun: list[str] = []

    def begin(source: Source) -> None:
        begun.append(source.path)

    sources = [FileSource(str(path)) for path in paths]
    writer = ImageWriter(IMAGE_ID, lambda _: MemorySink())
    archive(sources, writer, begin)
    assert begun == [str(path) for path in paths]


def test_failing_source_leaves_the_image_without_an_end(tmp_path: Path) -> None:
    """A backup that failed can never be restored from."""
    path = make_database(tmp_path / "a.db")
    sink = MemorySink()
    sources = [FileSource(str(path))]
    path.unlink()
    with pytest.raises(FileNotFoundError):
        archive(sources, ImageWriter(IMAGE_ID, lambda _: sink), lambda _: None)
    assert b"DONE" not in sink.written
