"""File operations of the server."""

from __future__ import annotations

import errno
import fcntl
import os
import sys
from pathlib import Path

import pytest

from csf_simulator.system.files import Identity, identity


def identity_of(path: Path) -> Identity:
    """Return the identity of a file by its name."""
    with path.open("rb") as file:
        return identity(file.fileno())


def test_a_file_keeps_its_identity(tmp_path: Path) -> None:
    """A file keeps its identity when it is renamed or written to."""
    path, other = tmp_path / "a", tmp_path / "b"
    path.write_bytes(b"1")
    before = identity_of(path)
    path.write_bytes(b"2" * 9999)
    os.link(path, other)
    path.unlink()
    assert identity_of(other) == before


def test_a_file_made_anew_is_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that gets the inode of a removed one has another generation."""
    asked = []

    def generation(_: int, request: int, argument: bytes) -> bytes:
        asked.append((request, len(argument)))
        return len(asked).to_bytes(4, sys.byteorder) + bytes(4)

    monkeypatch.setattr(fcntl, "ioctl", generation)
    (tmp_path / "a").touch()
    device, inode, first = identity_of(tmp_path / "a")
    assert identity_of(tmp_path / "a") == (device, inode, first + 1)
    assert asked == [(0x80087601, 8)] * 2  # FS_IOC_GETVERSION, which takes a long


def test_a_file_system_without_generations_is_good_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without generations, device and inode are the identity."""

    def refuse(*_: object) -> bytes:
        raise OSError(errno.ENOTTY, os.strerror(errno.ENOTTY))

    monkeypatch.setattr(fcntl, "ioctl", refuse)
    (tmp_path / "a").touch()
    status = (tmp_path / "a").stat()
    assert identity_of(tmp_path / "a") == (status.st_dev, status.st_ino, 0)
