"""The text of a recovery card has all that is needed, in a form that any screen shows."""

from __future__ import annotations

import os
import shlex
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from receipts import made

from csf_backup_plugin.hosts.protocol.values import Machine
from csf_backup_plugin.image.catalog import ImageSet
from csf_backup_plugin.image.check_record import Check
from csf_backup_plugin.image.last_checks import LastChecks
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.names import command, has_control_character, shown
from csf_backup_plugin.operations.recovery_card.sections import by_section
from csf_backup_plugin.operations.recovery_card.text import MARK, card

NOW = "2026-11-28T12:00:00+00:00"
SOUND = Check(is_sound=True, at=NOW, seconds=12.34)
BAD = Check(is_sound=False, at=NOW)
UNCHECKED = LastChecks(None, None)

# As `ImagePath.parse` and `Repository` take them: bytes but NUL, slash, and control characters.
NAMES = (
    st.binary(min_size=1, max_size=20)
    .map(os.fsdecode)
    .filter(lambda name: "/" not in name and name not in (".", ".."))
    .filter(lambda name: not has_control_character(name))
)


def written(
    number: int | None = 7,
    checks: LastChecks = UNCHECKED,
    unusable: tuple[str, ...] = (),
    **others: Any,
) -> list[str]:
    """Return the lines of the card of a directory with one set."""
    path = others.pop("path", "/b/a.img")
    others.setdefault("sha256", "5" * 64)
    one = ImageSet(ImagePath("db1", path), made(path, number, **others), 0.0)
    data = card("/b", Machine("a" * 32, "db1", NOW), by_section([one], [checks]), unusable)
    assert data.startswith(MARK)
    return data.decode().split("\n")


def commands(lines: list[str]) -> list[list[str]]:
    """Return the words of each command on a card."""
    typed = [line.removeprefix("    ") for line in lines if line.startswith("    ")]
    return [shlex.split(line) for line in typed if not line.startswith(" ")]


def test_all_facts_of_the_advised_set_are_on_it() -> None:
    """It has the time from which on work is lost: an age would be wrong when the card is read."""
    databases = {"/r/lib.db": 2000, "/r/Book.db": 512}
    lines = written(databases=databases, size=3000)
    for line in (
        *("  Directory:  /b", "  Machine:    db1", "Master database /r/lib.db"),
        *("  on the machine db1", f"  repository     {'1' * 32}"),
        *("Newest proven set: backup 7", "  image      /b/a.img"),
        "  begun      2026-11-25T02:10:00+00:00",
        "  size       3,000 bytes",
        "  databases  2, 2,512 bytes; by name, one a line, in:",
        *("             /b/a.img.dbn", "  verified   not on record", "  drilled    not on record"),
        f"  SHA-256    {'5' * 64}",
        "With it, all work since 2026-11-25T02:10:00+00:00 is lost: that is when this",
        "There is no older set in this directory.",
    ):
        assert line in lines
    assert any(line.startswith(f"  Written:    {NOW}, by version ") for line in lines)


def test_the_commands_are_reported_in_the_order_in_which_they_are_typed() -> None:
    """Each directory of databases is named, unless it is inside another one."""
    databases = {"/r/lib.db": 1, "/r/sub/x.db": 1, "/o r/y.db": 1}
    image = "/b/it's.img"
    assert commands(written(path=image, databases=databases)) == [
        ["sha256sum", "<", image],
        ["mkdir", "-p", "--", "/o r", "/r", "/r/sub"],
        [
            *("csf", "admin_database_restore", "-database", "/r/lib.db"),
            *("-image-file", f"localhost:{image}"),
        ],
        ["osrestore", "-t", "-f", image],
        ["osrestore", "-f", image],
        ["osrestore", "-f", image, "/o r", "TARGET", "/r", "TARGET"],
        [
            *("rm", "-f", "--", "/r/lib.db.unfinished-restore", "&&"),
            *("csf", "admin_database_manifest", "-database", "/r/lib.db", "-host", "localhost"),
            *("-rebuild", "-image-file", f"localhost:{image}"),
        ],
    ]


def test_an_image_without_a_checksum_is_not_compared() -> None:
    """No placeholder is printed for missing databases or an unknown machine either."""
    lines = written(sha256=None, databases={}, machine="", id=None, number=None)
    assert "  SHA-256    none was taken" in lines
    assert commands(lines)[0] == ["mkdir", "-p", "--", "/r"]
    assert "  on the machine unknown" in lines
    assert "  repository     without an id" in lines
    assert "Newest proven set: a backup without a number" in lines


def test_mount_points_are_reported_but_for_the_roots() -> None:
    """If a disk is not mounted, its empty directory is the wrong target."""
    mounts = {"/r": "/r", "/o": "/", "/b": "/b"}
    lines = written(databases={"/r/lib.db": 1, "/o/x.db": 1, "/p/y.db": 1}, mounts=mounts)
    assert [line for line in lines if "mounted at" in line] == ["  on a disk  mounted at /r"]


def test_checks_are_reported_as_they_ended() -> None:
    """The duration of the last good drill is shown, too."""
    lines = written(checks=LastChecks(SOUND, BAD), size=3000)
    assert f"  drilled    sound, {NOW}" in lines
    assert f"  verified   AT FAULT, {NOW}" in lines
    text = " ".join(lines)
    assert f"The last good drill, of backup 7, ended {NOW}: osrestore took 12.3 s for" in text
    hours = SOUND._replace(seconds=9000.0)
    assert "took 150 min for" in " ".join(written(None, LastChecks(hours, None), id=None))
    unknown = SOUND._replace(seconds=None)
    assert f"of backup 7, ended {NOW}." in " ".join(written(checks=LastChecks(unknown, None)))
    assert "no good drill is on record here." in " ".join(written())


def test_older_and_faulty_sets_are_one_line_each() -> None:
    """The line has all that is needed to restore one of them instead."""
    sets = [
        ImageSet(ImagePath("db1", f"/b/{number}.img"), made(f"/b/{number}.img", number), 0.0)
        for number in (1, 2, 3)
    ]
    bad = LastChecks(BAD, None)
    sections = by_section(sets, [bad, UNCHECKED, bad])
    lines = card("/b", Machine("", "db1", NOW), sections, ()).decode().split("\n")
    assert "! backup 3 is newer, and was found at fault: /b/3.img" in lines
    began = "begun 2026-11-25T02:10:00+00:00"
    assert f"  backup 1, {began}, found AT FAULT: /b/1.img" in lines
    assert all(len(line) <= 80 or "/" in line for line in lines)


def test_receipts_that_cannot_be_used_are_named_at_the_end() -> None:
    """Their images may be newer."""
    lines = written(unusable=("db1:/b/x.img has a receipt that is damaged",))
    assert lines[-2:] == ["  db1:/b/x.img has a receipt that is damaged", ""]


@given(NAMES, NAMES)
def test_names_of_any_bytes_are_shown_and_typed_as_everywhere(name: str, directory: str) -> None:
    """The text is UTF-8 without control characters; only lines with a path or command are long."""
    master, image = f"/{directory}/lib.db", f"/b/{name}.img"
    lines = written(path=image, master=master, databases={master: 1})
    assert f"  image      {shown(image)}" in lines
    assert f"    {command('osrestore', '-f', image)}" in lines
    assert not any(has_control_character(line) for line in lines)
    assert all(len(line) <= 80 or "/" in line for line in lines)
