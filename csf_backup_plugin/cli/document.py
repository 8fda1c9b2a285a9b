"""Encode a document as one line of JSON, with any bytes in its names."""

from __future__ import annotations

import json
import math
from typing import Any

from csf_backup_plugin.texts import fit_for_json

#: The keys of sentences, in which names are printable already. All other strings are names.
_SENTENCES = (
    *("error", "left", "next_step", "findings", "warnings"),
    *("faults", "stale", "notes", "unread", "why"),
)


def encoded(document: dict[str, Any]) -> str:
    """Return a document as one line of JSON."""
    return json.dumps(fit_for_json(_plain(document), _SENTENCES))


def _plain(value: Any) -> Any:
    """Return a value as types that JSON has."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(one) for one in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, type(None))) else str(value)
