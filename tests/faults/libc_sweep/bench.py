"""A repository, its images, and a csf that can be struck; restored for each point."""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from cards import is_of_a_card

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_HERE = Path(__file__).parent
_COUNT, _SIGNAL, _FAIL, _DEAD = range(4)
#: Strokes: the kind, its value, and the calls that can realistically have it.
STROKES = {
    "KILL": (_SIGNAL, signal.SIGKILL, 7),
    "TERM": (_SIGNAL, signal.SIGTERM, 7),
    "EIO": (_FAIL, errno.EIO, 1),
    "ENOSPC": (_FAIL, errno.ENOSPC, 2),
    "EACCES": (_FAIL, errno.EACCES, 4),
    "dead EIO": (_DEAD, errno.EIO, 1),
    "dead ENOSPC": (_DEAD, errno.ENOSPC, 2),
}

# Utilities made of tar: tar shows what they save and restore.
OSBACKUP = """#!/bin/sh
exec tar -cP --verbatim-files-from -f "$5" -T "$3"
"""
OSRESTORE = """#!/bin/sh
[ "$1" != -t ] || exec tar -tP --quoting-style=literal -f "$3"
exec tar -xP -f "$2" ${3:+--transform "s,^$3/,$4/,"}
"""
OSVERIFYDB = "#!/bin/sh\n"


class Call(NamedTuple):
    """A call that may be struck.

    Attributes:
        name: the function of libc.
        can: the errors that it believably ends with.
        path: the file, below the directory that counts.
    """

    name: str
    can: int
    path: str


class Ended(NamedTuple):
    """How a csf ended.

    Attributes:
        status: its exit status, or minus a signal's number.
        output: what it printed.
        errors: likewise on standard error.
        left: whether something that it started did not end.
    """

    status: int | None
    output: str
    errors: str
    left: bool


class Bench:
    """Where csf is struck.

    Args:
        root: an empty directory.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.site = root / "site"
        self.repository, self.images = self.site / "repository", self.site / "images"
        self.scratch = self.site / "scratch"
        self.master = str(self.repository / "lib.db")
        self._bin = root / "bin"
        self._bin.mkdir()
        for name, script in (
            ("osbackup", OSBACKUP),
            ("osrestore", OSRESTORE),
            ("osverifydb", OSVERIFYDB),
        ):
            (self._bin / name).write_text(script)
            (self._bin / name).chmod(0o755)
        self._server = self._started()

    def _started(self) -> subprocess.Popen[str]:
        library = self.root / "strike.so"
        source = str(_HERE / "strike.c")
        subprocess.run(
            ["cc", "-shared", "-fPIC", "-O1", "-o", str(library), source, "-ldl"], check=True
        )
        return subprocess.Popen(
            [sys.executable, str(_HERE / "server.py")],
            env={**os.environ, "LD_PRELOAD": str(library), "PYTHONHASHSEED": "0"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        """Stop the server."""
        self._server.communicate()

    def make(self) -> None:
        """Make an empty site: a repository of two databases, and no image."""
        shutil.rmtree(self.site, ignore_errors=True)
        for directory in (self.repository, self.images, self.scratch):
            directory.mkdir(parents=True)
            (directory / "notes.txt").write_text("somebody else's")
        for name in ("lib.db", "Book.db"):
            (self.repository / name).write_bytes(name.encode() * 100)

    def run(self, *argv: str, stroke: str = "", at: int = 0) -> Ended:
        """Run csf; strike call number `at`, if a stroke is named."""
        how, what, _ = STROKES[stroke] if stroke else (_COUNT, 0, 0)
        return self._order(argv, how, what, at, "")

    def calls(self, *argv: str) -> tuple[Ended, list[Call]]:
        """Run csf; return how it ended, and the calls that can be struck."""
        listed = self.root / "calls"
        ended = self._order(argv, _COUNT, 0, 0, str(listed))
        rows = (line.split(" ", 2) for line in listed.read_text().splitlines())
        return ended, [Call(name, int(can), path) for name, can, path in rows]

    def _order(self, argv: Sequence[str], how: int, what: int, at: int, listed: str) -> Ended:
        out, err = self.root / "out", self.root / "err"
        order: dict[str, Any] = {
            "argv": argv,
            "environment": {
                "PATH": f"{self._bin}:{os.environ['PATH']}",
                "CSF_BACKUP_LOCK_WAIT": "2",
                "CSF_BACKUP_STATE_DIR": str(self.root / "state"),
            },
            "within": str(self.site),
            "out": str(out),
            "err": str(err),
            "list": listed,
            "how": how,
            "what": what,
            "at": at,
        }
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(order) + "\n")
        self._server.stdin.flush()
        answer = json.loads(self._server.stdout.readline())
        output, errors = (path.read_text(errors="replace") for path in (out, err))
        return Ended(answer["status"], output, errors, answer["left"])

    def tree(self) -> dict[str, bytes]:
        """Return all files with their contents, except the contents of lock files.

        Those of recovery cards are left out, too, since they have a time.
        """
        found: dict[str, bytes] = {}
        for at, directories, names in os.walk(self.site):
            for name in directories:
                found[os.path.join(at, name)] = b""
            for name in names:
                path = os.path.join(at, name)
                is_known = name.endswith(".lock") or is_of_a_card(name)
                found[path] = b"" if is_known else Path(path).read_bytes()
        return found

    def save(self) -> None:
        """Save the state of the site for `again`."""
        shutil.rmtree(self.root / "saved", ignore_errors=True)
        shutil.copytree(self.site, self.root / "saved", symlinks=True)

    def again(self) -> None:
        """Restore the saved state of the site."""
        shutil.rmtree(self.site)
        shutil.copytree(self.root / "saved", self.site, symlinks=True)

    def a_night_later(self) -> None:
        """Make all temporary and empty files of ours a day older."""
        for path in self.site.rglob("*"):
            if path.name.startswith(".csf-") or (path.suffix == ".dbn" and not path.stat().st_size):
                os.utime(path, (0, 0))

    def is_locked(self) -> bool:
        """Tell whether any process holds the repository's lock."""
        try:
            with open(f"{self.master}.lock") as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False
