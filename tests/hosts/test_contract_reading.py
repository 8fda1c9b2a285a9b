"""What every host reports about itself and about the contents of files."""

from __future__ import annotations

import datetime
import errno
import os
import socket
import threading
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin import timestamps
from csf_backup_plugin.hosts import common
from memory_path import make_pipe

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from csf_backup_plugin.hosts.protocol.host import Host
    from memory_path import Home

ID = "0123456789abcdef0123456789abcdef"
ODD = ["a b", "it's", "$(id)", "*", "a\nb", "end\n", "\udcff\udcfe", "0 1 byte copied, x"]


def numbers(found: Sequence[bytes | OSError | None]) -> list[bytes | int | None]:
    """Return the contents read, and the numbers of errors."""
    return [one.errno if isinstance(one, OSError) else one for one in found]


@pytest.mark.not_in_memory("machine of its own")
def test_a_host_tells_who_it_is(host: Host) -> None:
    """It gives its name like uname, and its time in UTC."""
    machine = host.machine()
    assert machine.name == os.uname().nodename
    assert timestamps.read(machine.now) == machine.now
    now = datetime.datetime.now(datetime.timezone.utc)
    assert abs(datetime.datetime.fromisoformat(machine.now) - now).total_seconds() < 60


@pytest.mark.not_in_memory("machine of its own")
@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (ID, "b" * 32, ID),
        (f"\t{ID}\n", None, ID),
        (None, f"{ID}\n", ID),
        ("\n", ID, ID),
        ("uninitialized\n", ID, ID),
        ("uninitialized\n", None, ""),
        ("", "", ""),
        (None, None, ""),
        ("x" * 5000, None, "x" * 100),
    ],
)
def test_a_machine_id_is_that_of_the_first_file_that_has_one(
    host: Host,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    first: str | None,
    second: str | None,
    told: str,
) -> None:
    """A machine that was never booted has none."""
    paths = (tmp_path / "an id", tmp_path / "other")
    for path, content in zip(paths, (first, second), strict=True):
        if content is not None:
            path.write_text(content)
    monkeypatch.setattr(common, "MACHINE_IDS", tuple(map(str, paths)))
    assert host.machine().id == told


def test_many_files_are_read_whatever_is_in_them(host: Host, home: Home) -> None:
    """The order is kept; names may be any, and there may be no file."""
    contents = [bytes(range(256)) * 300, b"", b"\n", b"3 bytes copied, \n", b"\0", b"00000001"]
    expected = []
    for number, name in enumerate(ODD):
        expected.append(contents[number % len(contents)])
        (home / name).write_bytes(expected[-1])
    paths = [str(home / name) for name in ODD]
    assert host.read_each(paths) == expected
    assert host.read_each(path for path in [*paths[:2], *paths[:2]]) == expected[:2] * 2
    assert [host.read(path) for path in paths] == expected
    assert host.read_each([]) == []


def test_thousands_of_files_are_read(host: Host, home: Home) -> None:
    """They do not fit into one command line."""
    deep = home / ("d" * 200)
    deep.mkdir()
    for number in range(0, 1500, 2):
        (deep / f"{number}").write_bytes(b"%d" % number * (number % 7))
    found = host.read_each([str(deep / f"{number}") for number in range(1500)])
    assert found[::2] == [b"%d" % number * (number % 7) for number in range(0, 1500, 2)]
    assert found[1::2] == [None] * 750


def test_a_file_that_cannot_be_read_disturbs_no_other(host: Host, home: Home) -> None:
    """The same error as for a single file is in its place."""
    (home / "file").write_bytes(b"data")
    (home / "link").symlink_to("file")
    (home / "dangling").symlink_to("nothing")
    (home / "loop").symlink_to("loop")
    (home / "directory").mkdir()
    make_pipe(home / "pipe")
    for name, number, said in (
        ("link", errno.ELOOP, "Is a symbolic link"),
        ("dangling", errno.ELOOP, "Is a symbolic link"),
        ("loop", errno.ELOOP, "Is a symbolic link"),
        ("loop/below", errno.ELOOP, "Too many levels of symbolic links"),
        ("directory", errno.EINVAL, "Not a file"),
        ("pipe", errno.EINVAL, "Not a file"),
        ("file/below", errno.ENOTDIR, "Not a directory"),
    ):
        check_unreadable(host, home, str(home / name), number, said)


@pytest.mark.not_in_memory("such files")
def test_what_only_a_system_has_disturbs_no_file(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sockets, devices and names that are too long count as unreadable files."""
    (tmp_path / "file").write_bytes(b"data")
    with socket.socket(socket.AF_UNIX) as end, monkeypatch.context() as patch:
        patch.chdir(tmp_path)  # the address of a socket must be short
        end.bind("socket")
    for name, number, said in (
        ("socket", errno.EINVAL, "Not a file"),
        ("/dev/null", errno.EINVAL, "Not a file"),
        ("x" * 300, errno.ENAMETOOLONG, "File name too long"),
        ("/proc/self/mem", errno.EIO, "Input/output error"),
    ):
        check_unreadable(host, tmp_path, os.path.join(tmp_path, name), number, said)


def check_unreadable(host: Host, home: Home, path: str, number: int, said: str) -> None:
    """Make a path unreadable between two readable files, and check the result."""
    good = str(home / "file")
    before, error, missing, after = host.read_each([good, path, str(home / "no"), good])
    assert (before, missing, after) == (b"data", None, b"data")
    assert isinstance(error, OSError)
    with pytest.raises(OSError, match=said) as caught:
        host.read(path)
    for one in (error, caught.value):
        assert (one.errno, one.strerror, one.filename) == (number, said, path)


@pytest.mark.not_in_memory("files that are too large")
def test_a_file_that_is_too_large_is_not_taken_into_memory(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files of /proc show their size only when they are read; the limit is exact."""
    large = str(tmp_path / "large")
    with open(large, "wb") as file:
        file.truncate(common.LARGEST + 1)
    with pytest.raises(OSError, match="File too large") as caught:
        host.read(large)
    assert (caught.value.errno, caught.value.filename) == (errno.EFBIG, large)
    monkeypatch.setattr(common, "LARGEST", 10)
    (tmp_path / "fits").write_bytes(b"0123456789")
    (tmp_path / "too large").write_bytes(b"0123456789a")
    (tmp_path / "link").symlink_to("too large")
    names = ("fits", "too large", "large", "link", "fits", "missing")
    found = host.read_each([*(str(tmp_path / name) for name in names), "/proc/version"])
    data, large_number = b"0123456789", errno.EFBIG
    assert numbers(found) == [
        *(data, large_number, large_number, errno.ELOOP, data, None, large_number),
    ]
    assert numbers(host.read_each(["/proc/version", str(tmp_path / "fits")])) == [
        *(errno.EFBIG, b"0123456789"),
    ]


@pytest.mark.not_in_memory("files that others change")
def test_a_file_that_changes_as_it_is_read_disturbs_no_other(host: Host, tmp_path: Path) -> None:
    """The change affects its own result only."""
    for name in ("before", "after"):
        (tmp_path / name).write_bytes(name.encode() * 1000)
    changing, stop = tmp_path / "changing", threading.Event()
    changing.touch()

    def change() -> None:
        while not stop.is_set():
            for size in (0, 3_000_000, 5, 200_000):
                with open(changing, "r+b") as file:
                    file.truncate(size)

    thread = threading.Thread(target=change)
    thread.start()
    try:
        paths = [str(tmp_path / name) for name in ("before", "changing", "changing", "after")]
        for _ in range(20):
            before, one, two, after = host.read_each(paths)
            assert (before, after) == (b"before" * 1000, b"after" * 1000)
            assert all(isinstance(some, bytes) and not some.strip(b"\0") for some in (one, two))
    finally:
        stop.set()
        thread.join()
