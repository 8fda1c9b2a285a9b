"""Where the records of an image are written: a file, at offsets, or a pipe, in order.

A writer claims the room for a record while it holds its lock, and stores the record after it has
released the lock. So the threads write to a file at the same time, and to a pipe one after another.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence
from io import FileIO
from typing import Protocol

from csf_simulator.system.file_errors import FileErrors

Buffer = bytes | memoryview


class Sink(Protocol):
    """One volume being written."""

    def claim(self, parts: Sequence[Buffer]) -> int:
        """Reserve the place of a record, header and payload, and return its offset."""
        ...

    def store(self, parts: Sequence[Buffer], offset: int) -> None:
        """Write the record to the place reserved."""
        ...

    def close(self) -> None:
        """Close the volume, whatever its state is; once is enough."""
        ...


class FileSink:
    """A volume that is a file; what it held before is gone."""

    def __init__(self, file: FileIO) -> None:
        if os.fstat(file.fileno()).st_size:  # ext4 flushes a file that was ever truncated
            file.truncate(0)
        self._file = file
        self._end = 0

    def claim(self, parts: Sequence[Buffer]) -> int:
        """Reserve the room after everything claimed before."""
        offset, length = self._end, _length(parts)
        self._end += length
        return offset

    def store(self, parts: Sequence[Buffer], offset: int) -> None:
        """Write to the place reserved; several threads may do so at once."""
        with FileErrors(self._file.name):
            written, length = os.pwritev(self._file.fileno(), parts, offset), _length(parts)
            if written < length:  # the next write raises the error
                whole = b"".join(parts)
                while written < length:
                    written += os.pwrite(self._file.fileno(), whole[written:], offset + written)

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class StreamSink:
    """A volume that is a pipe, a device or a terminal."""

    def __init__(self, file: FileIO) -> None:
        self._file = file

    def claim(self, parts: Sequence[Buffer]) -> int:
        """Write at once, before another thread can write."""
        with FileErrors(self._file.name):
            written, length = os.writev(self._file.fileno(), parts), _length(parts)
            if written < length:
                whole = b"".join(parts)
                while written < length:
                    written += self._file.write(whole[written:])
        return 0

    def store(self, parts: Sequence[Buffer], offset: int) -> None:
        """Do nothing: `claim` has written the record."""

    def close(self) -> None:
        """Close this end."""
        self._file.close()


def sink_for(file: FileIO) -> Sink:
    """Return the sink for an open file, which the sink closes."""
    is_file = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
    return FileSink(file) if is_file else StreamSink(file)


def _length(parts: Sequence[Buffer]) -> int:
    """Return the bytes of all parts together."""
    return sum(map(len, parts))
