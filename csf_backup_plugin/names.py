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

_LISTED = 10  # how many names a message lists
#: What follows a shortened list of names if the document of -json has all of them.
IN_JSON = " (-json lists them all)"

# C0 and C1 controls and DEL: they break the import file's lines, or a terminal that shows them.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def has_control_character(name: str) -> bool:
    """Tell whether `name` holds a control character, a newline among them.

    A name is read as UTF-8 in every locale. So a byte from 0x80 to 0x9f is usually part of a
    letter, and alone it is not a character.
    """
    return _CONTROL.search(_decoded(name)) is not None


def shown(name: str) -> str:
    """Return `name` for a message: control characters and bytes that are not UTF-8 are escaped.

    The result is the same in every locale.
    """
    escaped = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", _decoded(name))
    return escaped.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _decoded(name: str) -> str:
    """Decode a name as UTF-8; bytes that are not UTF-8 become surrogates."""
    try:
        raw = os.fsencode(name)
    except UnicodeEncodeError:  # a text that is not a valid name in this locale, or in any
        raw = name.encode("utf-8", "backslashreplace")
    return raw.decode("utf-8", "surrogateescape")


def listed(paths: Collection[str], rest: str = "") -> str:
    """Return names for a message: the first ten, and how many more there are.

    Args:
        paths: the names.
        rest: where to find the others, if there are more.
    """
    words = list(map(shown, itertools.islice(paths, _LISTED)))
    more = len(paths) - len(words)
    return ", ".join(words) + (f" and {more:,} more{rest}" if more else "")


def first(sentences: Sequence[str]) -> list[str]:
    """Return sentences for a message: the first ten, and how many more -json lists."""
    more = len(sentences) - _LISTED
    rest = [f"and {more:,} more{IN_JSON}"] if more > 0 else []
    return [*sentences[:_LISTED], *rest]


def how_many(paths: Collection[str], rest: str = "") -> str:
    """Return how many names there are, followed by the names that `listed` returns."""
    return f"{len(paths):,}: {listed(paths, rest)}" if paths else "none"


def command(*words: str) -> str:
    r"""Return a command for a message, quoted so that it can be typed into a shell.

    Bytes that are not UTF-8 are written as bash, zsh and ksh read them: ``$'\377'``.
    """
    return " ".join(map(_quoted, words))


def _quoted(word: str) -> str:
    if shown(word) == word:
        return shlex.quote(word)
    plain = b' !#%&()*+,-./:;<=>?@[]^_`{|}~$"' + string.ascii_letters.encode() + b"0123456789"
    return "$'" + "".join(chr(b) if b in plain else f"\\{b:03o}" for b in os.fsencode(word)) + "'"


def is_inside(path: str, directory: str) -> bool:
    """Tell whether a path is the directory itself, or below it; links are not followed."""
    return f"{path}/".startswith(directory.rstrip("/") + "/")


def absolute(path: str, longest_suffix: str = "") -> str:
    """Return an absolute path to a file, without doubled slashes.

    Args:
        path: as the user gave it.
        longest_suffix: the longest suffix of the files beside it; their names must fit, too.

    Raises:
        ValueError: it is not an absolute path to a file, or has a control character. The message is
            in words that follow the name.
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
