"""The receipt beside an image: written last, it is the proof that the backup is complete.

One JSON document, keys sorted, whose last key ``~sha256`` is the SHA-256 of the document
without that key, so that any change to a receipt is found.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

SCHEMA = "csf-backup/1"
_SEAL = "~sha256"  # "~" sorts behind every other key


class CorruptReceipt(ValueError):
    """The bytes are not a receipt as it was written."""


def encode(facts: dict[str, Any]) -> bytes:
    """Return the receipt's bytes.

    Args:
        facts: what the backup found and did; JSON values.
    """
    body = {"schema": SCHEMA, **facts}
    return _dump({**body, _SEAL: sha256(_dump(body))})


def decode(data: bytes) -> dict[str, Any]:
    """Return what a receipt says.

    Raises:
        CorruptReceipt: a byte of it was changed, or it is of another schema.
    """
    try:
        facts = dict(json.loads(data))
        del facts[_SEAL]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CorruptReceipt(f"not a receipt: {error}") from None
    if facts.pop("schema", None) != SCHEMA:
        raise CorruptReceipt(f"not of schema {SCHEMA}")
    if encode(facts) != data:
        raise CorruptReceipt("changed since it was written")
    return facts


def _dump(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"


def sha256(data: bytes) -> str:
    """Return the SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
