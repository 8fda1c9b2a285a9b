"""What is asked for before its turn, so that it needs no exchange of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from csf_backup_plugin.errors import BackupError, HostUnreachable, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def postponed(step: Callable[[], T]) -> Callable[[], Callable[[], T]]:
    """Return a step for `Host.together` whose failure is not told before its turn has come.

    Which of several problems is reported does not depend on what is asked first. That the host is
    gone, or the command is to end, is told at once.

    Args:
        step: what looks.

    Returns:
        A step that returns what is to be called when it is the turn of the other: it returns what
        that has returned, or raises its error.
    """

    def carry_out() -> Callable[[], T]:
        try:
            found = step()
        except (HostUnreachable, Interrupted):
            raise
        except (OSError, BackupError) as error:
            failure = error  # Python forgets the other name

            def fail() -> T:
                raise failure

            return fail
        return lambda: found

    return carry_out
