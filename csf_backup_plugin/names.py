"""Which names may reach a file or osbackup's line-oriented import file, and how they are shown."""

from __future__ import annotations

import itertools
import os
import posixpath
import re
import shlex
import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

NAME_MAX = 255  # bytes; of every file system in common use on Linux

_LISTED = 10  # names in a message
#: What follows names that a document of -json has all of.
IN_JSON = " (-json lists them all)"

# C0 and C1 controls and DEL: they break the import file's lines, or a terminal that shows them.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def has_control_character(name: str) -> bool:
    """Tell whether `name` holds a control character, a newline among them.

    A name is UTF-8 as far as it can be, in every locale: a byte of 0x80 to 0x9f is most often a
    part of a letter then, and by itself no character at all.
    """
    return _CONTROL.search(_decoded(name)) is not None


def shown(name: str) -> str:
    """Return `name` fit for a message: control characters and bytes that are no UTF-8 are escaped.

    The same bytes are shown alike in every locale.
    """
    escaped = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", _decoded(name))
    return escaped.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _decoded(name: str) -> str:
    """Return a name's bytes as UTF-8, where a byte that is none is half a character."""
    try:
        raw = os.fsencode(name)
    except UnicodeEncodeError:  # a text that is no name in this locale, or in any
        raw = name.encode("utf-8", "backslashreplace")
    return raw.decode("utf-8", "surrogateescape")


def listed(paths: Collection[str], rest: str = "") -> str:
    """Return names fit for a message: the first ten, and how many more there are.

    Args:
        paths: the names.
        rest: where the others are to be found, if there are more.
    """
    words = list(map(shown, itertools.islice(paths, _LISTED)))
    more = len(paths) - len(words)
    return ", ".join(words) + (f" and {more:,} more{rest}" if more else "")


def first(sentences: Sequence[str]) -> list[str]:
    """Return sentences fit for a message: the first ten, and how many more -json lists."""
    more = len(sentences) - _LISTED
    rest = [f"and {more:,} more{IN_JSON}"] if more > 0 else []
    return [*sentences[:_LISTED], *rest]


def how_many(paths: Collection[str], rest: str = "") -> str:
    """Return how many names there are, and those that `listed` returns."""
    return f"{len(paths):,}: {listed(paths, rest)}" if paths else "none"


def command(*words: str) -> str:
    r"""Return a command as a shell takes it, fit for a message.

    Bytes that are no text are written as bash, zsh and ksh read them: ``$'\377'``.
    """
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    if shown(word) == word:
        return shlex.quote(word)
    plain = b' !#%&()*+,-./:;<=>?@[]^_`{|}~$"' + string.ascii_letters.encode() + b"0123456789"
    return "$'" + "".join(chr(b) if b in plain else f"\\{b:03o}" for b in os.fsencode(word)) + "'"


def is_inside(path: str, directory: str) -> bool:
    """Tell whether a path is a directory's own, or below it; links are not followed."""
    return f"{path}/".startswith(directory.rstrip("/") + "/")


def absolute(path: str, longest_suffix: str = "") -> str:
    """Return an absolute path to a file, without doubled slashes.

    Args:
        path: as the user gave it.
        longest_suffix: of the files that will stand beside it; their names must fit too.

    Raises:
        ValueError: it is none, or holds a control character; the message says which, and is made
            to follow the name.
    """
    if has_control_character(path):
        raise ValueError("holds a control character")
    if not path:
        raise ValueError("is empty")
    if not path.startswith("/"):
        raise ValueError("is not an absolute path")
    if posixpath.basename(path) in ("", ".", ".."):
        raise ValueError("names a directory")
    if len(os.fsencode(posixpath.basename(path) + longest_suffix)) > NAME_MAX:
        raise ValueError(f"is too long a name, with the {longest_suffix} that goes beside it")
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))
