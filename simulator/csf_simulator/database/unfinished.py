"""Names of the files that databases are built in, until a commit gives them their own."""

from __future__ import annotations

import os
import re

_UNFINISHED = re.compile(r"unfinished\.[0-9a-f]+~")


def unfinished_path(path: str) -> str:
    """Return a name to build a database under that will be given the name `path`."""
    return os.path.join(os.path.dirname(path), f"unfinished.{os.urandom(4).hex()}~")


def is_unfinished(file_name: str) -> bool:
    """Tell whether a file is one that is being built, or was when somebody was killed."""
    return _UNFINISHED.fullmatch(file_name) is not None
