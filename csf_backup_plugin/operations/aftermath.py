"""What a command that failed has left: its clean-up finds that out, and its error says it."""

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
        said: what was left as it was, and what was not; whole sentences.
        next_step: what to do besides; empty if nothing.
        facts: the same for a program, where there is more to it than the sentences.
    """

    said: str
    next_step: str = ""
    facts: Mapping[str, object] = MappingProxyType({})


def preceded(first: str, said: str) -> Left:
    """Return what was left, where something was done before all else.

    Args:
        first: sentences about that, without the last full stop; empty if there is nothing to say.
        said: what is said of the rest.
    """
    if not first:
        return Left(said)
    rest = said.replace(NOTHING_LEFT, "Nothing else was created or changed.")
    return Left(f"{first}. {rest}")


@contextlib.contextmanager
def left_told(
    clean_up: Callable[[str], Left], failures: type[BaseException] = BackupError
) -> Iterator[None]:
    """Clean up if the block fails, and let its error say what was left.

    Args:
        clean_up: called with what the error says of that by now; returns all that it is to say.
        failures: of the block, after which it is called. Those that are no `BackupError` say
            nothing of what was left.
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
