"""Sealed documents: what is sealed is read back, and any change is found."""

from __future__ import annotations

import json

import pytest

from csf_backup_plugin.image import sealed_json

FACTS = {"image": "/b/ü\udcff.img", "image_bytes": 3, "databases": {"/r/m.db": 512}}


def test_what_is_encoded_is_decoded() -> None:
    """A receipt is a plain JSON document."""
    data = sealed_json.encode(FACTS)
    assert sealed_json.decode(data) == FACTS
    assert json.loads(data)["schema"] == "csf-backup/receipt/1"
    assert r"/b/ü\\xff.img" in data.decode()


def test_every_flipped_bit_and_every_truncation_is_found() -> None:
    """This holds even if the JSON would still mean the same."""
    data = sealed_json.encode(FACTS)
    flipped = [
        data[:at] + bytes([data[at] ^ 1 << bit]) + data[at + 1 :]
        for at in range(len(data))
        for bit in range(8)
    ]
    newer = [data.replace(b"receipt/1", b"receipt/%d" % version) for version in (3, 5, 9)]
    for damaged in flipped + [data[:length] for length in range(len(data))]:
        kind = sealed_json.NewerDocument if damaged in newer else sealed_json.CorruptDocument
        with pytest.raises(sealed_json.UnusableDocument) as caught:
            sealed_json.decode(damaged)
        assert caught.type is kind


@pytest.mark.parametrize("data", [b"[]", b"3", b"{}", b"\xff", b'{"schema": "x", "~sha256": ""}'])
def test_what_is_no_receipt_is_refused(data: bytes) -> None:
    """The kind of error is always the same."""
    with pytest.raises(sealed_json.CorruptDocument):
        sealed_json.decode(data)


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
    """The refusal is short and quick."""
    inside = b'{"schema": "csf-backup/receipt/1", ' + body
    seal = sealed_json.sha256(inside + b"}\n")
    with pytest.raises(sealed_json.CorruptDocument) as caught:
        sealed_json.decode(inside + f', "~sha256": "{seal}"}}\n'.encode())
    assert len(str(caught.value)) < 300
    assert "\n" not in str(caught.value)


def test_half_a_character_is_no_text() -> None:
    """It is refused though it is sealed and can be written in JSON."""
    data = sealed_json.encode({"name": "?"})
    body = data.replace(b"?", b"\\ud800")[: data.index(b',\n "~sha256"') + 5]
    seal = sealed_json.sha256(body + b"\n}\n")
    with pytest.raises(sealed_json.CorruptDocument, match="not a receipt: "):
        sealed_json.decode(body + f',\n "~sha256": "{seal}"\n}}\n'.encode())


def test_each_kind_of_document_is_read_as_that_only() -> None:
    """A drill's record is no receipt, and a receipt is no drill's record."""
    for kind, other in (
        (sealed_json.RECEIPT, sealed_json.DRILL),
        (sealed_json.DRILL, sealed_json.RECEIPT),
    ):
        data = sealed_json.encode(FACTS, kind)
        assert json.loads(data)["schema"] == f"csf-backup/{kind}/1"
        assert sealed_json.decode(data, kind) == FACTS
        with pytest.raises(
            sealed_json.CorruptDocument, match=f"not of schema csf-backup/{other}/1"
        ):
            sealed_json.decode(data, other)


@pytest.mark.parametrize(
    ("schema", "kind", "told"),
    [
        (
            "csf-backup/receipt/2",
            sealed_json.NewerDocument,
            "newer version .*receipt/2; this version",
        ),
        (
            "csf-backup/receipt/17",
            sealed_json.NewerDocument,
            "newer version .*receipt/17; this version",
        ),
        ("csf-backup/1", sealed_json.UnreleasedDocument, "an unreleased version .*csf-backup/1"),
        ("csf-backup/receipt/0", sealed_json.CorruptDocument, "not of schema csf-backup/receipt/1"),
        ("csf-backup/2", sealed_json.CorruptDocument, "not of schema csf-backup/receipt/1"),
        (None, sealed_json.CorruptDocument, "not of schema csf-backup/receipt/1"),
        (2, sealed_json.CorruptDocument, "not of schema csf-backup/receipt/1"),
    ],
)
def test_a_receipt_of_another_version_is_reported_as_that(
    schema: object, kind: type[sealed_json.UnusableDocument], told: str
) -> None:
    """It is not damaged, and another version of the plugin may read it."""
    data = json.dumps({**FACTS, "schema": schema, "~sha256": "unknown here"}).encode()
    with pytest.raises(sealed_json.UnusableDocument, match=told) as caught:
        sealed_json.decode(data)
    assert caught.type is kind
