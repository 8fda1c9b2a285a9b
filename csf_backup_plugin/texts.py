r"""Names as text: always valid UTF-8, and convertible back to the same bytes.

A name is bytes. Inside a process it is a string that Python has decoded by the locale. In documents
(receipts, the manifest's record of an identity, ``-json``) it has the same form in every locale:
UTF-8, in which a byte that is not UTF-8 is written ``\xff``, with its number in two lower-case
hexadecimal digits. A backslash stays as it is, unless it would be read as the beginning of such a
number; then it is written ``\x5c``.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

_NUMBER = re.compile(rb"\\x([0-9a-f]{2})")
_LIKE_A_NUMBER = re.compile(rb"\\(?=x[0-9a-f]{2})")


def to_text(name: str) -> str:
    """Return a name as text."""
    return _LIKE_A_NUMBER.sub(rb"\\x5c", os.fsencode(name)).decode("utf-8", "backslashreplace")


def from_text(text: str) -> str:
    """Return the name that a text was made from.

    Raises:
        ValueError: it has a lone surrogate, which no valid text has.
    """
    return os.fsdecode(_NUMBER.sub(lambda number: bytes.fromhex(number[1].decode()), text.encode()))


def fit_for_json(value: Any, sentences: Collection[str]) -> Any:
    """Return a JSON value with its strings converted so that every program can read them.

    Args:
        value: any JSON value; its strings are names, or texts that `to_text` does not change.
        sentences: the keys of values that are sentences for a person, and not names.
    """
    return each(each(value, _text, sentences), _whole)


def _text(name: str) -> str:
    try:
        return to_text(name)
    except UnicodeEncodeError:  # not a name
        return name


def _whole(text: str) -> str:
    """Return a text without lone surrogates, which many programs cannot read."""
    return text.encode("utf-8", "backslashreplace").decode()


def each(value: Any, convert: Callable[[str], str], besides: Collection[str] = ()) -> Any:
    """Return a JSON value with every string in it converted, keys too.

    Args:
        value: any JSON value.
        convert: a function such as `to_text`.
        besides: the keys of values that are not converted.
    """
    if isinstance(value, str):
        return convert(value)
    if isinstance(value, dict):
        return {
            convert(key): one if key in besides else each(one, convert, besides)
            for key, one in value.items()
        }
    if isinstance(value, list):
        return [each(one, convert, besides) for one in value]
    return value
