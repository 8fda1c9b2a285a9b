"""The receipt: what is sealed is read back, and any change is found."""

from __future__ import annotations

import json

import pytest

from csf_backup_plugin import receipt

FACTS = {"image": "/b/\udcff.img", "image_bytes": 3, "databases": {"/r/m.db": 512}}


def test_what_is_encoded_is_decoded() -> None:
    """A receipt is a JSON document anybody can read."""
    data = receipt.encode(FACTS)
    assert receipt.decode(data) == FACTS
    assert json.loads(data)["schema"] == "csf-backup/1"


def test_every_flipped_bit_and_every_truncation_is_found() -> None:
    """Also where the JSON would still say the same."""
    data = receipt.encode(FACTS)
    flipped = [
        data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
        for at in range(len(data))
        for bit in range(8)
    ]
    for damaged in flipped + [data[:length] for length in range(len(data))]:
        with pytest.raises(receipt.CorruptReceipt):
            receipt.decode(damaged)


@pytest.mark.parametrize("data", [b"[]", b"3", b"{}", b"\xff", b'{"schema": "x", "~sha256": ""}'])
def test_what_is_no_receipt_is_refused(data: bytes) -> None:
    """Whatever it is, the error is the same kind."""
    with pytest.raises(receipt.CorruptReceipt):
        receipt.decode(data)
