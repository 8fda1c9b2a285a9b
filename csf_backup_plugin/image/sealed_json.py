"""Sealed documents, such as receipts: any change to one is detected.

A sealed document is JSON with sorted keys. The last key, ``~sha256``, has the SHA-256 of the
document without that key. The schema is ``csf-backup/KIND/VERSION``; each kind of document has its
own versions. Every string is a name as `texts` writes it, or a text that `texts` would not change.
"""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any

from csf_backup_plugin.texts import each, from_text, to_text

RECEIPT, DRILL, VERIFICATION = "receipt", "drill", "verification"
OUTCOME, NOTE, PROMISE, COPY = "outcome", "note", "promise", "copy"
_SEAL = "~sha256"  # "~" sorts after every other key
_END = b"\n}\n"
_SEAL_LINE = re.compile(rb',\n "%s": "([0-9a-f]{64})"\n}\n\Z' % _SEAL.encode())
_UNRELEASED = "csf-backup/1"  # the version of every kind of document before the first release


class UnusableDocument(ValueError):
    """The bytes are not a document that this version can read; the message says why."""


class CorruptDocument(UnusableDocument):
    """The document was changed after it was written, or is not a document at all."""


class NewerDocument(UnusableDocument):
    """A newer version of this plugin wrote it."""


class UnreleasedDocument(UnusableDocument):
    """A version of this plugin that was never released wrote it."""


def schema(kind: str) -> str:
    """Return the schema of a kind of document, as this version writes it."""
    return f"csf-backup/{kind}/1"


def encode(facts: dict[str, Any], kind: str = RECEIPT) -> bytes:
    """Return the document's bytes.

    Args:
        facts: its contents, JSON values.
        kind: the kind of document, such as `RECEIPT`.
    """
    document = {"schema": schema(kind), **each(facts, to_text)}
    text = json.dumps(document, indent=1, sort_keys=True, ensure_ascii=False)
    body = text.encode() + b"\n"
    return body.removesuffix(_END) + b',\n "%s": "%s"\n}\n' % (
        _SEAL.encode(),
        sha256(body).encode(),
    )


def decode(data: bytes, kind: str = RECEIPT) -> dict[str, Any]:
    """Return the contents of a document.

    Args:
        data: its bytes.
        kind: the kind that it should be of.

    Raises:
        UnusableDocument: it was changed, or this version does not know its schema.
    """
    try:
        facts = dict(json.loads(data))
        del facts[_SEAL]
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise CorruptDocument(f"not a {kind}: {error}") from None
    if (found := facts.pop("schema", None)) != schema(kind):
        raise _of_another_schema(found, kind)
    if not _is_sealed(data):
        raise CorruptDocument("changed since it was written")
    if data.isascii() and b"\\" not in data:  # `from_text` would change nothing
        return facts
    try:
        return dict(each(facts, from_text))
    except (ValueError, RecursionError) as error:  # half a character, or nested too deep
        raise CorruptDocument(f"not a {kind}: {error}") from None


def _is_sealed(data: bytes) -> bool:
    """Tell whether a document's seal, in its last line but one, fits its contents."""
    found = _SEAL_LINE.search(data)
    return found is not None and sha256(data[: found.start()] + _END) == found[1].decode()


def _of_another_schema(found: object, kind: str) -> UnusableDocument:
    if found == _UNRELEASED:
        return UnreleasedDocument(f"it is of an unreleased version (schema {found})")
    version = re.fullmatch(rf"csf-backup/{kind}/([0-9]{{1,9}})", str(found))
    if version and int(version[1]) > 1:
        return NewerDocument(
            f"it is of a newer version (schema {found}; this version of the plugin reads schema 1)"
        )
    return CorruptDocument(f"not of schema {schema(kind)}")


def sha256(data: bytes) -> str:
    """Return the SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()
