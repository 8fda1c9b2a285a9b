"""Clean up after a failure, and add to the command's error what was left behind."""

from __future__ import annotations

import contextlib
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import NOTHING_LEFT, BackupError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping


class Left(NamedTuple):
    """What a failed command has left behind.

    Attributes:
        text: whole sentences: what is unchanged, and what is not.
        next_step: additional advice; empty if there is none.
        facts: details for the JSON document, if the sentences do not have them all.
    """

    text: str
    next_step: str = ""
    facts: Mapping[str, object] = MappingProxyType({})


def preceded(first: str, so_far: str) -> Left:
    """Return what was left, beginning with what was done before the failed step.

    Args:
        first: sentences about what was done before, without the last full stop; empty if nothing
            was.
        so_far: sentences about the failed step and what comes after it.
    """
    if not first:
        return Left(so_far)
    rest = so_far.replace(NOTHING_LEFT, "Nothing else was created or changed.")
    return Left(f"{first}. {rest}")


@contextlib.contextmanager
def on_failure(
    clean_up: Callable[[str], Left], failures: type[BaseException] = BackupError
) -> Iterator[None]:
    """Clean up if the block fails, and add to its error what was left.

    Args:
        clean_up: called with the error's sentences so far about what was left; returns the complete
            ones.
        failures: the exceptions after which `clean_up` is called. One that is not a `BackupError`
            is not changed.
    """
    try:
        yield
    except failures as error:
        left = clean_up(error.left if isinstance(error, BackupError) else NOTHING_LEFT)
        if isinstance(error, BackupError):
            error.left = left.text
            error.next_step = "\n".join(filter(None, [error.next_step, left.next_step]))
            error.facts |= left.facts
        raise
