"""Open the volumes that osbackup writes, with the messages of the ObjectStore 6.0 manual."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from io import FileIO

from csf_simulator.database.sources import Source
from csf_simulator.image.sinks import Sink, StreamSink, sink_for
from csf_simulator.program.errors import UtilityError
from csf_simulator.program.streams import STDERR, STDOUT, say
from csf_simulator.utilities.media import STANDARD, Media
from csf_simulator.utilities.selection import Identity

QUESTION = "Please enter the pathname of the next file to use for backup."


class BackupVolumes:
    """The volumes of an image being written.

    Args:
        names: the files named with -f.
        abort: fail instead of asking the operator for another file.
        taken: databases and record of this backup, by device and inode: no image may overwrite one.
    """

    def __init__(self, names: Sequence[str], *, abort: bool, taken: Iterable[Identity]) -> None:
        self._taken = set(taken)
        self._out = STDERR if STANDARD in names else STDOUT  # inferred: the image has stdout then
        self._media = Media(names, QUESTION, abort=abort, out=self._out)
        self._number = 0

    def open(self, number: int) -> Sink:
        """Open the volume of a number, from 1; the one before is finished.

        Raises:
            UtilityError: None is left, or it cannot be opened or overwritten.
        """
        if number > 1:
            self.report_closed()
            if (name := self._media.named()) is not None:
                self._say(f"Auto switching to volume #{number} ({name}).")
        self._number = number
        return self._media.open_next(self._open)

    def report(self, source: Source) -> None:
        """Say that a database is being archived, with its path as it was given."""
        self._say(f"Archiving {source.sectors} sectors in database {source.path}.")

    def report_closed(self) -> None:
        """Say that the volume is complete."""
        self._say(f"Closing volume #{self._number} ({self._media.name}).")

    def _open(self, name: str) -> Sink:
        """Open a file as the present volume, and empty it."""
        sink = self._open_standard() if name == STANDARD else self._open_file(name)
        self._say(f"Writing backup volume #{self._number} ({name})...")
        return sink

    def _open_standard(self) -> Sink:
        """Open standard output; even a file is written in order, from its present position."""
        return StreamSink(FileIO("standard output", "wb", opener=lambda *_: os.dup(STDOUT)))

    def _open_file(self, name: str) -> Sink:
        """Open a file, unless this backup itself needs its contents (invented)."""
        file = FileIO(name, "wb", opener=_open_as_it_is)
        status = os.fstat(file.fileno())
        identity = status.st_dev, status.st_ino
        if identity in self._taken:
            file.close()
            raise UtilityError(f"{name}: another volume, a database or the record of this backup")
        self._taken.add(identity)
        return sink_for(file)

    def _say(self, text: str) -> None:
        """Say something to the operator."""
        say(text, self._out)


def _open_as_it_is(name: str, flags: int) -> int:
    """Open or create a file, without emptying it yet."""
    return os.open(name, flags & ~os.O_TRUNC, 0o666)
