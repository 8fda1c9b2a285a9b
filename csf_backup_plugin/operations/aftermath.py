"""What a failed command has left: its cleanup finds that out, and its error says it."""

from __future__ import annotations

import contextlib
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import NOTHING_LEFT, BackupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class Left(NamedTuple):
    """What was left.

    Attributes:
        said: what was left unchanged, and what was not; whole sentences.
        next_step: additional advice; empty if there is none.
        facts: details for a program, if there are more than in the sentences.
    """

    said: str
    next_step: str = ""
    facts: Mapping[str, object] = MappingProxyType({})


def preceded(first: str, said: str) -> Left:
    """Return what was left if something was done before the rest.

    Args:
        first: sentences about what was done first, without the last full stop; empty if nothing
            was.
        said: what is said about the rest.
    """
    if not first:
        return Left(said)
    rest = said.replace(NOTHING_LEFT, "Nothing else was created or changed.")
    return Left(f"{first}. {rest}")


@contextlib.contextmanager
def left_told(
    clean_up: Callable[[str], Left], failures: type[BaseException] = BackupError
) -> Iterator[None]:
    """Clean up if the block fails, and add to its error what was left.

    Args:
        clean_up: called with what the error says so far about what was left; returns all that it is
            to say.
        failures: the exceptions of the block after which it is called. Those that are not a
            `BackupError` stay unchanged.
    """
    try:
        yield
    except failures as error:
        left = clean_up(error.left if isinstance(error, BackupError) else NOTHING_LEFT)
        if isinstance(error, BackupError):
            error.left = left.said
            error.next_step = "\n".join(filter(None, [error.next_step, left.next_step]))
            error.facts |= left.facts
        raise
