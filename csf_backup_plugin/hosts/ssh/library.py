"""What is sent to the shell on the host: its library at login, and then calls of its functions.

There may be any number of arguments, with any bytes but NUL; data may contain any bytes. `loop.sh`
is the other side, and describes the form of calls and answers.
"""

from __future__ import annotations

import base64
import math
import os
import re
import shlex
import time
from typing import TYPE_CHECKING, Literal

from csf_backup_plugin.hosts import common, guardian, quiescing
from csf_backup_plugin.hosts.common import CUT_SHORT
from csf_backup_plugin.hosts.lock_holder import HELD_BY
from csf_backup_plugin.hosts.mountinfo import MOUNTINFO
from csf_backup_plugin.hosts.ssh import errors
from csf_backup_plugin.hosts.ssh.request import FOREVER

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.hosts.ssh.request import Kind, Request

#: Whether a call may have been carried out before a cut: no; perhaps, and then nothing is done
#: twice; perhaps, and if it was not, it fails, since nothing may be written any more.
Again = Literal["", "again", "only"]

_PARTS = (
    *("loop", "program", "lock", "job"),
    *("access", "files", "entries", "withdrawal", "looking", "reading"),
)
# We read what utilities print, so it is in English; programs get the user's locale back. The option
# of env(1), in coreutils 8.31 and newer, undoes what a login shell, or the process that started
# sshd, has changed about signals.
_PRELUDE = """
csf_locale=${LC_ALL-}; LC_ALL=C; export csf_locale LC_ALL; umask u=rwx
csf_signals=--default-signal; (exec env $csf_signals true 2>/dev/null) || csf_signals=
"""
# What the shell need not read: indentation, and lines that are comments.
_NEEDLESS = re.compile(r"(?m)^ *(?:#.*\n)?")
_RESTORE = 'if [ -n "$csf_locale" ]; then LC_ALL=$csf_locale; else unset LC_ALL; fi; '
_RESTORE += "unset csf_locale; "


_KILLED = 255  # what `csf_program` returns if a shell of ours was killed


def library(mark: str) -> bytes:
    """Return the line after which a shell that `command_line` has started reads calls.

    Args:
        mark: a word that cannot be guessed, which marks calls and answers.
    """
    values: dict[str, object] = {
        "mark": mark,
        "become": quiescing.become(guardian.PID_WIDTH, _RESTORE),
        "abandoned": common.ABANDONED // 60,
        "cut_short": os.fsdecode(CUT_SHORT),
        "guardian": guardian.GUARDIAN,
        "keep": common.KEEP,
        "mountinfo": MOUNTINFO,
        "pid_width": guardian.PID_WIDTH,
        "restore": _RESTORE,
        "room_of_output": guardian.ROOM,
        "running": guardian.RUNNING,
        "starting": guardian.STARTING,
        "status_width": guardian.STATUS_WIDTH,
        "utility": guardian.utility(_RESTORE),
        **{status.name.lower(): status.value for status in errors.Status},
    }
    assigned = "".join(f"csf_{name}={shlex.quote(str(value))}\n" for name, value in values.items())
    text = _PRELUDE + assigned + HELD_BY + "".join(map(_part, _PARTS)) + "csf_serve\n"
    return base64.b64encode(os.fsencode(text)) + b"\n"


def call(number: int, kind: Kind, mark: str, text: str) -> bytes:
    """Return a call.

    Args:
        number: the number of the call within its login.
        kind: how it is run.
        mark: as for `library`.
        text: what is run; see `step`.
    """
    data = os.fsencode(f"csf_again=\n{text}\n#{mark}\n")
    return f"{number} {kind} {len(data)}\n".encode() + data


def again(again: Again, text: str) -> str:
    """Return a text that states whether it may have been carried out before a cut."""
    return f"csf_again={again}\n{text}" if again else text


def each(texts: Sequence[str]) -> str:
    """Return a text that runs each of several texts, even if others fail."""
    return texts[0] if len(texts) == 1 else step(("each", *texts))


def at_once(texts: Sequence[str]) -> str:
    """Return a text that runs each of several programs, all at the same time."""
    return step(("at_once", *texts))


def limited(request: Request) -> str:
    """Return a text that runs a program, and ends it when its time is over."""
    if request.until == FOREVER:
        return request.text
    return f"csf_limit={max(1, math.ceil(request.until - time.monotonic()))}\n{request.text}"


def answers_of_each(answer: errors.Answer, count: int, mark: str) -> Sequence[errors.Answer]:
    """Return the answers to the texts of `each`, in order.

    Args:
        answer: the answer to all of them.
        count: how many there are.
        mark: as for `library`.
    """
    if count == 1:
        return [answer]
    told = answer.output.split(b"\0%s\0" % mark.encode())[:-1]
    found = []
    for output, ended in zip(told[::2], told[1::2], strict=False):
        status, _, said = ended.partition(b"\0")
        found.append(errors.Answer(int(status), output, said))
    # The shell that ran them was killed: there are no answers to the others.
    missing = errors.Answer(answer.status or 1, b"", answer.errors)
    return [*found, *[missing] * (count - len(found))]


def answers_at_once(answer: errors.Answer, count: int, mark: str) -> Sequence[errors.Answer]:
    """Return the answers to the texts of `at_once`, in order.

    If a shell that ran one of them was killed, an answer is missing. Which one it is cannot be
    known, and its output may precede that of another one. So all of them are missing then.

    It takes the arguments of `answers_of_each`.
    """
    if answer.output.count(b"\0%s\0" % mark.encode()) == 2 * count:
        return answers_of_each(answer, count, mark)
    return [errors.Answer(_KILLED, b"", answer.errors)] * count


def step(words: Sequence[str], data: bytes = b"") -> str:
    """Return a text that calls a function.

    Args:
        words: the name of the function, and its arguments.
        data: what `csf_data` prints for it.
    """
    called = shlex.join(words)
    if not data:
        return called
    written = os.fsdecode(data.replace(b"\\", rb"\\").replace(b"\0", rb"\0000"))
    return f"csf_words={shlex.quote(written)}\n{called}"


def _part(name: str) -> str:
    with open(os.path.join(os.path.dirname(__file__), f"{name}.sh"), encoding="ascii") as file:
        return _NEEDLESS.sub("", file.read())
