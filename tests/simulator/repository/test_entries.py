"""What the master database and the class databases hold in their sectors."""

from __future__ import annotations

import os

from hypothesis import given
from hypothesis import strategies as st

from csf_simulator.database.sectors import PAYLOAD
from csf_simulator.repository.accounts import decode_balance, encode_balance
from csf_simulator.repository.entries import Entry, decode_entry, encode_entry

NAMES = st.binary(max_size=255).map(os.fsdecode)


@given(st.binary(min_size=16, max_size=16), NAMES, st.integers(0, 255))
def test_an_entry_survives(database_id: bytes, file_name: str, length: int) -> None:
    """The longest name a file can have fits, of any bytes, and begins with the class name."""
    class_name = os.fsdecode(os.fsencode(file_name)[:length])
    entry = Entry(database_id, file_name, class_name)
    payload = encode_entry(entry)
    assert len(payload) <= PAYLOAD
    assert decode_entry(payload.ljust(PAYLOAD, b"\0")) == entry


@given(st.integers(-(2**63), 2**63 - 1))
def test_a_balance_survives(balance: int) -> None:
    """An account may hold any 64-bit amount, also negative."""
    assert decode_balance(encode_balance(balance).ljust(PAYLOAD, b"\0")) == balance
