"""Sealed documents, such as the receipt beside an image: any change to one is found.

One JSON document, keys sorted, whose last key ``~sha256`` is the SHA-256 of the document without
that key. Its schema is ``csf-backup/KIND/VERSION``: each kind of document has versions of its own.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

RECEIPT, DRILL, OUTCOME = "receipt", "drill", "outcome"
_SEAL = "~sha256"  # "~" sorts behind every other key
_UNRELEASED = "csf-backup/1"  # of every kind of document, before there was a release


class UnusableReceipt(ValueError):
    """The bytes are not a document that this version reads; the message says why."""


class CorruptReceipt(UnusableReceipt):
    """The bytes are not a document as it was written."""


class NewerReceipt(UnusableReceipt):
    """A newer version of this plugin wrote it."""


class UnreleasedReceipt(UnusableReceipt):
    """A version of this plugin wrote it that was never released."""


def schema(kind: str) -> str:
    """Return the schema of a kind of document, as this version writes it."""
    return f"csf-backup/{kind}/1"


def encode(facts: dict[str, Any], kind: str = RECEIPT) -> bytes:
    """Return the document's bytes.

    Args:
        facts: what it says; JSON values.
        kind: of document: `RECEIPT` or `DRILL`.
    """
    body = {"schema": schema(kind), **facts}
    return _dump({**body, _SEAL: sha256(_dump(body))})


def decode(data: bytes, kind: str = RECEIPT) -> dict[str, Any]:
    """Return what a document says.

    Args:
        data: its bytes.
        kind: what it should be.

    Raises:
        UnusableReceipt: a byte of it was changed, or this version does not know its schema.
    """
    try:
        facts = dict(json.loads(data))
        del facts[_SEAL]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CorruptReceipt(f"not a {kind}: {error}") from None
    if (found := facts.pop("schema", None)) != schema(kind):
        raise _of_another_schema(found, kind)
    if encode(facts, kind) != data:
        raise CorruptReceipt("changed since it was written")
    return facts


def _of_another_schema(found: object, kind: str) -> UnusableReceipt:
    if found == _UNRELEASED:
        return UnreleasedReceipt(f"it is of an unreleased version (schema {found})")
    version = re.fullmatch(rf"csf-backup/{kind}/([0-9]{{1,9}})", str(found))
    if version and int(version[1]) > 1:
        return NewerReceipt(f"it is of a newer version (schema {found}; this one knows 1)")
    return CorruptReceipt(f"not of schema {schema(kind)}")


def _dump(document: dict[str, Any]) -> bytes:
    return json.dumps(document, indent=1, sort_keys=True).encode() + b"\n"


def sha256(data: bytes) -> str:
    """Return the SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
