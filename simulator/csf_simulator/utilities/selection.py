"""Find the databases that osbackup must archive."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator

from csf_simulator.database.header import NotADatabase, read_header
from csf_simulator.database.unfinished import is_unfinished
from csf_simulator.image.catalog import is_listable
from csf_simulator.program.errors import (
    DATABASE_NOT_FOUND,
    MISC,
    NOT_A_DATABASE,
    UtilityError,
    explain,
)
from csf_simulator.program.streams import STDERR, say
from csf_simulator.utilities.pathnames import local_path

Identity = tuple[int, int]  # device and inode


def read_import_file(path: str) -> list[str]:
    """Return the names in a file of one database per line; blank lines are ignored.

    Spaces belong to a name, as does every byte but the line feed.

    Raises:
        UtilityError: the file cannot be read.
    """
    try:
        with open(path, "rb") as file:
            lines = file.read().split(b"\n")
    except OSError as error:
        raise explain(error, missing=MISC) from None
    return [os.fsdecode(line) for line in lines if line.strip()]


def select(names: Iterable[str], *, recurse: bool) -> dict[Identity, str]:
    """Return the databases that names stand for, in order.

    A directory stands for the databases in it. A file under two names is one database; its first
    name counts (invented: what the real utility does is not known).

    Args:
        names: pathnames, as an operator writes them.
        recurse: whether a directory also stands for the directories in it.

    Returns:
        Absolute paths, by device and inode.

    Raises:
        OSError: a file or directory does not exist, or cannot be read.
        UtilityError: a name cannot be used, or a directory has no database.
    """
    found: dict[Identity, str] = {}
    for name in names:
        path = local_path(name)
        for database in _in_directory(path, recurse=recurse) if os.path.isdir(path) else [path]:
            found.setdefault(_identify(database), database)
    return found


def _identify(path: str) -> Identity:
    """Return the identity of a database file.

    Raises:
        OSError: it does not exist.
        UtilityError: it is a device or pipe, or its name cannot be listed, so that the backup
            could not be checked (invented).
    """
    if not is_listable(path):
        raise UtilityError(f"{path!r}: a name with a line feed cannot be listed")
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise UtilityError(f"{path}: not a database: not a regular file", NOT_A_DATABASE)
    return status.st_dev, status.st_ino


def _in_directory(directory: str, *, recurse: bool) -> list[str]:
    """Return the databases in a directory, sorted.

    Raises:
        UtilityError: there is no database in it.
    """
    found = sorted(path for path in _files(directory, recurse=recurse) if _is_database(path))
    if not found:
        raise UtilityError(f"{directory}: no database in this directory", DATABASE_NOT_FOUND)
    return found


def _files(directory: str, *, recurse: bool) -> Iterator[str]:
    """Yield the regular files in a directory, except databases that are still being built."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_file() and not is_unfinished(entry.name):
                yield entry.path
            elif recurse and entry.is_dir(follow_symlinks=False):
                yield from _files(entry.path, recurse=recurse)


def _is_database(path: str) -> bool:
    """Tell whether a file is a database; report one that is not, since the backup leaves it out."""
    fd = os.open(path, os.O_RDONLY)
    try:
        read_header(fd)
    except NotADatabase as error:
        say(f"Leaving out {path}: {error}.", STDERR)
        return False
    finally:
        os.close(fd)
    return True
