"""Sealed documents, such as the receipt beside an image: any change to one is found.

One JSON document, keys sorted, whose last key ``~sha256`` is the SHA-256 of the document without
that key. Its schema is ``csf-backup/KIND/VERSION``: each kind of document has versions of its own.
Every string in it is a name as `texts` writes it, or reads the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from typing import Any

from csf_backup_plugin.texts import each, from_text, to_text

RECEIPT, DRILL, OUTCOME = "receipt", "drill", "outcome"
_SEAL = "~sha256"  # "~" sorts behind every other key
_UNRELEASED = "csf-backup/1"  # of every kind of document, before there was a release


class UnusableDocument(ValueError):
    """The bytes are not a document that this version reads; the message says why."""


class CorruptDocument(UnusableDocument):
    """The bytes are not a document as it was written."""


class NewerDocument(UnusableDocument):
    """A newer version of this plugin wrote it."""


class UnreleasedDocument(UnusableDocument):
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
    body = {"schema": schema(kind), **each(facts, to_text)}
    return _dump({**body, _SEAL: sha256(_dump(body))})


def decode(data: bytes, kind: str = RECEIPT) -> dict[str, Any]:
    """Return what a document says.

    Args:
        data: its bytes.
        kind: what it should be.

    Raises:
        UnusableDocument: a byte of it was changed, or this version does not know its schema.
    """
    try:
        facts = dict(json.loads(data))
        del facts[_SEAL]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CorruptDocument(f"not a {kind}: {error}") from None
    if (found := facts.pop("schema", None)) != schema(kind):
        raise _of_another_schema(found, kind)
    with contextlib.suppress(ValueError, RecursionError):  # no text, or of no depth of ours
        named: dict[str, Any] = each(facts, from_text)
        if encode(named, kind) == data:
            return named
    raise CorruptDocument("changed since it was written")


def _of_another_schema(found: object, kind: str) -> UnusableDocument:
    if found == _UNRELEASED:
        return UnreleasedDocument(f"it is of an unreleased version (schema {found})")
    version = re.fullmatch(rf"csf-backup/{kind}/([0-9]{{1,9}})", str(found))
    if version and int(version[1]) > 1:
        return NewerDocument(f"it is of a newer version (schema {found}; this one knows 1)")
    return CorruptDocument(f"not of schema {schema(kind)}")


def _dump(document: dict[str, Any]) -> bytes:
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)
    return text.encode() + b"\n"


def sha256(data: bytes) -> str:
    """Return the SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
