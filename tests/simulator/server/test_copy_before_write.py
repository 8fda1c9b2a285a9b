"""Copy before write: data read while transactions go on is from one instant between two."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from random import Random
from typing import NamedTuple

import pytest
from interleaving import Interleaving
from scale import scaled

from csf_simulator.database.building import build
from csf_simulator.database.file_source import FileSource
from csf_simulator.database.header import Header
from csf_simulator.database.sectors import SECTOR
from csf_simulator.database.sources import Source
from csf_simulator.repository import repository
from csf_simulator.repository.accounts import ACCOUNTS, OPENING_BALANCE, decode_balance
from csf_simulator.server.server import Server
from csf_simulator.workload.transfer import transfer

CLASSES = 2
MONEY = CLASSES * ACCOUNTS * OPENING_BALANCE
TRANSACTIONS = 3  # of two kinds each, in one schedule
PER_PLACE = 50  # schedules until the databases, which grow, are replaced by new ones
FRAME = 4  # sectors at most that are read at once
PAYLOAD = 32  # bytes from the beginning of a sector


class Place:
    """A repository, and beside it a database that is mostly a hole.

    Args:
        directory: Where to make them, and the home they belong to.
    """

    def __init__(self, directory: str) -> None:
        self.server = Server(os.path.join(directory, "server"))
        self.server.create()
        self._master = os.path.join(directory, "zoo.db")
        repository.create(self.server, self._master, classes=CLASSES)
        self._sparse = os.path.join(directory, "sparse")
        build(self._sparse, Header(bytes(16), 40, "schema"))
        classes = [os.path.join(directory, f"Class{number + 1}.db") for number in range(CLASSES)]
        self.paths = [*classes, self._master, self._sparse]

    def contents(self) -> list[bytes]:
        """Return what is in each database."""
        contents = []
        for path in self.paths:
            with open(path, "rb") as file:
                contents.append(file.read())
        return contents

    def change(self, random: Random) -> None:
        """Move money; write into holes and beyond the end."""
        for _ in range(TRANSACTIONS):
            transfer(self.server, self._master, random, durable=False)
            with self.server.transaction(durable=False) as tx:
                number = random.randrange(1, tx.header(self._sparse).sectors + 2)
                tx.write(self._sparse, number, random.randbytes(8))


class Outcome(NamedTuple):
    """How many copies were made, were of one instant, and had at least the right sum."""

    copies: int = 0
    true: int = 0
    balanced: int = 0


def copy(source: Source, into: bytearray, random: Random) -> None:
    """Copy what is not a hole, a few sectors at a time and in any order."""
    frames = [
        (start, min(start + FRAME, first + count))
        for first, count in source.extents()
        for start in range(first, first + count, FRAME)
    ]
    random.shuffle(frames)
    for start, end in frames:
        source.read(start, memoryview(into)[start * SECTOR : end * SECTOR])


def copy_all(sources: Sequence[Source], place: Place, seed: int) -> list[bytes]:
    """Copy databases with two workers while transactions change them."""
    interleaving, random = Interleaving(seed), Random(seed)
    copies = [bytearray(source.sectors * SECTOR) for source in sources]

    def work(worker: int) -> None:
        for number in range(worker, len(sources), 2):
            copy(sources[number], copies[number], random)

    with pytest.MonkeyPatch.context() as patch:
        interleaving.patch(patch)
        interleaving.run(partial(work, 0), partial(work, 1), partial(place.change, random))
    return [bytes(each) for each in copies]


def money(contents: Sequence[bytes]) -> int:
    """Return the sum of the accounts in the class databases."""
    return sum(
        decode_balance(content[number * SECTOR + PAYLOAD :])
        for content in contents[:CLASSES]
        for number in range(1, ACCOUNTS + 1)
    )


def outcome(directory: str, schedules: int, *, snapshot: bool) -> Outcome:
    """Copy repeatedly, and count the correct copies."""
    copies = true = balanced = 0
    for seed in range(schedules):
        if seed % PER_PLACE == 0:
            place = Place(os.path.join(directory, str(seed)))
        before = place.contents()
        if snapshot:
            with place.server.snapshot(place.paths) as sources:
                copied = copy_all(sources, place, seed)
        else:
            copied = copy_all([FileSource(path) for path in place.paths], place, seed)
        copies += 1
        true += copied == before
        balanced += money(copied) == MONEY
        assert place.contents() != before
    return Outcome(copies, true, balanced)


def test_a_copy_of_a_snapshot_is_of_one_instant(tmp_path: os.PathLike[str]) -> None:
    """In any order of events, every sector is as it was at the beginning."""
    schedules = scaled(500)
    found = outcome(os.fspath(tmp_path), schedules, snapshot=True)
    assert found == Outcome(schedules, schedules, schedules)


def test_a_copy_without_snapshot_is_of_no_instant(tmp_path: os.PathLike[str]) -> None:
    """The same schedules give wrong plain copies, so the test above can fail."""
    schedules = 100
    found = outcome(os.fspath(tmp_path), schedules, snapshot=False)
    assert found.true < schedules // 2
    assert found.balanced < schedules * 3 // 4
