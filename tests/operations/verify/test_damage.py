"""Random damage to an image, its import file or its receipt is always found."""

from __future__ import annotations

import contextlib
import itertools
import os
import random
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from scale import scaled

from csf_backup_plugin.errors import FaultFound
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.operations.drill import drill
from csf_backup_plugin.operations.drill.request import DrillRequest
from csf_backup_plugin.operations.verify import verify
from doubles import Memory

if TYPE_CHECKING:
    from collections.abc import Callable

    from sites import Site

    Files = dict[str, bytes]
    Damage = Callable[[Files, str, random.Random], None]

SUFFIXES = ("", ".dbn", ".receipt.json")


def flip(files: Files, name: str, dice: random.Random) -> None:
    """Flip one bit."""
    data = bytearray(files[name])
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    files[name] = bytes(data)


def truncate(files: Files, name: str, dice: random.Random) -> None:
    """Cut off the end."""
    files[name] = files[name][: dice.randrange(len(files[name]))]


def extend(files: Files, name: str, dice: random.Random) -> None:
    """Append some bytes."""
    files[name] += dice.randbytes(dice.randrange(1, 600))


def blank(files: Files, name: str, dice: random.Random) -> None:
    """Replace a stretch by zeros, as a failing disk may do."""
    data = files[name]
    start = dice.randrange(len(data))
    end = min(len(data), start + 512)
    files[name] = data[:start] + bytes(end - start) + data[end:]


def remove(files: Files, name: str, _dice: random.Random) -> None:
    """Remove the file."""
    del files[name]


def swap(files: Files, name: str, _dice: random.Random) -> None:
    """Exchange it with the other image's file."""
    other = name.replace("a.img", "b.img")
    files[name], files[other] = files[other], files[name]


def edit(files: Files, name: str, dice: random.Random) -> None:
    """Remove, double, change or reorder lines."""
    lines = files[name].splitlines(keepends=True)
    at = dice.randrange(len(lines))
    change = dice.choice((0, 1, 2, 3))
    if change == 3:
        lines.reverse()
    else:
        lines[at : at + 1] = [[], [lines[at]] * 2, [b"/x" + lines[at]]][change]
    files[name] = b"".join(lines)


DAMAGES: list[Damage] = [flip, truncate, extend, blank, remove, swap, edit]
KINDS = list(itertools.product(DAMAGES, SUFFIXES))


def missed(image: ImagePath, scratch: Path) -> list[str]:
    """Return which of the two commands do not find the damage."""
    names = []
    for name, command in (
        ("verify", lambda: verify(image, None, LocalHost(), Memory())),
        ("drill", lambda: drill(DrillRequest(image, str(scratch)), LocalHost(), Memory())),
    ):
        with contextlib.suppress(FaultFound):
            command()
            names.append(name)
        assert not list(scratch.iterdir())
    return names


def test_no_damage_is_missed(
    local_site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each kind of damage is done to each file; the images of a repository differ by a class."""
    for name, value in local_site.sim.home.environment(os.environ).items():
        monkeypatch.setenv(name, value)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    for name in ("a.img", "b.img"):
        local_site.image = str(local_site.images / name)
        assert local_site.backup().exit_code == 0
        local_site.sim.csf("class_create", "-database", local_site.master, "-class", "More")
    image = ImagePath("localhost", str(local_site.images / "a.img"))
    sound = {path.name: path.read_bytes() for path in local_site.images.iterdir()}
    assert missed(image, scratch) == ["verify", "drill"]
    os.unlink(image.drill)
    dice, count, found = random.Random(6), 0, []
    while count < scaled(40):
        damage, suffix = KINDS[count % len(KINDS)]
        files = dict(sound)
        damage(files, "a.img" + suffix, dice)
        if files == sound:
            continue  # a line was moved to its old place: no damage
        for path in local_site.images.iterdir():
            path.unlink()
        for name, data in files.items():
            (local_site.images / name).write_bytes(data)
        count += 1
        found += [(command, damage, suffix) for command in missed(image, scratch)]
    print(f"{count} cases, {len(found)} missed")
    assert found == []
