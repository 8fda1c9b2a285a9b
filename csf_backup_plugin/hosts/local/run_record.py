"""The record of a utility's run, made before it starts; see `hosts.guardian`."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import shutil

from csf_backup_plugin import timestamps
from csf_backup_plugin.hosts import guardian, quiescing
from csf_backup_plugin.hosts.local import entries, writing
from csf_backup_plugin.hosts.local.reading import read


class Record:
    """A directory about a run.

    Args:
        path: where.
    """

    def __init__(self, path: str) -> None:
        self.path = path

    def make(self, note: bytes = b"") -> None:
        """Make it, and reserve the space of all its files.

        Args:
            note: the contents of the file `note`; empty for no such file.

        Raises:
            FileExistsError: it is another run's.
            OSError: there is no room, or we may not create it; nothing is left.
        """
        os.mkdir(self.path)
        try:
            self._fill("alive", "", end="")
            self._fill("started", timestamps.now())
            self._fill("pid", f"{guardian.STARTING:<{guardian.PID_WIDTH}}")
            self._fill("status", f"{guardian.RUNNING:<{guardian.STATUS_WIDTH}}")
            self._fill("output", "\0" * guardian.ROOM, end="")
            if note:
                writing.create(self._file("note"), note)
                entries.sync(os.path.dirname(self.path))
        except BaseException:
            shutil.rmtree(self.path, ignore_errors=True)
            raise

    def open_output(self) -> int:
        """Return a descriptor of the file that output is written to, at its beginning."""
        return os.open(self._file("output"), os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)

    def group(self) -> int | None:
        """Return the utility's process group, once it is known."""
        word = self._word("pid")
        return int(word) if word.isdecimal() else None

    def status(self) -> str:
        """Return the record's file `status`: see `hosts.guardian`.

        Raises:
            OSError: it cannot be read.
        """
        return self._word("status")

    def report(self) -> bytes | None:
        """Return the record's file `quiesce`, if it exists yet; see `hosts.quiescing`."""
        return read(self._file(quiescing.REPORT))

    def stop(self) -> None:
        """Write the file that lets nothing more begin."""
        with contextlib.suppress(OSError):
            self._fill(quiescing.STOP, "")

    def is_released(self) -> bool:
        """Tell whether the guardian has nothing more to call, or is gone."""
        report = self.report() or b""
        if report.startswith(b"owed ") or b"\nend " in report:
            return True
        try:
            with open(self._file("alive"), "rb") as file:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return False
        return True

    def _word(self, name: str) -> str:
        data = read(self._file(name))
        if data is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), self._file(name))
        return data.decode("ascii", "replace").partition(" ")[0].strip()

    def _fill(self, name: str, text: str, end: str = "\n") -> None:
        with open(self._file(name), "x", encoding="utf-8") as file:
            file.write(text + end)

    def _file(self, name: str) -> str:
        return os.path.join(self.path, name)
