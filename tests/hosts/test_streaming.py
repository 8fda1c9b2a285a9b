"""The bytes of files from and to a host: what every host does, and the effects of a cut."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING

import pytest
from sshd import reached
from waiting import wait_for

from csf_backup_plugin.errors import HostUnreachable
from csf_backup_plugin.hosts.local.host import LocalHost
from memory_path import ODD, names

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    from sshd import Sshd

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.streaming import Sink, Source
    from memory_path import Home

DATA = bytes(range(256)) * 10_000


def all_of(source: Source) -> bytes:
    """Return all bytes of a file."""
    found = b""
    while (data := source.take()) != b"":
        found += data or b""
    return found


def fill(sink: Sink, data: bytes) -> None:
    """Give all bytes, and wait until they have arrived."""
    rest = memoryview(data)
    while rest:
        rest = rest[sink.give(rest) :]
    while not sink.end():
        pass


def is_cut() -> AbstractContextManager[object]:
    """Return a context that expects a cut to be reported."""
    return pytest.raises(HostUnreachable, match="was cut while .*/file went over it")


@pytest.mark.parametrize("data", [DATA, b"x", b""])
def test_bytes_go_from_a_host_and_to_it(host: Host, home: Home, data: bytes) -> None:
    """Files may have any size and name."""
    for name in ODD:
        path = str(home / name)
        with host.receiving(path) as sink:
            fill(sink, data)
        host.sync([path])
        with host.sending(path) as source:
            assert all_of(source) == data
    assert names(home) == set(ODD)


@pytest.mark.not_in_memory("permissions")
def test_not_everybody_may_write_to_what_arrives(host: Host, tmp_path: Path) -> None:
    """This holds for any umask."""
    with host.receiving(str(tmp_path / "file")) as sink:
        fill(sink, b"x")
    assert not stat.S_IMODE((tmp_path / "file").stat().st_mode) & stat.S_IWOTH


def test_nothing_that_stands_there_is_filled(host: Host, home: Home) -> None:
    """The target of a link is not filled either."""
    (home / "file").write_bytes(b"old")
    (home / "link").symlink_to("nothing")
    for name in ("file", "link"):
        with pytest.raises(FileExistsError), host.receiving(str(home / name)) as sink:
            fill(sink, DATA)
    assert names(home) == {"file", "link"}
    assert (home / "file").read_bytes() == b"old"


def test_a_directory_that_is_not_there_is_reported(host: Host, home: Home) -> None:
    """The error is the system's."""
    path = str(home / "missing" / "file")
    with pytest.raises(FileNotFoundError) as caught, host.receiving(path) as sink:
        fill(sink, DATA)
    assert caught.value.filename == path


def test_a_file_that_is_not_there_is_not_sent(host: Host, home: Home) -> None:
    """It is not an empty file."""
    path = str(home / "missing")
    with pytest.raises(FileNotFoundError) as caught, host.sending(path) as source:
        all_of(source)
    assert caught.value.filename == path


@pytest.mark.not_in_memory("files that cannot be read to their end")
def test_a_file_that_cannot_be_read_to_its_end_is_reported(host: Host, tmp_path: Path) -> None:
    """The part that was read does not count."""
    is_one = pytest.raises(OSError, match="Is a directory")
    with is_one as caught, host.sending(str(tmp_path)) as source:
        all_of(source)
    assert caught.value.filename == str(tmp_path)


@pytest.mark.remote
def test_what_a_login_shell_says_is_no_byte_of_a_file(noisy: Sshd, tmp_path: Path) -> None:
    """It is not the reason of a failure either."""
    with reached(noisy) as host:
        with host.receiving(str(tmp_path / "file")) as sink:
            fill(sink, DATA)
        with host.sending(str(tmp_path / "file")) as source:
            assert all_of(source) == DATA
        with pytest.raises(FileExistsError), host.receiving(str(tmp_path / "file")) as sink:
            fill(sink, DATA)
    assert (tmp_path / "file").read_bytes() == DATA


@pytest.mark.remote
def test_a_cut_is_reported_by_what_is_sent(serve: Callable[..., Sshd], tmp_path: Path) -> None:
    """The part that was read is not taken for the whole file."""
    server = serve()
    os.mkfifo(tmp_path / "file")
    with reached(server) as host:
        host.stat([])
        with is_cut(), host.sending(str(tmp_path / "file")) as source:
            writer = os.open(tmp_path / "file", os.O_WRONLY)
            os.write(writer, b"some")
            wait_for(lambda: source.take() == b"some")
            server.cut()
            all_of(source)
    os.close(writer)


@pytest.mark.remote
def test_a_cut_is_reported_by_what_is_received(serve: Callable[..., Sshd], tmp_path: Path) -> None:
    """The part that arrived stays, to be removed."""
    server = serve()
    with reached(server) as host, is_cut(), host.receiving(str(tmp_path / "file")) as sink:
        wait_for((tmp_path / "file").exists)
        server.cut()
        while True:
            sink.give(memoryview(DATA))
    assert DATA.startswith((tmp_path / "file").read_bytes()[: len(DATA)])


@pytest.mark.remote
def test_a_host_that_lets_nobody_in_is_reported(sshd: Sshd, tmp_path: Path) -> None:
    """The first login, for all other calls, reports it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sshd, "command", f"{sshd.command} -o User=nobody -o IdentityFile=/none")
        unreachable = pytest.raises(HostUnreachable, match="cannot be reached")
        with reached(sshd) as host, unreachable, host.sending(str(tmp_path / "file")):
            pass


def test_what_was_written_is_on_the_disk(synced: list[str]) -> None:
    """This holds after its end."""
    with LocalHost().receiving("/d/file") as sink:
        fill(sink, b"data")
        assert synced == ["file"]
