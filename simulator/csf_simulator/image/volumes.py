"""Where an image is read from: a file, at offsets, or a pipe, in order; the sinks' other end.

A reader claims a payload while no other reads, and fills a buffer with it afterwards. So the
threads read a file at the same time, and a pipe one after another.
"""

from __future__ import annotations

import os
import stat
from io import FileIO
from typing import Protocol

from csf_simulator.system.file_errors import FileErrors


class VolumeInput(Protocol):
    """One volume being read."""

    def claim(self, view: memoryview) -> int:
        """Move on by the length of a view, and return what `fill` needs to find the bytes."""
        ...

    def fill(self, view: memoryview, claim: int) -> int:
        """Read what was claimed with the same view, and return how many bytes there were."""
        ...

    def retire(self) -> None:
        """Close the volume if no thread can be reading from it any more."""
        ...

    def close(self) -> None:
        """Close the volume; once is enough."""
        ...


class FileVolume:
    """A volume that is a file; several threads may fill from it at once."""

    def __init__(self, file: FileIO) -> None:
        self._file = file
        self._position = 0

    def claim(self, view: memoryview) -> int:
        """Move on, and return the offset of the bytes."""
        offset = self._position
        self._position += len(view)
        return offset

    def fill(self, view: memoryview, claim: int) -> int:
        """Read from the offset."""
        with FileErrors(self._file.name):
            return os.preadv(self._file.fileno(), [view], claim)

    def retire(self) -> None:
        """Do nothing: other threads may still read what they have claimed."""

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class StreamVolume:
    """A volume that can only be read in order."""

    def __init__(self, file: FileIO) -> None:
        self._file = file

    def claim(self, view: memoryview) -> int:
        """Read at once, and return how many bytes there were."""
        have = 0
        with FileErrors(self._file.name):
            while have < len(view) and (got := self._file.readinto(view[have:])):
                have += got
        return have

    def fill(self, view: memoryview, claim: int) -> int:
        """Do nothing: the view was filled."""
        return claim

    def retire(self) -> None:
        """Close this end: everything claimed was read."""
        self.close()

    def close(self) -> None:
        """Close this end."""
        self._file.close()


def volume_for(file: FileIO, number: int) -> VolumeInput:
    """Return the input for an open volume, which the input closes.

    Only the first volume is read at offsets: it stays open to the end, and a long row of small
    ones must not use up the descriptors.
    """
    is_file = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    return FileVolume(file) if is_file and number == 1 else StreamVolume(file)
