"""Which attempts are of one repository; a refused attempt seldom knows the repository's id."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.attempts.reading import Attempt

_LENGTH = 12  # hexadecimal digits of a key


class History(NamedTuple):
    """The attempts of one repository.

    Attributes:
        id: the repository's id; None if no attempt knows it.
        key: 12 hexadecimal digits that identify the repository.
        attempts: in the order in which they were recorded.
        other_keys: the keys that were used as long as no attempt knew the id.
    """

    id: str | None
    key: str
    attempts: Sequence[Attempt]
    other_keys: frozenset[str] = frozenset()


def history_of(current: Attempt, attempts: Sequence[Attempt]) -> History | None:
    """Return the attempts of the repository that an attempt is of.

    They know the same id, or name the same master database or image as one that knows it.

    Args:
        current: the attempt, one of `attempts`.
        attempts: all attempts in the ledger.

    Returns:
        The attempts; None if `current` names nothing of a repository.
    """
    named = _names(current)
    identity = current.repository_id or _last_id(named, attempts)
    if identity:
        named = named.union(*(_names(one) for one in attempts if one.repository_id == identity))
    alike = [
        one for one in attempts if one.repository_id in (None, identity) and _names(one) & named
    ]
    if identity:
        keys = frozenset(_key(_names(one)) for one in alike if not one.repository_id)
        return History(identity, identity[:_LENGTH], alike, keys)
    return History(None, _key(named), alike) if named else None


def _last_id(named: frozenset[str], attempts: Sequence[Attempt]) -> str | None:
    known = (one for one in reversed(attempts) if one.repository_id)
    return next((one.repository_id for one in known if _names(one) & named), None)


def _names(one: Attempt) -> frozenset[str]:
    """Return what an attempt names of a repository.

    Image directories may hold several repositories, or be named by mistake. So they count only if
    nothing else is named, and the command line was right.
    """
    names = {f"{one.host}:{one.database}"} if one.host and one.database else set()
    if one.image and not one.image.endswith("/latest"):
        names.add(one.image)
    if one.repository_id:
        names.add(one.repository_id)
    if not one.database and not names and one.exit_code != ExitCode.USAGE:
        names.update(one.image_dirs)
    return frozenset(names)


def _key(names: frozenset[str]) -> str:
    data = "\0".join(sorted(names)).encode("utf-8", "surrogateescape")
    return hashlib.sha256(data).hexdigest()[:_LENGTH]
