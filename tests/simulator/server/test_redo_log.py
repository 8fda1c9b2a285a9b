"""The redo log."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st
from imaging import flipped

from csf_simulator.database.changes import Before, Changes
from csf_simulator.server.redo_log import decode_log, encode_log

PATHS = st.binary(min_size=1).map(os.fsdecode)
SECTORS = st.dictionaries(
    st.integers(0, 2**64 - 1), st.binary(min_size=512, max_size=512), min_size=1, max_size=3
)
CHANGES = st.builds(
    Changes,
    st.dictionaries(PATHS, SECTORS, max_size=3),
    st.dictionaries(PATHS, PATHS, max_size=2),
    st.dictionaries(
        PATHS,
        st.builds(
            Before,
            st.integers(0, 2**64 - 1),
            st.dictionaries(st.integers(0, 2**64 - 1), st.binary(max_size=512), max_size=2),
        ),
        max_size=2,
    ),
)
EXAMPLE = Changes(
    {"/a.db": {0: b"h" * 512, 1: b"x" * 512}},
    {"/b.db": os.fsdecode(b"/unfinished.\xff~")},
    {"/a.db": Before(512, {0: b"o" * 512})},
)


@given(changes=CHANGES)
def test_a_log_gives_back_the_changes(changes: Changes) -> None:
    """The log gives the same changes, with paths of any bytes."""
    assert decode_log(encode_log(changes)) == changes


def test_a_log_cut_anywhere_promises_nothing() -> None:
    """A log without its last byte does not count."""
    log = encode_log(EXAMPLE)
    assert [decode_log(log[:length]) for length in range(len(log))] == [None] * len(log)


def test_a_log_with_any_bit_flipped_promises_nothing() -> None:
    """No damaged log is carried out."""
    log = encode_log(EXAMPLE)
    for bit in range(len(log) * 8):
        assert decode_log(flipped(log, bit)) is None


def test_a_log_that_lost_a_record_promises_nothing() -> None:
    """The commit counts the records before it."""
    whole = encode_log(Changes({"/a.db": {1: b"x" * 512, 2: b"y" * 512}}, {}, {}))
    record = (len(whole) - len(encode_log(Changes({}, {}, {})))) // 2
    assert decode_log(whole[record:]) is None
