"""Questions that are asked before their turn, so that they need no exchange of their own."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from csf_backup_plugin.errors import BackupError, HostUnreachable, Interrupted

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def postponed(step: Callable[[], T]) -> Callable[[], Callable[[], T]]:
    """Return a step for `Host.together` whose error is kept until its turn has come.

    So which of several problems is reported does not depend on what is asked first.
    `HostUnreachable` and `Interrupted` are raised at once.

    Args:
        step: asks the host.

    Returns:
        A step that returns a function. Call the function when it is the turn of `step`: it returns
        what `step` has returned, or raises its error.
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
