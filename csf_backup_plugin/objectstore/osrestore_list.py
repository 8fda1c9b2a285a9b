"""The list that ``osrestore -t`` prints: which databases it names.

The format is not documented. A line may have words or a host before the name, quotes around it, and
a full stop, a size or a level after it; a name may contain, or end with, any of these itself. So
the list is read in each possible form, with every line in the same form; a name is never found
inside another one.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

# The first absolute path of a line, after a blank or a quote, and perhaps a host.
_PATH = re.compile(rb"""(?:^|(?<=[\s"'`]))(?:[^\s/"'`]*:)?(?P<path>/.*)$""", re.DOTALL)
_QUOTES = (b'"', b"'", b"`")
# A size or a level after a name, such as " 452 sectors", ", level 0", "\t231,424" or " (1.5 MB)".
_FIRST = rb"(?:level|lvl|size|\d+[kmgt]?(?:i?b)?)"
_MORE = rb"(?:%s|bytes?|sectors?|blocks?|pages?|[kmgt]?i?b|[kmgt])" % _FIRST
_BEHIND = re.compile(
    rb"[\s,;:][\s,;:(\[]*%s(?:[]\s,;:=()[./-]+%s)*[]\s).]*\Z" % (_FIRST, _MORE), re.I
)
_LONGEST_BEHIND = 100  # bytes
# What follows the image's own name if that is not the beginning of a database's name.
_AFTER_IMAGE = re.compile(rb"\.?\Z|[])>\"'`:;\s]")


def listed_databases(
    output: bytes, expected: Collection[str] = (), image: str | None = None
) -> set[str]:
    """Return the databases that a list names; empty if it names none.

    Args:
        output: what osrestore printed on standard output, as bytes: names need not be UTF-8.
        expected: the databases that it should name; the form that fits them best is used.
        image: the image's own path; a line about the image names no database.
    """
    wanted = {os.fsencode(path) for path in expected}
    about = os.fsencode(image) if image else None
    paths = [path for line in output.split(b"\n") if (path := _path(line, about))]
    forms = (_plain, _sentence, _followed) if wanted else (_plain,)
    readings = [{name for path in paths if (name := form(path, wanted))} for form in forms]
    return {os.fsdecode(name) for name in min(readings, key=lambda names: len(names ^ wanted))}


def _path(line: bytes, about: bytes | None) -> bytes | None:
    """Return a line from its first absolute path on, with the quote before it if there is one."""
    found = _PATH.search(line.rstrip(b"\r"))
    if found is None:
        return None
    path = found["path"]
    if about and path.startswith(about) and _AFTER_IMAGE.match(path, len(about)):
        return None
    quote = line[: found.start()][-1:]
    return quote + path if quote in _QUOTES else path


def _plain(path: bytes, _wanted: Collection[bytes]) -> bytes:
    """Read a name with nothing after it."""
    quote = path[:1]
    return path[1:].removesuffix(quote) if quote in _QUOTES else path


def _sentence(path: bytes, wanted: Collection[bytes]) -> bytes | None:
    """Read a name with a full stop after it; a line without one is of another form."""
    if path.endswith(b"."):
        return _plain(path[:-1], wanted)
    return _of_another_form(path, wanted)


def _followed(path: bytes, wanted: Collection[bytes]) -> bytes | None:
    """Read a name with a size or a level after it: the longest name that is expected."""
    for end in range(len(path) - 1, max(0, len(path) - _LONGEST_BEHIND), -1):
        name = _plain(path[:end], wanted)
        if name in wanted and _BEHIND.match(path, end):
            return name
    if behind := _BEHIND.search(path, max(0, len(path) - _LONGEST_BEHIND)):
        return _plain(path[: behind.start()], wanted)
    return _of_another_form(path, wanted)


def _of_another_form(path: bytes, wanted: Collection[bytes]) -> bytes | None:
    """Read a name in a line of another form than the others: it is an unexpected database."""
    name = _plain(path, wanted)
    return None if name in wanted else name
