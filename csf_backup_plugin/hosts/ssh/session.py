"""A shell script on the host, in a session of its own: how it is sent there, and what came back.

Script and arguments go over standard input, ahead of the script's data: so they may be of any
length, hold any bytes but NUL, and are read by sh, whatever the login shell is. What a login shell
prints of its own, on either stream, stands before a mark that nobody can guess.
"""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

# What utilities say is to be read, so it is in English; programs get the user's locale back. What
# is written here its owner may read.
_FRAME = """csf_locale=${{LC_ALL-}}; LC_ALL=C; export csf_locale LC_ALL; umask u=rwx
set -- {arguments}
printf '\\n%s\\n' {mark}; printf '\\n%s\\n' {mark} >&2
(
{script}
)
printf '\\n%s %s' {mark} $?"""

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


def framed(script: str, arguments: Sequence[str], mark: str) -> bytes:
    """Return what the remote shell is to read: the script, whose output stands between marks.

    Args:
        script: for any POSIX shell.
        arguments: its $1 and so on.
        mark: a word that nothing else prints.
    """
    text = _FRAME.format(script=script, arguments=shlex.join(arguments), mark=mark)
    return os.fsencode(text)


def command(frame: bytes, run: str, signals: str = "") -> str:
    """Return the remote command that reads a frame, and nothing behind it, and runs it.

    Args:
        frame: see `framed`.
        run: what all its processes have as `csf_run` in their environment.
        signals: the option of the host's env(1) that ignores and blocks no signal, if it has one.
    """
    words = f"{signals} csf_run={run} csf_signals={signals}"
    return f"""exec env {words} sh -c 'eval "$(head -c "$0")"' {len(frame)}"""


def begin(mark: str) -> bytes:
    """Return what is printed, on either stream, before a script begins."""
    return f"\n{mark}\n".encode()


def answer(mark: str, output: bytes, errors: bytes) -> Answer | None:
    """Return the answer that stands between the marks; None if the script did not come to its end.

    Args:
        mark: as for `framed`.
        output: all that came on standard output.
        errors: all that came on standard error.
    """
    _, begun, rest = output.partition(begin(mark))
    found, ended, status = rest.rpartition(f"\n{mark} ".encode())
    if not begun or not ended:
        return None
    return Answer(int(status), found, errors.partition(begin(mark))[2])


def joined(paths: Iterable[str]) -> bytes:
    """Return paths as data for a script that reads them with ``xargs -0``."""
    return b"".join(os.fsencode(path) + b"\0" for path in paths)
