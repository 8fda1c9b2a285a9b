"""Where the records of an image are written."""

from __future__ import annotations

import os
import threading
from io import FileIO
from pathlib import Path

import pytest

from csf_simulator.image.sinks import FileSink, Sink, StreamSink, sink_for

HEADER, PAYLOAD = b"header, ", b"and then a payload"


def put(sink: Sink) -> None:
    """Write one record."""
    sink.store((HEADER, PAYLOAD), sink.claim((HEADER, PAYLOAD)))


def test_file_is_emptied_and_written_at_offsets(tmp_path: Path) -> None:
    """Records may be stored in any order, for each has its place."""
    path = tmp_path / "image"
    path.write_bytes(b"x" * 1000)
    sink = FileSink(FileIO(path, "r+b"))
    first, second = (sink.claim((letter * 3,)) for letter in (b"a", b"b"))
    sink.store((b"bbb",), second)
    sink.store((b"aaa",), first)
    sink.close()
    sink.close()
    assert path.read_bytes() == b"aaabbb"


def test_pipe_is_written_in_order() -> None:
    """A pipe gets a record when it is claimed, and only once."""
    reading, writing = os.pipe()
    sink = StreamSink(FileIO(writing, "wb"))
    put(sink)
    sink.close()
    assert os.read(reading, 1000) == HEADER + PAYLOAD
    os.close(reading)


def test_short_writes_to_a_file_are_completed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A system call that writes less than it was given is repeated with the rest."""
    pwrite = os.pwrite
    monkeypatch.setattr(
        os, "pwritev", lambda fd, parts, offset: pwrite(fd, b"".join(parts)[:5], offset)
    )
    monkeypatch.setattr(os, "pwrite", lambda fd, rest, offset: pwrite(fd, rest[:4], offset))
    path = tmp_path / "image"
    sink = FileSink(FileIO(path, "wb"))
    put(sink)
    put(sink)
    sink.close()
    assert path.read_bytes() == (HEADER + PAYLOAD) * 2


def test_short_writes_to_a_pipe_are_completed() -> None:
    """A record larger than the pipe holds arrives whole, though the pipe does not wait."""
    reading, writing = os.pipe()
    os.set_blocking(writing, True)
    sink = StreamSink(FileIO(writing, "wb"))
    record = (b"h" * 48, os.urandom(300_000))
    read = bytearray()

    def drain() -> None:
        while part := os.read(reading, 1000):
            read.extend(part)

    reader = threading.Thread(target=drain)
    reader.start()
    sink.store(record, sink.claim(record))
    sink.close()
    reader.join(timeout=60)
    os.close(reading)
    assert bytes(read) == b"".join(record)


def test_rest_of_a_short_write_to_a_pipe_follows(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system call that writes less than it was given is followed by the rest."""
    reading, writing = os.pipe()
    monkeypatch.setattr(os, "writev", lambda fd, parts: os.write(fd, b"".join(parts)[:5]))
    sink = StreamSink(FileIO(writing, "wb"))
    put(sink)
    sink.close()
    assert os.read(reading, 1000) == HEADER + PAYLOAD
    os.close(reading)


def test_error_names_the_image() -> None:
    """The error for a full disk names the file that filled it."""
    sink = sink_for(FileIO("/dev/full", "wb"))
    assert isinstance(sink, StreamSink)
    with pytest.raises(OSError, match=r"No space left on device: '/dev/full'"):
        put(sink)
    sink.close()
