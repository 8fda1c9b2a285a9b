"""A record of a drill or verification counts only for the image it was written for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from receipts import made as receipt_made

from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.image.check_record import Check, CheckRecord, read_check
from csf_backup_plugin.image.path import ImagePath
from doubles import MemoryHost

if TYPE_CHECKING:
    from csf_backup_plugin.image.receipt import Receipt

IMAGE = ImagePath("db1", "/b/a.img")
NOW = "2026-11-25T12:00:00+00:00"


@pytest.fixture
def made() -> Receipt:
    """Return the receipt of an image."""
    return receipt_made("/b/a.img", 7)


def written(made: Receipt, *findings: str) -> bytes:
    """Return the record of a drill."""
    host = MemoryHost({IMAGE.path: b"image"})
    CheckRecord(sealed_json.DRILL, IMAGE, made, NOW, host).write(findings)
    return host.files[IMAGE.drill]


def test_what_is_written_is_read(made: Receipt) -> None:
    """An image without findings is sound."""
    assert read_check(written(made), sealed_json.DRILL, made) == Check(is_sound=True, at=NOW)
    failed = read_check(written(made, "It is torn."), sealed_json.DRILL, made)
    assert failed == Check(is_sound=False, at=NOW)


def test_a_record_of_another_image_of_that_name_does_not_count(made: Receipt) -> None:
    """Its backup started at another time."""
    other = made._replace(started="2020-01-01T00:00:00+00:00")
    assert read_check(written(other), sealed_json.DRILL, made) is None


@pytest.mark.parametrize("data", [None, OSError(5, "Input/output error"), b"", b"{}"])
def test_what_is_no_record_does_not_count(made: Receipt, data: bytes | OSError | None) -> None:
    """Records of another kind, or changed ones, do not count either."""
    assert read_check(data, sealed_json.DRILL, made) is None
    record = written(made)
    assert read_check(record, sealed_json.VERIFICATION, made) is None
    assert read_check(record.replace(b'"db1"', b'"db2"'), sealed_json.DRILL, made) is None
    facts = {**json.loads(record), "finished": "soon"}
    del facts["~sha256"], facts["schema"]
    late = sealed_json.encode(facts, sealed_json.DRILL)
    assert read_check(late, sealed_json.DRILL, made) is None
