"""Decide where osrestore puts each database: at its original path, or where a pair says."""

from __future__ import annotations

import errno
import os
from collections.abc import Sequence
from typing import NamedTuple

from csf_simulator.image.catalog import Database
from csf_simulator.program.errors import DATABASE_NOT_FOUND, UsageError, UtilityError
from csf_simulator.utilities.pathnames import local_path


class Pair(NamedTuple):
    """What to restore, and where to.

    Attributes:
        source: absolute path of a database in the image, or of a directory that held some.
        target: absolute path of a database, or of a directory.
    """

    source: str
    target: str


def read_pairs(operands: Sequence[str]) -> list[Pair]:
    """Return the pairs on a command line.

    Raises:
        UsageError: a source has no target.
        UtilityError: a name cannot be used.
    """
    if len(operands) % 2:
        raise UsageError(f"no target for {operands[-1]}")
    paths = [local_path(name) for name in operands]
    return [Pair(*pair) for pair in zip(paths[::2], paths[1::2], strict=True)]


def plan(databases: Sequence[Database], pairs: Sequence[Pair], *, descend: bool) -> dict[int, str]:
    """Return where each database goes; only what a pair matches, when there are pairs.

    Args:
        databases: those in the image.
        pairs: what to restore; none for everything.
        descend: whether a source directory stands for its sub-directories too.

    Returns:
        Real paths of the targets, links resolved, by number of the database.

    Raises:
        OSError: a target's directory is missing, or a target cannot be written.
        UtilityError: the pairs contradict the image or each other.
    """
    paths = [database.path for database in databases]
    chosen = _match_all(paths, pairs, descend=descend) if pairs else dict(enumerate(paths))
    targets = {number: os.path.realpath(target) for number, target in chosen.items()}
    if len(set(targets.values())) < len(targets):
        raise UtilityError("two databases would be restored to one target")
    for target in targets.values():
        _require_usable(target)
    return targets


def _match_all(paths: list[str], pairs: Sequence[Pair], *, descend: bool) -> dict[int, str]:
    """Return the targets that pairs give to databases; no database may match two (invented)."""
    targets: dict[int, str] = {}
    for pair in pairs:
        matched = _match(paths, pair, descend=descend)
        if not matched:
            raise UtilityError(f"{pair.source}: not in the image", DATABASE_NOT_FOUND)
        if not targets.keys().isdisjoint(matched):
            raise UtilityError(f"{pair.source}: another pair asks for the same database")
        targets.update(matched)
    return targets


def _match(paths: list[str], pair: Pair, *, descend: bool) -> dict[int, str]:
    """Return the targets one pair gives to databases."""
    if pair.source in paths:
        inside = os.path.join(pair.target, os.path.basename(pair.source))
        return {paths.index(pair.source): inside if os.path.isdir(pair.target) else pair.target}
    matched = {}
    for number, path in enumerate(paths):
        below = path.removeprefix(os.path.join(pair.source, ""))
        if below != path and (descend or "/" not in below):
            matched[number] = os.path.join(pair.target, below)
    return matched


def _require_usable(target: str) -> None:
    """Raise OSError unless a database can be put at a path: nothing may fail half way."""
    directory = os.path.dirname(target)
    if not os.path.isdir(directory):
        raise NotADirectoryError(errno.ENOTDIR, "no such directory to restore to", directory)
    if os.path.lexists(target) and not os.path.isfile(target):
        raise OSError(errno.EINVAL, "not a file, so no database can replace it", target)
    for path in (directory, target):
        if os.path.lexists(path) and not os.access(path, os.W_OK):
            number = errno.EROFS if os.statvfs(path).f_flag & os.ST_RDONLY else errno.EACCES
            raise OSError(number, os.strerror(number), path)
