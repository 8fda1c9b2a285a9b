"""What is said to the shell on the host, and what it answers; `loop.sh` is the other side.

Script, arguments and data may be of any length and hold any bytes but NUL, which only data may. A
mark that nobody can guess keeps an answer apart from whatever else comes.
"""

from __future__ import annotations

import os
import secrets
import shlex
from typing import TYPE_CHECKING, Literal, NamedTuple

from csf_backup_plugin.hosts.lock_holder import HELD_BY

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: How a script is run: in a subshell; likewise, with the locks that the shell holds; likewise, with
#: what ends a program; in the shell itself.
Kind = Literal["script", "locked", "program", "here"]
#: Tells the shell to end a program.
STOP = b"stop\n"

_PARTS = ("lock.sh", "supervise.sh", "loop.sh")
# What utilities say is to be read, so it is in English; programs get the user's locale back.
# csf_signals is the option by which env(1), of coreutils 8.31 and newer, undoes what a login shell,
# or whoever started sshd, has done to signals.
_BEGIN = """{{
csf_signals=--default-signal; env $csf_signals true 2>/dev/null || csf_signals=
exec env $csf_signals csf_signals=$csf_signals csf_run={run} csf_locale="${{LC_ALL-}}" LC_ALL=C \\
  sh -c {library}
}}
"""

#: What gives a program the locale that the user has on the host, and no variable of ours.
RESTORE_LOCALE = (
    'LC_ALL=$csf_locale; [ -n "$LC_ALL" ] || unset LC_ALL; unset csf_locale csf_signals; '
)


class Answer(NamedTuple):
    """How a remote script ended.

    Attributes:
        status: its exit status.
        output: what it printed on standard output.
        errors: what it printed on standard error.
    """

    status: int
    output: bytes
    errors: bytes


class Call(NamedTuple):
    """A script that is to be run.

    Attributes:
        mark: what its answer stands between.
        kind: how it is run.
        sent: what the shell reads.
    """

    mark: str
    kind: Kind
    sent: bytes

    @classmethod
    def of(cls, script: str, arguments: Sequence[str], data: bytes, kind: Kind) -> Call:
        """Return the call of a script, for any POSIX shell, whose $1 and so on are the arguments.

        A text in braces is a syntax error when it is cut short.
        """
        mark = secrets.token_hex(16)
        text = os.fsencode(f"{{\nset -- {shlex.join(arguments)}\n{script}\n}}\n")
        head = f"{mark} {kind} {len(text)} {len(data)}\n".encode()
        return cls(mark, kind, head + text + (data + f"{mark}\n".encode() if data else b""))


def beginning(run: str) -> bytes:
    """Return what makes the shell on the host the one that reads calls.

    Args:
        run: what all its processes have as `csf_run` in their environment.
    """
    library = HELD_BY + "".join(map(_part, _PARTS))
    return _BEGIN.format(run=run, library=shlex.quote(library)).encode()


def _part(name: str) -> str:
    with open(os.path.join(os.path.dirname(__file__), name), encoding="ascii") as file:
        return file.read()


def joined(paths: Iterable[str]) -> bytes:
    """Return paths as data for a script that reads them with ``xargs -0``."""
    return b"".join(os.fsencode(path) + b"\0" for path in paths)
