"""The manifest's lines: what is written is read back, and damage is found."""

from __future__ import annotations

import os
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csf_backup_plugin.hosts.common import CUT_SHORT
from csf_backup_plugin.names import has_control_character
from csf_backup_plugin.repository.identity import Identity
from csf_backup_plugin.repository.manifest import (
    HEADER,
    CorruptManifest,
    Manifest,
    backup_line,
    decode,
    dropped_lines,
    encode,
    identity_line,
    salvage,
)
from csf_backup_plugin.repository.manifest_lines import encode_lines

# A database is recorded by its name in the directory, or by its absolute path; a name with a
# control character is never recorded.
_TEXT = st.binary(min_size=1, max_size=20).map(os.fsdecode)
_NAME = _TEXT.filter(lambda name: not has_control_character(name))
NAME = st.one_of(_NAME.filter(lambda name: "/" not in name), _NAME.map(lambda name: f"/{name}"))
NAMES = st.lists(NAME, unique=True, max_size=5)
IDENTITY = Identity("0123456789abcdef" * 2, "f" * 32, "db1", "/r/\udcff lib.db")


@given(NAMES, NAMES)
def test_what_is_encoded_and_appended_is_decoded_once_each_in_order(
    first: list[str], appended: list[str]
) -> None:
    """A name that is recorded twice counts once."""
    data = encode(first) + encode_lines(appended)
    assert decode(data) == Manifest(tuple(dict.fromkeys(first + appended)))


@given(NAMES.filter(bool), st.data())
def test_of_a_torn_append_what_has_its_checksum_counts(
    names: list[str], data: st.DataObject
) -> None:
    """Wherever it is cut, all lines count that lack at most their newline."""
    whole = encode(names)
    cut = data.draw(st.integers(len(HEADER) + 1, len(whole)))
    found = decode(whole[:cut])
    ends = [len(encode(names[:count])) - 1 for count in range(len(names) + 1)]
    assert found.names == tuple(names[: sum(end <= cut for end in ends[1:])])
    assert bool(found.cut_short) == (cut not in ends and whole[cut - 1 : cut] != b"\n")


@given(NAMES.filter(bool), NAMES, st.data())
def test_an_append_behind_a_torn_one_hides_nothing(
    names: list[str], more: list[str], data: st.DataObject
) -> None:
    """The torn line is still reported, and the appended ones count."""
    whole = encode(names)
    cut = data.draw(st.integers(len(HEADER) + 1, len(whole)))
    torn = whole[:cut]
    before = decode(torn)
    ended = torn if torn.endswith(b"\n") else torn + CUT_SHORT + b"\n"
    after = decode(ended + encode_lines(more))
    assert after.names == tuple(dict.fromkeys([*before.names, *more]))
    assert after.cut_short == before.cut_short


def test_a_name_may_end_as_a_torn_line_does() -> None:
    """Its checksum shows that it is complete."""
    name = f"a.db{CUT_SHORT.decode()}"
    assert decode(encode([name])) == Manifest((name,))


@pytest.mark.parametrize("line", [backup_line(7, "/b/x"), identity_line(IDENTITY)])
def test_a_torn_line_that_names_no_database_is_not_told(line: bytes) -> None:
    """No database was lost with it."""
    assert decode(encode(["a.db"]) + line[:-3]) == Manifest(("a.db",))


def test_later_records_override_earlier_ones() -> None:
    """A database may be dropped and added again, and an id may change."""
    data = encode(["a.db", "b.db", "/else/c.db"], Identity("1" * 32, "", "", "/q/lib.db"))
    data += (
        dropped_lines(["a.db", "/else/c.db"]) + backup_line(1, "/b/x y") + backup_line(2, "/b/z")
    )
    data += backup_line(3, "/b/x y") + encode_lines(["/else/c.db"]) + identity_line(IDENTITY)
    found = decode(data)
    assert found == Manifest(("b.db", "/else/c.db"), ("a.db",), IDENTITY, {"/b/x y": 3, "/b/z": 2})
    assert found.number == 3


def test_a_new_manifest_keeps_all_numbers() -> None:
    """Older images may still be proven, and for some backups only the number is known."""
    found = decode(encode(["a.db"], IDENTITY, {"/b/x": 3, "/b/y": 12}, ["b.db"], 17))
    assert found == Manifest(("a.db",), ("b.db",), IDENTITY, {"/b/x": 3, "/b/y": 12}, 17)
    assert found.number == 17
    assert decode(encode([], None, {"/b/x": 3})).number == 3
    assert decode(encode([])).number == 0


@pytest.mark.parametrize(
    "record",
    [
        "backup/x /b",
        "number/x",
        "repository/7",
        r'repository/{"id": "", "machine_id": "", "machine": "", "master": "\u0000"}',
        "repository/{}",
        "repository/{",
        "later/x",
        "dropped",
    ],
)
def test_a_record_that_this_version_does_not_know_is_damage(record: str) -> None:
    """A name without a slash is always accepted as a name."""
    data = HEADER + b"\n" + encode_lines([record])
    assert salvage(data).damaged == (() if record == "dropped" else (2,))


@given(NAMES.filter(bool), st.data())
def test_every_flipped_bit_is_found_or_tears_the_last_line(
    names: list[str], data: st.DataObject
) -> None:
    """Damage never makes a wrong name; only damage to the last newline looks like a torn line."""
    raw = bytearray(encode(names))
    bit = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[bit // 8] ^= 1 << bit % 8
    if bit // 8 == len(raw) - 1:
        assert decode(bytes(raw)).names == tuple(names[:-1])
        return
    with pytest.raises(CorruptManifest):
        decode(bytes(raw))


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"", 1),
        (b"csf-back", 1),
        (b"something else\n", 1),
        (b"csf-backup-manifest 2\n", 1),
        (encode(["a"]) + b"no checksum\n" + encode_lines(["b"]), 3),
        (encode(["a"]) + b"\n", 3),
    ],
)
def test_damage_is_reported_with_its_line(data: bytes, line: int) -> None:
    """The number is that of an editor."""
    with pytest.raises(CorruptManifest, match=f"line {line} is damaged") as caught:
        decode(data)
    assert caught.value.line == line


def test_the_format_is_the_documented_one() -> None:
    """Any program that knows CRC-32 can read a manifest, and compute its checksums."""
    assert encode(["m.db"]) == b"csf-backup-manifest 1\n78f635ff m.db\n"
    assert backup_line(17, "/b/x") == b"%08x backup/17 /b/x\n" % zlib.crc32(b"backup/17 /b/x")


@given(NAMES, st.binary(min_size=10).filter(lambda raw: b"\n" not in raw), st.data())
def test_what_is_whole_is_salvaged(names: list[str], line: bytes, data: st.DataObject) -> None:
    """A damaged line loses its own name, and is reported by its number."""
    lines = [whole + b"\n" for whole in encode(names).split(b"\n")[:-1]]
    at = data.draw(st.integers(0, len(lines)))
    lines.insert(at, line + b"?\n")
    found = salvage(b"".join(lines))
    assert found.names == tuple(names)
    assert at + 1 in found.damaged
    assert len(found.damaged) == (2 if at == 0 else 1)
