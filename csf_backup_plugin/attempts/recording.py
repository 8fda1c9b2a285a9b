"""Recording an attempt in the ledger: a line when it begins, and one when it ends."""

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
from csf_backup_plugin.attempts.unreported import unreported

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping


class Recording:
    """An attempt of a command.

    Args:
        directory: the ledger's directory.
        facts: what is known of the attempt when it begins, by the keys of `line.TYPES`.

    Attributes:
        id: the attempt's id.
        directory: the ledger's directory.
        lines: the lines that were recorded, or should have been.
    """

    def __init__(self, directory: str, facts: Mapping[str, Any]) -> None:
        self.id = os.urandom(8).hex()
        self.lines: list[bytes] = []
        self.directory = directory
        self._lock = lock_file(directory, self.id)
        self._held = contextlib.ExitStack()
        self._facts = {**_caller(), **facts}

    def begin(self) -> None:
        """Record the begin, and an end for each attempt that was killed before.

        Until `close`, this process holds the attempt's lock. If another process finds it free, it
        knows that the attempt was killed.

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

    def unreported(self) -> Iterator[Line]:
        """Yield the ends of killed attempts that were not reported yet."""
        return unreported(self.directory)

    def end(self, how: Mapping[str, Any]) -> None:
        """Record the end, even if the begin could not be recorded; remove old lines.

        Args:
            how: how the attempt ended, by the keys of `line.TYPES_AT_END`, and facts about its
                begin that are known better now.

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
        """Release the attempt's lock; if its end was not recorded, it counts as killed."""
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
