"""An application server in the form of a file, and the program that stops and starts it."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.protocol.programs import Quiesce

if TYPE_CHECKING:
    from pathlib import Path

PROGRAM = """#!/bin/sh
here={here}
echo "$1 $2" >>"$here/calls"
[ ! -e "$here/$1.before" ] || . "$here/$1.before"
case $1 in
begin) rm -f "$here/up" ;;
end) : >"$here/up" ;;
esac
[ ! -e "$here/$1.after" ] || . "$here/$1.after"
"""


class ApplicationServer:
    """A server that runs, and the program that stops it while a utility runs.

    Args:
        directory: where all of it is; it is made.
    """

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self._up, self._calls = directory / "up", directory / "calls"
        self._directory = directory
        self.program = str(directory / "quiesce")
        (directory / "quiesce").write_text(PROGRAM.format(here=shlex.quote(str(directory))))
        os.chmod(self.program, 0o755)
        self._up.touch()
        self._calls.touch()
        self.debt = directory / "lib.db.quiesced"
        self.master = str(directory / "lib.db")

    @property
    def runs(self) -> bool:
        """Whether the server runs."""
        return self._up.exists()

    @property
    def calls(self) -> list[str]:
        """The words with which the program was called so far, if they were ours."""
        return [line.split()[0] for line in self._calls.read_text().splitlines()]

    def do(self, when: str, script: str) -> None:
        """Let the program do something else, too: for example before its work of `begin`.

        Args:
            when: such as ``begin.before`` or ``end.after``.
            script: for its shell.
        """
        (self._directory / when).write_text(f"{script}\n")

    def quiesce(self, limit: float = 60.0) -> Quiesce:
        """Return the description of the program for a repository beside it."""
        return Quiesce(self.program, self.master, str(self.debt), "owed\nby a test\n", limit)
