"""Which names may reach a file or osbackup's line-oriented import file, and how they are shown."""

from __future__ import annotations

import posixpath
import re

# C0 and C1 controls and DEL: they break the import file's lines, or a terminal that shows them.
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def has_control_character(name: str) -> bool:
    """Tell whether `name` holds a control character, a newline among them."""
    return _CONTROL.search(name) is not None


def shown(name: str) -> str:
    """Return `name` fit for a message: control characters and undecodable bytes are escaped."""
    escaped = _CONTROL.sub(lambda match: f"\\x{ord(match[0]):02x}", name)
    return escaped.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def absolute(path: str) -> str:
    """Return an absolute path to a file, without doubled slashes.

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
    return "/" + "/".join(part for part in path.split("/") if part not in ("", "."))
