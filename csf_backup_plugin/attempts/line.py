"""A line of the ledger: a document about the begin, or the end, of an attempt.

It is JSON, in ASCII, and has the keys of `TYPES`. Names in it are as `texts` writes them. An end
line repeats what the begin line says, so that each can be understood alone.
"""

from __future__ import annotations

import json
import re
from typing import Any, NamedTuple, NoReturn

from csf_backup_plugin import timestamps
from csf_backup_plugin.texts import each, fit_for_json, from_text

SCHEMA = "csf-backup/attempt/1"
BEGIN, END = "begin", "end"
_SENTENCES = ("error",)
_ANY_SCHEMA = re.compile(r"csf-backup/attempt/([0-9]{1,9})", re.ASCII)

_TEXT, _NUMBER, _NOTHING = (str,), (int,), (type(None),)
#: The keys of a line, and the types of their values.
TYPES: dict[str, tuple[type, ...]] = {
    "at": _TEXT,
    "driver": _TEXT,
    "user": _TEXT,
    "pid": _NUMBER,
    "command": _TEXT,
    "run_id": _TEXT + _NOTHING,
    "host": _TEXT + _NOTHING,
    "image": _TEXT + _NOTHING,
    "image_dirs": (list,),
    "database": _TEXT + _NOTHING,
}
#: The additional keys of an end line, and the types of their values.
TYPES_AT_END: dict[str, tuple[type, ...]] = {
    "exit_code": _NUMBER + _NOTHING,
    "outcome": _TEXT,
    "seconds": (int, float, type(None)),
    "bytes": _NUMBER + _NOTHING,
    "repository_id": _TEXT + _NOTHING,
    "place": _TEXT + _NOTHING,
    "number": _NUMBER + _NOTHING,
    "drilled": (bool, type(None)),
    "warnings": _NUMBER + _NOTHING,
    "error": _TEXT + _NOTHING,
}


class UnreadableLine(ValueError):
    """The bytes are not a line of the ledger; usually, it was cut short."""


class NewerLine(ValueError):
    """A newer version of this plugin wrote it."""


class Line(NamedTuple):
    """What a line says.

    Attributes:
        event: `BEGIN` or `END`.
        id: the attempt's id.
        facts: the rest, by the keys of `TYPES` and `TYPES_AT_END`.
    """

    event: str
    id: str
    facts: dict[str, Any]


def encode(line: Line) -> bytes:
    """Return a line's bytes, with its newline."""
    head = {"schema": SCHEMA, "event": line.event, "attempt": line.id}
    facts = fit_for_json({**head, **line.facts}, _SENTENCES)
    return json.dumps(facts, separators=(",", ":")).encode() + b"\n"


def decode(data: bytes) -> Line:
    """Return what a line says.

    Raises:
        UnreadableLine: it was cut short, or is not a line of the ledger.
        NewerLine: this version does not know its schema.
    """
    try:
        document = json.loads(data, parse_constant=_refuse)
        schema = document["schema"]
        if schema == SCHEMA:
            return _checked(document)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise UnreadableLine(f"not a line of the ledger: {error}") from None
    if (version := _ANY_SCHEMA.fullmatch(str(schema))) and int(version[1]) > 1:
        raise NewerLine(f"of a newer version (schema {schema})")
    raise UnreadableLine(f"not of schema {SCHEMA}")


def _refuse(word: str) -> NoReturn:
    raise ValueError(f"{word} is not a number")


def _checked(document: dict[str, Any]) -> Line:
    """Return the contents of a document of this schema; unknown keys are ignored."""
    event, attempt = document["event"], document["attempt"]
    types = {BEGIN: TYPES, END: {**TYPES, **TYPES_AT_END}}[event]
    facts: dict[str, Any] = {key: document.get(key) for key in types}
    if not isinstance(attempt, str) or not all(type(facts[key]) in types[key] for key in types):
        raise ValueError("a value of another type")
    if not all(isinstance(one, str) for one in facts["image_dirs"]):
        raise ValueError("a directory that is not a string")
    if timestamps.read(facts["at"]) != facts["at"]:
        raise ValueError("not a timestamp")
    error = facts.pop("error", None)
    named: dict[str, Any] = each(facts, from_text)
    return Line(event, attempt, {**named, "error": error} if event == END else named)
