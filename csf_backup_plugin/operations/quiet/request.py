"""The options for a quiet repository, checked before anything is touched."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.names import absolute, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The environment variable on the host that names the program if -quiesce does not.
VARIABLE = "CSF_BACKUP_QUIESCE"
#: The environment variable of csf for the seconds that each call may take.
LIMIT_VARIABLE = "CSF_BACKUP_QUIESCE_TIMEOUT"
_LIMIT = 300.0


class Quiescing(NamedTuple):
    """How to make a repository quiet.

    Attributes:
        program: the program's path on the host; empty to use the one in the host's environment, if
            any.
        limit: how long each call of the program may take, in seconds.
        is_required: whether the Server must have no clients.
    """

    program: str = ""
    limit: float = _LIMIT
    is_required: bool = False

    @classmethod
    def parse(
        cls, environ: Mapping[str, str], program: str | None, *, is_required: bool
    ) -> Quiescing:
        """Parse what the user wrote.

        Raises:
            UsageError: the program is not an absolute path, or the limit is not a number of
                seconds.
        """
        try:
            path = "" if program is None else absolute(program)
        except ValueError as error:
            raise UsageError(
                f"-quiesce {shown(program or '')!r} {error}.",
                "Give the absolute path of a program on the host, such as /etc/csf/quiesce.",
            ) from None
        return cls(path, _limit(environ.get(LIMIT_VARIABLE, "")), is_required)


#: The default: use the program in the host's environment, if any.
AS_THERE = Quiescing()


def _limit(text: str) -> float:
    try:
        seconds = float(text) if text else _LIMIT
    except ValueError:
        seconds = 0.0
    if not 1 <= seconds < 1e6:
        raise UsageError(
            f"{LIMIT_VARIABLE}={shown(text)} is not a number of seconds from 1 on.",
            f"Set it to a number such as {_LIMIT:g}, or unset it.",
        )
    return seconds
