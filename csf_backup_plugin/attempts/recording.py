"""One attempt, as it is entered into the ledger: once when it begins, and once when it ends."""

from __future__ import annotations

import contextlib
import os
import pwd
from typing import TYPE_CHECKING, Any

from csf_backup_plugin import timestamps
from csf_backup_plugin.attempts import ledger
from csf_backup_plugin.attempts.directory import make_directory
from csf_backup_plugin.attempts.files import own_file, take_lock
from csf_backup_plugin.attempts.killed import enter_killed, lock_file
from csf_backup_plugin.attempts.line import BEGIN, END, Line, encode
from csf_backup_plugin.attempts.pruning import prune
from csf_backup_plugin.attempts.untold import untold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Recording:
    """An attempt of a command.

    Args:
        directory: of the ledger.
        facts: what is known of the attempt when it begins, as `line.TYPES` has it.

    Attributes:
        id: the attempt's.
        directory: of the ledger.
        lines: what was entered, or was to be.
    """

    def __init__(self, directory: str, facts: Mapping[str, Any]) -> None:
        self.id = os.urandom(8).hex()
        self.lines: list[bytes] = []
        self.directory = directory
        self._lock = lock_file(directory, self.id)
        self._held = contextlib.ExitStack()
        self._facts = {**_caller(), **facts}

    def begin(self) -> None:
        """Enter the begin, and an end for each attempt that was killed before.

        Until `close`, this process holds the attempt's lock: who finds it free knows that the
        attempt was killed.

        Raises:
            OSError: that failed.
        """
        line = self._line(BEGIN)
        with ledger.opened(self.directory) as book:
            make_directory(os.path.dirname(self._lock))
            enter_killed(book)
            flags = os.O_RDWR | os.O_CREAT | os.O_EXCL
            take_lock(self._held.enter_context(own_file(self._lock, flags)))
            book.append(line)

    def untold(self) -> Iterator[Line]:
        """Yield the ends of killed attempts that nobody has been told of; see `untold.untold`."""
        return untold(self.directory)

    def end(self, how: Mapping[str, Any]) -> None:
        """Enter the end, also where the begin could not be entered; remove what is too old.

        Args:
            how: the attempt ended, as `line.TYPES_AT_END` has it, and facts of its begin that
                are known better now.

        Raises:
            OSError: that failed.
        """
        line = self._line(END, **how)
        with ledger.opened(self.directory) as book:
            book.append(line)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self._lock)
            prune(book)

    def close(self) -> None:
        """Release the attempt's lock; one whose end was not entered counts as killed."""
        self._held.close()

    def _line(self, event: str, **how: Any) -> bytes:
        line = encode(Line(event, self.id, {"at": timestamps.now(), **self._facts, **how}))
        self.lines.append(line)
        return line


def _caller() -> dict[str, Any]:
    """Return who runs the command, and where."""
    user = str(os.geteuid())
    with contextlib.suppress(KeyError):
        user = pwd.getpwuid(os.geteuid()).pw_name
    return {"driver": os.uname().nodename, "user": user, "pid": os.getpid()}
