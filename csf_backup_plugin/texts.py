r"""Names as text: valid UTF-8 whatever bytes they are, and read back as the same bytes.

A name is bytes. Inside of a process it stands as Python decodes it in the locale; in documents, be
it a receipt, the manifest's record of an identity, or ``-json``, in one form in every locale: as
UTF-8, where a byte that is no UTF-8 is written ``\xff``, by its number in two hexadecimal digits of
lower case. A backslash is itself, unless it would be read as the beginning of such a number: it is
written ``\x5c`` then.
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
    """Return the text that stands for a name."""
    return _LIKE_A_NUMBER.sub(rb"\\x5c", os.fsencode(name)).decode("utf-8", "backslashreplace")


def from_text(text: str) -> str:
    """Return the name that a text stands for.

    Raises:
        ValueError: it has half a character in it, which no text has.
    """
    return os.fsdecode(_NUMBER.sub(lambda number: bytes.fromhex(number[1].decode()), text.encode()))


def fit_for_json(value: Any, sentences: Collection[str]) -> Any:
    """Return a JSON value whose strings every program can read, whatever is in them.

    Args:
        value: any; its strings are names, or read the same.
        sentences: the keys of what is for a person, and no name.
    """
    return each(each(value, _text, sentences), _whole)


def _text(name: str) -> str:
    try:
        return to_text(name)
    except UnicodeEncodeError:  # no name
        return name


def _whole(text: str) -> str:
    """Return a text without half characters, which many programs cannot read."""
    return text.encode("utf-8", "backslashreplace").decode()


def each(value: Any, convert: Callable[[str], str], besides: Collection[str] = ()) -> Any:
    """Return a JSON value with every string in it converted, keys too.

    Args:
        value: any.
        convert: a function such as `to_text`.
        besides: the keys of what is left as it is.
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
