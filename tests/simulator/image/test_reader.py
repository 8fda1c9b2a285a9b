"""Reading images, sound ones and all others."""

from __future__ import annotations

import random
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from imaging import IMAGE_ID, MemorySink, MemoryVolume, Stretch, make_volumes, read_volumes, split

from csf_simulator.database.sectors import SECTOR
from csf_simulator.image import layout
from csf_simulator.image.base import Base
from csf_simulator.image.catalog import Database, pack_database
from csf_simulator.image.layout import ImageError, Record, pack_record
from csf_simulator.image.reader import ImageReader, verify
from csf_simulator.image.scanner import Scanner
from csf_simulator.image.writer import ImageWriter

A, B = (Database(bytes([number]) * 16, 4, f"/{number}.db") for number in (1, 2))
STRETCHES: list[Stretch] = [
    (1, 2, b"b" * SECTOR * 2),  # out of order, as a snapshot's sectors come
    (0, 0, b"a" * SECTOR),
    (0, 1, 3),
    (1, 0, 2),
]
Records = list[tuple[Record, bytes]]
SMALL = make_volumes([A, B], STRETCHES)[0]


def rebuild(volume: bytes, change: Callable[[Records], Records | None]) -> bytes:
    """Return an image with its records changed, and every checksum right."""
    header, records = split(volume)
    changed = change(records)
    parts = [header]
    for record, payload in records if changed is None else changed:
        sealed = record._replace(length=len(payload), checksum=zlib.crc32(payload))
        parts += [pack_record(sealed), payload]
    return b"".join(parts)


def renumber(records: Records) -> Records:
    """Number the records again, as a faulty writer might do."""
    return [(record._replace(sequence=at), data) for at, (record, data) in enumerate(records)]


def test_image_comes_back() -> None:
    """Databases and their sectors are read as they were written, in any order."""
    assert read_volumes([SMALL]) == {
        "/1.db": {0: b"a" * SECTOR, 1: 3},
        "/2.db": {2: b"b" * SECTOR * 2, 0: 2},
    }


@given(st.data())
def test_any_order_of_records_comes_back(data: st.DataObject) -> None:
    """Sectors may be written in any order, cut anywhere."""
    cuts = data.draw(st.lists(st.integers(1, 5), min_size=1, max_size=8))
    stretches: list[Stretch] = []
    for number, sectors in enumerate(cuts):
        is_zero = data.draw(st.booleans())
        contents = bytes([number + 1]) * SECTOR * sectors
        stretches.append((0, sum(cuts[:number]), sectors if is_zero else contents))
    shuffled = data.draw(st.permutations(stretches))
    database = Database(bytes(16), sum(cuts), "/x")
    expected = {first: contents for _, first, contents in stretches}
    assert read_volumes(make_volumes([database], shuffled)) == {"/x": expected}


def test_every_truncation_is_found() -> None:
    """An image that is cut anywhere is refused: the last byte counts, too."""
    for length in range(len(SMALL)):
        with pytest.raises(ImageError):
            read_volumes([SMALL[:length]])


def test_every_flipped_bit_is_found() -> None:
    """Every bit of an image is checked."""
    for bit in range(len(SMALL) * 8):
        flipped = bytearray(SMALL)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ImageError):
            read_volumes([bytes(flipped)])


def test_every_lost_repeated_or_moved_record_is_found() -> None:
    """Each record must be once at its place, even where the order has no meaning."""
    _, records = split(SMALL)
    for at in range(len(records)):
        for change in (
            lambda found, at=at: found[:at] + found[at + 1 :],
            lambda found, at=at: found[: at + 1] + found[at:],
            lambda found, at=at: (
                found[:at] + found[at + 1 : at + 2] + found[at : at + 1] + found[at + 2 :]
            ),
        ):
            changed = rebuild(SMALL, change)
            if changed != SMALL:
                with pytest.raises(ImageError):
                    read_volumes([changed])


def test_record_of_another_image_is_found() -> None:
    """Every record says which image it belongs to."""
    for at in range(len(split(SMALL)[1])):

        def adopt(records: Records, at: int = at) -> None:
            records[at] = (records[at][0]._replace(image_id=b"stranger"), records[at][1])

        with pytest.raises(ImageError, match="another image"):
            read_volumes([rebuild(SMALL, adopt)])


@pytest.mark.parametrize("tail", [b"x", b"\0" * 512, SMALL], ids=["byte", "zeros", "image"])
def test_anything_after_the_end_is_found(tail: bytes) -> None:
    """Anything appended to an image is found."""
    with pytest.raises(ImageError, match="follows the end"):
        read_volumes([SMALL + tail])


def test_record_that_may_be_skipped_is_skipped() -> None:
    """A later version can add notes that this one need not understand."""
    changed = rebuild(
        SMALL,
        lambda found: renumber(
            [*found[:4], (found[0][0]._replace(kind=b"hint"), b"!"), *found[4:]]
        ),
    )
    assert read_volumes([changed]) == read_volumes([SMALL])


def test_skipped_record_is_checked_all_the_same() -> None:
    """Damage counts even there."""
    position = SMALL.index(b"for people")
    with pytest.raises(ImageError, match="data in the image is damaged"):
        read_volumes([SMALL[:position] + b"F" + SMALL[position + 1 :]])


def first(of: bytes, payload: bytes | None = None, **fields: Any) -> Callable[[Records], Records]:
    """Return a change of the first record of a kind."""

    def change(records: Records) -> Records:
        at = [record.kind for record, _ in records].index(of)
        record, contents = records[at]
        records[at] = (record._replace(**fields), contents if payload is None else payload)
        return records

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (first(layout.INFO, kind=b"INFO"), "unknown kind b'INFO'"),
        (first(layout.DATABASE, database=1), "out of place"),
        (
            first(layout.DATABASE, pack_database(A._replace(sectors=5))),
            "other databases",
        ),
        (first(layout.DATA, database=2), "not in the image"),
        (first(layout.DATA, first=3), "beyond the end"),
        (first(layout.DATA, first=2**64 - 1), "beyond the end"),
        (first(layout.ZERO, sectors=0), "twice"),
        (first(layout.ZERO, sectors=2), "exactly once"),
        (first(layout.ZERO, first=0), "twice"),
        (first(layout.DONE, database=1), "other databases"),
        (first(layout.DONE, first=9), "other databases"),
        (lambda found: renumber([*found[:3], *found[4:]]), "exactly once"),
        (lambda found: renumber([*found[:2], found[3], found[2], *found[4:]]), "not in the image"),
        (lambda found: renumber([*found[:4], found[2], *found[4:]]), "out of place"),
        (lambda found: renumber([found[0], found[-1]]), "other databases"),
    ],
)
def test_contradiction_is_found(change: Callable[[Records], Records], message: str) -> None:
    """An image with correct checksums must also be consistent."""
    with pytest.raises(ImageError, match=message):
        read_volumes([rebuild(SMALL, change)])


BASE = Base(2, 1, b"earlier.", 3, b"d" * 16)


def incremental() -> bytes:
    """Return an image of two databases that are built upon others, of 3 sectors each."""
    sink = MemorySink()
    writer = ImageWriter(IMAGE_ID, lambda _: sink)
    for number, database in enumerate([A, B]):
        writer.database(database)
        writer.base(number, BASE)
    writer.data(0, 3, memoryview(b"a" * SECTOR))
    writer.same(0, 0, 3)
    writer.same(1, 1, 2)
    writer.zero(1, 3, 1)
    writer.data(1, 0, memoryview(b"b" * SECTOR))
    writer.finish()
    return bytes(sink.written)


INCREMENTAL = incremental()


def test_incremental_image_comes_back() -> None:
    """What databases are built upon is known before the first sector is read."""
    reader = ImageReader(Scanner(lambda _: MemoryVolume(INCREMENTAL)))
    assert reader.bases == {0: BASE, 1: BASE}
    verify(reader)
    assert read_volumes([INCREMENTAL])["/1.db"] == {3: b"a" * SECTOR, 0: 3}
    assert ImageReader(Scanner(lambda _: MemoryVolume(SMALL))).bases == {}


def test_every_damage_of_an_incremental_image_is_found() -> None:
    """Its length and every bit are checked."""
    for length in range(len(INCREMENTAL)):
        with pytest.raises(ImageError):
            read_volumes([INCREMENTAL[:length]])
    for bit in range(len(INCREMENTAL) * 8):
        flipped = bytearray(INCREMENTAL)
        flipped[bit // 8] ^= 1 << bit % 8
        with pytest.raises(ImageError):
            read_volumes([bytes(flipped)])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (first(layout.OVER, b""), "impossible length"),
        (first(layout.OVER, database=1), "base of the image is out of place"),
        (lambda found: renumber([found[1], *found]), "base of the image is out of place"),
        (lambda found: renumber([*found[:2], *found[1:]]), "base of the image is out of place"),
        (lambda found: renumber([*found[:5], found[3], *found[5:]]), "base of the image"),
        (lambda found: renumber([found[0], *found[2:]]), "did not have them"),
        (first(layout.SAME, sectors=4), "did not have them|beyond the end"),
        (first(layout.SAME, b"x"), "payload it cannot have"),
        (first(layout.SAME, first=3, sectors=1), "did not have them"),
        (first(layout.SAME, sectors=2), "exactly once"),
    ],
)
def test_contradiction_of_an_incremental_image_is_found(
    change: Callable[[Records], Records], message: str
) -> None:
    """Sectors that are left out must exist in the earlier backup, and be counted."""
    with pytest.raises(ImageError, match=message):
        read_volumes([rebuild(INCREMENTAL, change)])


def test_unchanged_sectors_fit_into_a_frame() -> None:
    """A reader copies those of a record at once."""
    sink = MemorySink()
    writer = ImageWriter(IMAGE_ID, lambda _: sink)
    writer.database(A._replace(sectors=9999))
    writer.base(0, BASE._replace(sectors=9999))
    writer.same(0, 0, layout.FRAME // SECTOR + 1)
    with pytest.raises(ImageError, match="too many unchanged"):
        ImageReader(Scanner(lambda _: MemoryVolume(bytes(sink.written))))


def test_image_of_nothing_is_no_image() -> None:
    """An image without a single database is refused."""
    with pytest.raises(ImageError, match="exactly once"):
        read_volumes(make_volumes([], []))


def test_verification_takes_the_whole_image() -> None:
    """Verifying finds damage in the last sector, and none in a sound image."""
    verify(ImageReader(Scanner(lambda _: MemoryVolume(SMALL))))
    position = SMALL.rindex(b"a" * SECTOR)
    damaged = SMALL[:position] + b"A" + SMALL[position + 1 :]
    with pytest.raises(ImageError, match="data in the image is damaged"):
        verify(ImageReader(Scanner(lambda _: MemoryVolume(damaged))))


def test_random_damage_ends_in_an_image_error() -> None:
    """Any fault gives an ImageError."""
    chance = random.Random(7)
    for _ in range(500):
        damaged = bytearray(SMALL)
        start = chance.randrange(len(damaged))
        damaged[start : start + chance.randrange(1, 200)] = chance.randbytes(chance.randrange(200))
        if damaged != SMALL:
            with pytest.raises(ImageError):
                read_volumes([bytes(damaged)])


LIMIT = 1500
VOLUMES = make_volumes([A, B], STRETCHES, LIMIT)


def test_volumes_are_read_as_one_image() -> None:
    """An image may be spread over volumes, none larger than its limit."""
    assert len(VOLUMES) == 2
    assert max(map(len, VOLUMES)) <= LIMIT
    assert read_volumes(VOLUMES) == read_volumes([SMALL])


def test_volumes_in_the_wrong_order_are_found() -> None:
    """Each volume has its place."""
    with pytest.raises(ImageError, match="not volume 1"):
        read_volumes(VOLUMES[::-1])
    with pytest.raises(ImageError, match="not volume 2"):
        read_volumes([VOLUMES[0], VOLUMES[0]])


def test_volume_of_another_image_is_found() -> None:
    """A volume of the right number, but of another day, is not taken."""
    other = VOLUMES[1].replace(IMAGE_ID, b"stranger")
    header = layout.pack_volume(layout.Volume(2, b"stranger"))
    with pytest.raises(ImageError, match="not volume 2"):
        read_volumes([VOLUMES[0], header + other[len(header) :]])


def test_anything_after_the_end_of_a_volume_is_found() -> None:
    """Every volume ends where it says it ends."""
    with pytest.raises(ImageError, match="follows the end"):
        read_volumes([VOLUMES[0] + b"x", VOLUMES[1]])


def test_every_truncation_of_a_volume_is_found() -> None:
    """Each volume must be whole."""
    for number, volume in enumerate(VOLUMES):
        for length in range(0, len(volume), 7):
            cut = [*VOLUMES[:number], volume[:length], *VOLUMES[number + 1 :]]
            with pytest.raises(ImageError):
                read_volumes(cut)


def test_volumes_are_let_go_of() -> None:
    """A volume that is no longer needed is retired, and all are closed at the end."""
    opened: list[MemoryVolume] = []

    def open_volume(number: int) -> MemoryVolume:
        opened.append(MemoryVolume(VOLUMES[number - 1]))
        return opened[-1]

    scanner = Scanner(open_volume)
    verify(ImageReader(scanner))
    assert [volume.closed for volume in opened] == [True, False]
    scanner.close()
    assert [volume.closed for volume in opened] == [True, True]
