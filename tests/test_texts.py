"""Names as text: valid UTF-8, one form for each name, the same bytes in every locale."""

from __future__ import annotations

import json
import os

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from locales import ENCODINGS, encoded

from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.names import has_control_character
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.identity import Identity
from csf_backup_plugin.texts import each, from_text, to_text

# Names that a file system accepts; half of them are text, since few random bytes are.
names = st.lists(
    st.one_of(
        st.binary(min_size=1, max_size=6),
        st.text(min_size=1, max_size=4).map(lambda text: text.encode("utf-8", "replace")),
        st.sampled_from([rb"\xff", rb"\x5c", b"\\", b"x41", "ü€\U00010437".encode()]),
    ),
    min_size=1,
    max_size=6,
).map(lambda parts: b"".join(parts).replace(b"\0", b"-").replace(b"/", b"-"))
encodings = st.sampled_from(ENCODINGS)


def test_ordinary_names_are_themselves() -> None:
    """This includes backslashes, unless they could be read as an escaped byte."""
    for name in ("/r/lib.db", "/r/ü €.db", r"C:\x", "a\\", r"\xfg", r"\XFF"):
        assert to_text(name) == from_text(name) == name
    assert to_text("a\udcff") == r"a\xff"
    assert to_text(r"a\xff") == r"a\x5cxff"


@given(names, encodings, encodings)
@example(b"\\x5cxff\xff", "utf-8", "ascii")
def test_any_name_is_read_back_in_any_locale(raw: bytes, writer: str, reader: str) -> None:
    """The text is valid UTF-8, and different for each name."""
    with encoded(writer):
        text = to_text(os.fsdecode(raw))
    text.encode()
    with encoded(reader):
        assert os.fsencode(from_text(text)) == raw
        assert to_text(os.fsdecode(raw)) == text


@given(names, encodings, encodings)
def test_receipt_and_manifest_carry_any_name_from_one_locale_to_another(
    raw: bytes, writer: str, reader: str
) -> None:
    """Their contents do not change, and are text for other readers."""
    raw = raw.replace(b"\n", b"-")
    with encoded(writer):
        path = os.fsdecode(b"/" + raw)
        listed = not has_control_character(path)
        data = sealed_json.encode({"master": path, "databases": {path: 1}, "more": [path, None]})
        identity = Identity("1" * 32, "", os.fsdecode(raw), path)
        lines = manifest.encode([path, os.fsdecode(raw)], identity, {path: 3})
    json.dumps(json.loads(data.decode()), ensure_ascii=False).encode()
    with encoded(reader):
        path = os.fsdecode(b"/" + raw)
        expected = {"master": path, "databases": {path: 1}, "more": [path, None]}
        assert sealed_json.decode(data) == expected
        assert sealed_json.encode(expected) == data
        found = manifest.salvage(lines)
        assert found.names == (path, os.fsdecode(raw))
        assert dict(found.backups) == {path: 3}
        assert listed is not has_control_character(path)
        if listed:
            assert found.identity == Identity("1" * 32, "", os.fsdecode(raw), path)


def test_half_a_character_is_no_text() -> None:
    """A document with one was not written by this program."""
    with pytest.raises(ValueError, match="surrogates"):
        from_text("a\ud800")


def test_all_strings_of_a_value_are_converted_but_for_those_left_out() -> None:
    """Keys are names, too."""
    value = {"a": ["b", 1, {"c": None}], "said": ["b"], "d": True}
    expected = {"A": ["B", 1, {"C": None}], "SAID": ["b"], "D": True}
    assert each(value, str.upper, ["said"]) == expected
