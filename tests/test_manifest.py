"""The manifest's journal: what is written is read back, and damage is found."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csf_backup_plugin.manifest import (
    HEADER,
    CorruptManifest,
    decode,
    encode,
    encode_lines,
    salvage,
)

NAMES = st.lists(
    st.binary(min_size=1, max_size=20).filter(lambda raw: b"\n" not in raw).map(os.fsdecode),
    unique=True,
    max_size=5,
)


@given(NAMES, NAMES)
def test_what_is_encoded_and_appended_is_decoded_once_each_in_order(
    first: list[str], appended: list[str]
) -> None:
    """A name recorded twice is one name."""
    data = encode(first) + encode_lines(appended)
    assert decode(data) == (tuple(dict.fromkeys(first + appended)), ())


@given(NAMES.filter(bool), st.data())
def test_a_torn_append_counts_as_never_written(names: list[str], data: st.DataObject) -> None:
    """Cut anywhere, a manifest yields the names whose lines are whole."""
    whole = encode(names)
    cut = data.draw(st.integers(len(HEADER) + 1, len(whole) - 1))
    found = decode(whole[:cut])
    assert found.names == tuple(names[: len(found.names)])
    assert len(found.names) == whole.count(b"\n", 0, cut) - 1


@given(NAMES.filter(bool), st.data())
def test_every_flipped_bit_is_found_or_tears_the_last_line(
    names: list[str], data: st.DataObject
) -> None:
    """Damage never makes a wrong name; only the newline at the very end looks like a tear."""
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
    """The number is what an editor shows."""
    with pytest.raises(CorruptManifest, match=f"line {line} is damaged") as caught:
        decode(data)
    assert caught.value.line == line


def test_the_format_is_the_documented_one() -> None:
    """A manifest can be read, and its checksums recomputed, by anything that knows CRC-32."""
    assert encode(["m.db"]) == b"csf-backup-manifest 1\n78f635ff m.db\n"


@given(NAMES, st.binary(min_size=10).filter(lambda raw: b"\n" not in raw), st.data())
def test_what_is_whole_is_salvaged(names: list[str], line: bytes, data: st.DataObject) -> None:
    """A damaged line costs its own name, and is told by its number."""
    lines = [whole + b"\n" for whole in encode(names).split(b"\n")[:-1]]
    at = data.draw(st.integers(0, len(lines)))
    lines.insert(at, line + b"?\n")
    found = salvage(b"".join(lines))
    assert found.names == tuple(names)
    assert at + 1 in found.damaged
    assert len(found.damaged) == (2 if at == 0 else 1)
