"""What programs leave behind in these tests is compared with the schemas, too."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import pytest
import schemas

from csf_backup_plugin.image.sealed_json import UnusableDocument, decode

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: The kinds of sealed files, by the endings of their names.
KINDS = {".receipt.json": "receipt", ".drill.json": "drill", ".verify.json": "verification"}


@pytest.fixture(autouse=True)
def _files_are_checked(tmp_path: Path) -> Iterator[None]:
    """Compare each document that is left with its schema, unless a test has damaged it."""
    yield
    for path in tmp_path.rglob("*.json"):
        for end, kind in KINDS.items():
            if path.name.endswith(end) and path.is_file():
                with contextlib.suppress(UnusableDocument, OSError):
                    data = path.read_bytes()
                    decode(data, kind)
                    schemas.check(data)
