"""A large image that is damaged at random: osrestore refuses it, and restores nothing."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from imaging import make_database
from scale import scaled

from csf_simulator.database.sectors import SECTOR
from csf_simulator.image.layout import FRAME
from csf_simulator.utilities import osbackup, osrestore

BLOCK = 4096  # bytes that a file system may lose or exchange at once


def flip(image: bytearray, dice: random.Random) -> None:
    """Flip a bit."""
    image[dice.randrange(len(image))] ^= 1 << dice.randrange(8)


def overwrite(image: bytearray, dice: random.Random) -> None:
    """Write random bytes over a stretch."""
    at, length = dice.randrange(len(image)), dice.randint(1, 100_000)
    image[at : at + length] = dice.randbytes(len(image[at : at + length]))


def blank(image: bytearray, dice: random.Random) -> None:
    """Write zeros over some blocks, like a failing disk."""
    at, length = dice.randrange(len(image)) // BLOCK * BLOCK, BLOCK * dice.randint(1, 100)
    image[at : at + length] = bytes(len(image[at : at + length]))


def cut_out(image: bytearray, dice: random.Random) -> None:
    """Remove a stretch."""
    at = dice.randrange(len(image))
    del image[at : at + dice.randint(1, 100_000)]


def insert(image: bytearray, dice: random.Random) -> None:
    """Insert random bytes."""
    at = dice.randrange(len(image))
    image[at:at] = dice.randbytes(dice.randint(1, 10_000))


def swap(image: bytearray, dice: random.Random) -> None:
    """Exchange two blocks."""
    blocks = len(image) // BLOCK
    first, second = (BLOCK * block for block in dice.sample(range(blocks), 2))
    image[first : first + BLOCK], image[second : second + BLOCK] = (
        image[second : second + BLOCK],
        image[first : first + BLOCK],
    )


def truncate(image: bytearray, dice: random.Random) -> None:
    """Remove the end."""
    del image[dice.randrange(len(image)) :]


def repeat(image: bytearray, dice: random.Random) -> None:
    """Append the end again."""
    image += image[dice.randrange(len(image)) :]


KINDS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    *(flip, overwrite, blank, cut_out, insert, swap, truncate, repeat),
)


@pytest.mark.usefixtures("workplace")
def test_no_damage_of_a_large_image_is_missed(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """Each kind of damage is found, and the undamaged image is restored."""
    directory, target, path = tmp_path / "databases", tmp_path / "target", tmp_path / "image"
    directory.mkdir()
    target.mkdir()
    make_database(directory / "a.db", 9 * FRAME // SECTOR, {8: os.urandom(FRAME + 12_345 * SECTOR)})
    make_database(directory / "b.db", 5000, dict.fromkeys(range(9, 5000, 9), b"b" * SECTOR))
    make_database(directory / "c.db", 3)
    assert osbackup.run(["-a", "-f", str(path), str(directory)]) == 0
    whole = path.read_bytes()
    assert len(whole) > 6 * FRAME
    counts: Counter[str] = Counter()
    for number in range(scaled(40)):
        kind, image = KINDS[number % len(KINDS)], bytearray(whole)
        kind(image, random.Random(number))
        if image == whole:  # zeros over zeros
            continue
        path.write_bytes(image)
        assert osrestore.run(["-a", "-f", str(path), str(directory), str(target)]) == 1, number
        assert os.listdir(target) == [], number
        counts[kind.__name__] += 1
    assert len(counts) == len(KINDS)
    path.write_bytes(whole)
    assert osrestore.run(["-a", "-f", str(path), str(directory), str(target)]) == 0
    assert (target / "a.db").read_bytes() == (directory / "a.db").read_bytes()
    assert capfd.readouterr().err.count("<err-") >= sum(counts.values())
    print(dict(counts))
