"""Where an image is read from."""

from __future__ import annotations

import os
from io import FileIO
from pathlib import Path

import pytest

from csf_simulator.image.volumes import FileVolume, StreamVolume, VolumeInput, volume_for


def read(volume: VolumeInput, length: int) -> bytes:
    """Read bytes at once."""
    view = memoryview(bytearray(length))
    return bytes(view[: volume.fill(view, volume.claim(view))])


@pytest.fixture
def file(tmp_path: Path) -> FileIO:
    """Return a file of ten bytes, to be closed by its volume."""
    path = tmp_path / "image"
    path.write_bytes(b"0123456789")
    return FileIO(path, "rb")


@pytest.mark.parametrize("kind", [FileVolume, StreamVolume])
def test_volume_is_read_in_order(kind: type[FileVolume] | type[StreamVolume], file: FileIO) -> None:
    """Each read continues where the last one ended; at the end there is less, then nothing."""
    volume = kind(file)
    assert [read(volume, 4) for _ in range(4)] == [b"0123", b"4567", b"89", b""]
    volume.close()
    volume.close()
    assert file.closed


def test_file_can_be_filled_from_out_of_order(file: FileIO) -> None:
    """Claims may be filled in any order."""
    volume = volume_for(file, 1)
    views = [memoryview(bytearray(3)) for _ in range(2)]
    claims = [volume.claim(view) for view in views]
    for view, claim in reversed(list(zip(views, claims, strict=True))):
        assert volume.fill(view, claim) == 3
    assert [bytes(view) for view in views] == [b"012", b"345"]
    volume.close()


def test_first_file_stays_open_when_it_is_done_with(file: FileIO) -> None:
    """A thread may still be reading what it claimed."""
    volume = volume_for(file, 1)
    claim = volume.claim(view := memoryview(bytearray(3)))
    volume.retire()
    assert (volume.fill(view, claim), bytes(view)) == (3, b"012")
    volume.close()


def test_later_file_is_closed_when_it_is_done_with(file: FileIO) -> None:
    """Thousands of volumes need no more descriptors than two."""
    volume = volume_for(file, 2)
    claim = volume.claim(view := memoryview(bytearray(3)))
    volume.retire()
    assert file.closed
    assert (volume.fill(view, claim), bytes(view)) == (3, b"012")


def test_pipe_is_read_through_its_pauses() -> None:
    """A read from a pipe brings less than was asked for, until its end."""
    reading, writing = os.pipe()
    os.write(writing, b"abc")
    volume = volume_for(FileIO(reading, "rb"), 1)
    assert read(volume, 2) == b"ab"
    os.write(writing, b"def")
    os.close(writing)
    assert read(volume, 10) == b"cdef"
    volume.close()


@pytest.mark.parametrize("kind", [FileVolume, StreamVolume])
def test_error_names_the_image(
    kind: type[FileVolume] | type[StreamVolume], file: FileIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error of a failing disk names the file."""

    def fail(*_: object) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "preadv", fail)
    failing = FileIO(os.open("/proc/self/mem", os.O_RDONLY), "rb")  # address 0 cannot be read
    volume = kind(file if kind is FileVolume else failing)
    with pytest.raises(OSError, match="Input/output error") as caught:
        read(volume, 4)
    assert caught.value.filename in (file.name, failing.name)
    volume.close()
    file.close()
    failing.close()
