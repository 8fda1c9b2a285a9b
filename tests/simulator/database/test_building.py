"""New database files."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator

import pytest

from csf_simulator.database.building import build, random_payloads
from csf_simulator.database.header import Header, read_header
from csf_simulator.database.sectors import PAYLOAD, SECTOR, decode_sector

ID = bytes(range(16))


@pytest.fixture
def path(tmp_path: os.PathLike[str]) -> str:
    """Return the path of a database that does not exist yet."""
    return os.path.join(tmp_path, "a.db")


def test_a_database_holds_what_was_asked_for(path: str) -> None:
    """The payloads lie in the sectors from 1 on, and the header counts them."""
    header = build(path, Header(ID, 0, "class", accounts=1, opening=5), [b"one", b"two"])
    with open(path, "rb") as file:
        assert read_header(file.fileno()) == header == Header(ID, 3, "class", 2, 1, 5)
        file.seek(SECTOR)
        assert (decode_sector(file.read(SECTOR), ID, 1) or b"")[:3] == b"one"
        assert (decode_sector(file.read(SECTOR), ID, 2) or b"")[:3] == b"two"
        assert file.read() == b""


def test_what_is_longer_than_its_payloads_ends_in_a_hole(path: str) -> None:
    """A database of a terabyte takes no more room than its written sectors."""
    header = build(path, Header(ID, 2**31, "class"), [b"one"])
    assert header == Header(ID, 2**31, "class", 1)
    status = os.stat(path)
    assert status.st_size == 2**40
    assert status.st_blocks * 512 < 2**20


def test_a_file_that_is_there_stays_as_it_is(path: str) -> None:
    """Nothing is ever overwritten by a new database."""
    with open(path, "wb") as file:
        file.write(b"mine")
    with pytest.raises(FileExistsError):
        build(path, Header(ID, 0, "class"))
    with open(path, "rb") as file:
        assert file.read() == b"mine"


def test_a_failure_leaves_nothing(path: str) -> None:
    """When the payloads fail half way, there is no file afterwards."""

    def payloads() -> Iterator[bytes]:
        yield b"one"
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        build(path, Header(ID, 0, "class"), payloads())
    assert not os.path.exists(path)


@pytest.mark.parametrize(("durable", "flushes"), [(True, 1), (False, 0)])
def test_durable_means_flushed(
    path: str, monkeypatch: pytest.MonkeyPatch, *, durable: bool, flushes: int
) -> None:
    """Only a database that must survive a power failure is flushed, once it is complete."""
    sizes: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda fd: sizes.append(os.fstat(fd).st_size))
    build(path, Header(ID, 0, "class"), [b"one"], durable=durable)
    assert sizes == [2 * SECTOR] * flushes


@pytest.mark.parametrize("count", [0, 1, 255, 256, 257, 1000])
def test_random_payloads_fill_whole_sectors_and_do_not_compress(count: int) -> None:
    """There are as many as asked, each full, and no compressor makes them smaller."""
    payloads = list(random_payloads(count))
    assert [len(payload) for payload in payloads] == [PAYLOAD] * count
    together = b"".join(payloads)
    assert len(zlib.compress(together)) >= len(together)
