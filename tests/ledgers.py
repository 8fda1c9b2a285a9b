"""A ledger in a directory of the test's own, and entries for it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from csf_backup_plugin.attempts.line import TYPES_AT_END
from csf_backup_plugin.attempts.reading import Attempts, read_attempts
from csf_backup_plugin.attempts.recording import Recording
from csf_backup_plugin.attempts.unreported import unreported

if TYPE_CHECKING:
    from pathlib import Path

#: The facts in a command line.
FACTS: dict[str, Any] = {
    "command": "csf-backup",
    "run_id": None,
    "host": "db9",
    "image": "db9:/backups/a.img",
    "image_dirs": [],
    "database": "/data/lib.db",
}
#: The facts about an attempt's end.
DONE: dict[str, Any] = {
    **dict.fromkeys(TYPES_AT_END),
    "exit_code": 0,
    "outcome": "done",
    "seconds": 1.5,
    "bytes": 4096,
    "number": 7,
}


class Book:
    """A ledger's directory.

    Args:
        directory: which need not exist.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = str(directory)
        self.file = directory / "attempts.jsonl"
        self.lock = directory / "attempts.lock"
        self.locks = directory / "attempts"

    def attempt(self, **facts: Any) -> str:
        """Record a finished attempt; return its id."""
        made = self.begun(**facts)
        made.end(DONE)
        made.close()
        return made.id

    def begun(self, **facts: Any) -> Recording:
        """Record the begin of an attempt."""
        made = Recording(self.directory, {**FACTS, **facts})
        made.begin()
        return made

    def killed(self, **facts: Any) -> str:
        """Record an attempt that was killed; return its id."""
        made = self.begun(**facts)
        made.close()
        return made.id

    def read(self) -> Attempts:
        """Return the attempts in the ledger."""
        return read_attempts(self.directory)

    def outcomes(self) -> dict[str, str | None]:
        """Return the outcome of each attempt by its id; check that every line can be read."""
        read = self.read()
        assert (read.newer, read.unreadable) == (0, 0)
        return {one.id: one.outcome for one in read.attempts}

    def lines(self) -> list[dict[str, Any]]:
        """Return every line."""
        return [json.loads(line) for line in self.file.read_bytes().splitlines()]

    def running(self) -> list[str]:
        """Return the names of the attempts' locks."""
        return sorted(name for name in os.listdir(self.locks) if not name.endswith(".killed"))

    def unreported(self) -> list[str]:
        """Report the killed attempts that nobody was informed of; return their ids."""
        return [line.id for line in unreported(self.directory)]
