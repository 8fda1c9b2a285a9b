"""Accounts in class databases: money may move between them, but its sum never changes.

Invented here, as something to check: whatever happens to a repository, the balances of all its
accounts must sum up to what the accounts were opened with. One account fills one sector.
"""

from __future__ import annotations

import struct

ACCOUNTS = 16
OPENING_BALANCE = 1000

_BALANCE = struct.Struct("<q")


def encode_balance(balance: int) -> bytes:
    """Make the payload of an account's sector."""
    return _BALANCE.pack(balance)


def decode_balance(payload: bytes) -> int:
    """Read the payload of an account's sector."""
    (balance,) = _BALANCE.unpack_from(payload)
    return int(balance)
