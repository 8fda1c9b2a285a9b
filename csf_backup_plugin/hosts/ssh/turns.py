"""Write files on the host, one alone or several steps in turn, up to the first failure.

Each step happens completely or leaves nothing behind; `files.sh` and `entries.sh` are the host's
side. Once a lock that was held is lost in a cut, nothing more is written.
"""

from __future__ import annotations

import os
import posixpath
import secrets
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import BackupError, HostUnreachable
from csf_backup_plugin.hosts.protocol.steps import (
    Absent,
    Append,
    Create,
    Publish,
    Release,
    RemoveTrees,
    Replace,
)
from csf_backup_plugin.hosts.ssh import library
from csf_backup_plugin.hosts.ssh.connection import LockLost
from csf_backup_plugin.hosts.ssh.errors import Answer, os_error
from csf_backup_plugin.hosts.ssh.lock import SshLock
from csf_backup_plugin.hosts.ssh.request import GRACE
from csf_backup_plugin.hosts.turns import ended, say_unknown

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from csf_backup_plugin.hosts.protocol.steps import Step
    from csf_backup_plugin.hosts.ssh.connection import Connection
    from csf_backup_plugin.hosts.ssh.request import Kind

    _Call = tuple[tuple[str, ...], bytes]


class InTurn:
    """The part of a host that writes files, and carries out steps in turn."""

    name: str
    _connection: Connection

    def create(self, path: str, data: bytes) -> None:
        """Make a file that must not exist yet; leave none behind on failure."""
        self._carry_out(Create(path, data))

    def append(self, path: str, lines: bytes) -> None:
        """Append whole lines; see `Host.append`."""
        self._carry_out(Append(path, lines))

    def publish(self, path: str, data: bytes, like: str | None = None) -> str:
        """Create a complete file in one step; see `Host.publish`."""
        return self._carry_out(Publish(path, data, like))

    def replace(self, path: str, data: bytes, like: str | None = None) -> str:
        """Replace a file's contents in one step; see `Host.replace`."""
        return self._carry_out(Replace(path, data, like))

    def in_turn(self, *steps: Step) -> tuple[Callable[[], str], ...]:
        """Carry out steps until one fails; see `Host.in_turn`."""
        calls = [*map(_called, steps)]
        texts = [library.step(words, data) for words, data in calls]
        frees = any(isinstance(step, Release) for step in steps)
        try:
            answer = self._ask(("in_turn", *texts), "locked" if frees else "script")
        except BackupError as error:
            self._undo(error, steps, calls)
            raise
        for words, _ in calls:
            if words[0] == "publish":  # its temporary file identifies the operation
                self._connection.at_last("clear_aside", words[2])
        return self._told(steps, answer)

    def _ask(self, words: Sequence[str], kind: Kind) -> Answer:
        try:
            return self._connection.ask(*words, kind=kind, locked=True, grace=GRACE)
        except LockLost:
            # Perhaps only the answer is lost; the call with "only" finds out, and writes nothing.
            answer = self._connection.ask(*words, kind=kind, again="only", grace=GRACE)
            if answer.status:
                raise
            return answer

    def _carry_out(self, step: Step) -> str:
        (done,) = self.in_turn(step)
        return done()

    def _undo(self, error: BackupError, steps: Sequence[Step], calls: Sequence[_Call]) -> None:
        """Undo what can be undone after an error, or add that what was done is not known."""
        try:
            for words, _ in reversed(calls):
                if words[0] == "publish":
                    self._connection.ask("unpublish", *words[1:])
                elif words[0] in ("append", "replace"):
                    self._connection.ask("clear_aside", words[2])
        except HostUnreachable:
            say_unknown(error, steps, self.name)

    def _told(self, steps: Sequence[Step], answer: Answer) -> tuple[Callable[[], str], ...]:
        """Return how the steps have ended, from the answer of the library's `in_turn`."""
        said: list[str] = []
        *fields, _ = answer.output.split(b"\0")
        for step, status, words in zip(steps, fields[::2], fields[1::2], strict=False):
            is_writing = not isinstance(step, Absent | RemoveTrees | Release)
            if status != b"0":
                _, _, errors = answer.errors.rpartition(b"\n%s\n" % self._connection.mark)
                failed = os_error(Answer(int(status), b"", errors), _path(step, words))
                return ended(said, len(steps), failed)
            if isinstance(step, Release):
                step.lock.release()
            said.append(os.fsdecode(words).strip() if is_writing else "")
        if answer.status and len(said) < len(steps):  # the shell that ran it has ended early
            return ended(said, len(steps), os_error(answer, _path(steps[len(said)], b"")))
        return ended(said, len(steps))


def _called(step: Step) -> _Call:
    """Return the words and the data of the call for a step; see `library.step`."""
    if isinstance(step, Absent):
        return ("absent", *step.paths), b""
    if isinstance(step, RemoveTrees):
        return ("remove_trees", "", *step.paths), b""
    if isinstance(step, Release):
        assert isinstance(step.lock, SshLock)
        return step.lock.freeing, b""
    path, data, like = (*step, None)[:3]
    aside = posixpath.join(posixpath.dirname(path), f".csf-{secrets.token_hex(8)}.tmp")
    function = {Append: "append", Replace: "replace"}.get(type(step), "publish")
    return (function, path, aside, str(len(data)), like or ""), data


def _path(step: Step, said: bytes) -> str:
    """Return the path at which a step has failed.

    Args:
        step: the step.
        said: its output: a dot for each path that was done.
    """
    if isinstance(step, Absent | RemoveTrees):
        return step.paths[len(said)]
    return "" if isinstance(step, Release) else step.path
