"""The receipt: what is sealed is read back, and any change is found."""

from __future__ import annotations

import json

import pytest

from csf_backup_plugin import receipt

FACTS = {"image": "/b/ü\udcff.img", "image_bytes": 3, "databases": {"/r/m.db": 512}}


def test_what_is_encoded_is_decoded() -> None:
    """A receipt is a JSON document anybody can read."""
    data = receipt.encode(FACTS)
    assert receipt.decode(data) == FACTS
    assert json.loads(data)["schema"] == "csf-backup/receipt/1"
    assert r"/b/ü\\xff.img" in data.decode()


def test_every_flipped_bit_and_every_truncation_is_found() -> None:
    """Also where the JSON would still say the same."""
    data = receipt.encode(FACTS)
    flipped = [
        data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
        for at in range(len(data))
        for bit in range(8)
    ]
    newer = [data.replace(b"receipt/1", b"receipt/%d" % version) for version in (3, 5, 9)]
    for damaged in flipped + [data[:length] for length in range(len(data))]:
        kind = receipt.NewerReceipt if damaged in newer else receipt.CorruptReceipt
        with pytest.raises(receipt.UnusableReceipt) as caught:
            receipt.decode(damaged)
        assert caught.type is kind


@pytest.mark.parametrize("data", [b"[]", b"3", b"{}", b"\xff", b'{"schema": "x", "~sha256": ""}'])
def test_what_is_no_receipt_is_refused(data: bytes) -> None:
    """Whatever it is, the error is the same kind."""
    with pytest.raises(receipt.CorruptReceipt):
        receipt.decode(data)


@pytest.mark.parametrize(
    "body",
    [
        b'"number": ' + b"7" * 5000,
        b'"number": 1, "number": 1',
        b'"number": NaN',
        b'"number": 1e999',
        b'"number": ' + b"[" * 100_000 + b"]" * 100_000,
        b'"number": "\\ud800"',
        b'"\\udc00": 1',
    ],
)
def test_what_no_encoder_writes_is_refused_although_it_is_sealed(body: bytes) -> None:
    """In one line, and at once."""
    inside = b'{"schema": "csf-backup/receipt/1", ' + body
    seal = receipt.sha256(inside + b"}\n")
    with pytest.raises(receipt.CorruptReceipt) as caught:
        receipt.decode(inside + f', "~sha256": "{seal}"}}\n'.encode())
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


def test_each_kind_of_document_is_read_as_that_only() -> None:
    """A drill's record is no receipt, and the other way round."""
    for kind, other in (
        (receipt.RECEIPT, receipt.DRILL),
        (receipt.DRILL, receipt.RECEIPT),
    ):
        data = receipt.encode(FACTS, kind)
        assert json.loads(data)["schema"] == f"csf-backup/{kind}/1"
        assert receipt.decode(data, kind) == FACTS
        with pytest.raises(receipt.CorruptReceipt, match=f"not of schema csf-backup/{other}/1"):
            receipt.decode(data, other)


@pytest.mark.parametrize(
    ("schema", "kind", "told"),
    [
        ("csf-backup/receipt/2", receipt.NewerReceipt, "newer version .*receipt/2; this one"),
        ("csf-backup/receipt/17", receipt.NewerReceipt, "newer version .*receipt/17; this one"),
        ("csf-backup/1", receipt.UnreleasedReceipt, "an unreleased version .*csf-backup/1"),
        ("csf-backup/receipt/0", receipt.CorruptReceipt, "not of schema csf-backup/receipt/1"),
        ("csf-backup/2", receipt.CorruptReceipt, "not of schema csf-backup/receipt/1"),
        (None, receipt.CorruptReceipt, "not of schema csf-backup/receipt/1"),
        (2, receipt.CorruptReceipt, "not of schema csf-backup/receipt/1"),
    ],
)
def test_a_receipt_of_another_version_is_told_as_that(
    schema: object, kind: type[receipt.UnusableReceipt], told: str
) -> None:
    """It is not damaged, and another version of the plugin may read it."""
    data = json.dumps({**FACTS, "schema": schema, "~sha256": "unknown here"}).encode()
    with pytest.raises(receipt.UnusableReceipt, match=told) as caught:
        receipt.decode(data)
    assert caught.type is kind
