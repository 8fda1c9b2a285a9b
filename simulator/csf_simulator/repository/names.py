"""Where the databases of a master repository lie, and what a class may be called.

Inferred: every database of a repository lies in the directory of its master database and has the
master's suffix; each class has a database of its own name.
"""

from __future__ import annotations

import os

from csf_simulator.system.text import CONTROL


class RepositoryError(ValueError):
    """A repository cannot be made or changed as asked; the message says why."""


def suffix(master: str) -> str:
    """Return the ending that the names of a repository's databases share, often ".db".

    It may be empty. Files with another one do not belong to the repository.
    """
    return os.path.splitext(master)[1]


def schema_path(master: str) -> str:
    """Return the path of the second base database."""
    stem, ending = os.path.splitext(master)
    return f"{stem}_schema{ending}"


def class_path(master: str, class_name: str) -> str:
    """Return the path of a class's database.

    Raises:
        RepositoryError: no class can have that name.
    """
    file_name = class_name + suffix(master)
    if "/" in class_name or CONTROL.search(class_name):
        raise RepositoryError(f"{class_name!r} is not a class name: a slash or a control character")
    if class_name in ("", ".", "..") or suffix(file_name) != suffix(master):
        raise RepositoryError(
            f"{class_name!r} is not a class name: {file_name!r} is not a database's"
        )
    return os.path.join(os.path.dirname(master), file_name)
