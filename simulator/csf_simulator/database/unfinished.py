"""Names of the files that databases are built in, until a commit gives them their own."""

from __future__ import annotations

import os
import re

_UNFINISHED = re.compile(r"unfinished\.[0-9a-f]+~")


def unfinished_path(path: str) -> str:
    """Return a temporary name, under which to build the database that becomes `path`."""
    return os.path.join(os.path.dirname(path), f"unfinished.{os.urandom(4).hex()}~")


def is_unfinished(file_name: str) -> bool:
    """Tell whether a file is a database that is being built, or was when its process was killed."""
    return _UNFINISHED.fullmatch(file_name) is not None
