"""Read many files of another host in one call, even while they change."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pytest
from sshd import reached

from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.hosts.ssh.errors import Answer
from csf_backup_plugin.hosts.ssh.reading import Reading

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sshd import Sshd

    from csf_backup_plugin.hosts.ssh.connection import Connection

LISTED = b"a.json\0f\x001\0001.5\0\0b.json\0f\x001\0001.5\0\0//\0//\0"


class Told(Reading):
    """A host that always gives the same answer."""

    name = "remote"

    def __init__(self, answer: Answer) -> None:
        class Answers:
            def ask(self, *_arguments: str) -> Answer:
                return answer

        self._connection = cast("Connection", Answers())


def of(name: bytes, contents: bytes) -> bytes:
    """Return the answer for one file."""
    said = b"0 0+1 records out\n%d bytes copied, 0.1 s/%s" % (len(contents), name)
    return b"%s%s%8d" % (contents, said, len(said))


def test_files_that_come_or_go_meanwhile_are_told_apart() -> None:
    """A listed file that is gone has no contents, and a file that was not listed is left out."""
    answer = Answer(0, LISTED + of(b"a.json", b"A") + of(b"new.json", b"N"), b"")
    entries, contents = Told(answer).read_directory("/d", ".json")
    assert [entry.name for entry in entries] == ["a.json", "b.json"]
    assert contents == {"a.json": b"A", "b.json": None}


def test_what_cannot_be_read_is_not_taken_for_gone() -> None:
    """If a program fails, that is an error, so no receipt is skipped."""
    answer = Answer(1, LISTED, b"find: '/d/': Input/output error\n")
    with pytest.raises(OSError, match="Input/output error"):
        Told(answer).read_directory("/d", ".json")


def test_what_is_told_of_a_block_counts_only_if_it_was_whole() -> None:
    """A block whose size is wrong is ignored, and its files are read one by one after it."""
    whole = b"ABC" + b"block 3 1 2/a.json/b.json"
    torn = b"AX" + b"block 2"
    told = b"".join(b"%s%8d" % (part, len(part.lstrip(b"ABCX"))) for part in (torn, whole))
    answer = Answer(0, LISTED + told + of(b"c.json", b"D"), b"")
    assert Told(answer).read_directory("/d", ".json")[1] == {"a.json": b"A", "b.json": b"BC"}


@pytest.mark.remote
def test_many_files_are_read_as_on_this_host(sshd: Sshd, tmp_path: Path) -> None:
    """Files are read in blocks, and one by one in a block with an unusual file."""
    for number in range(450):
        (tmp_path / f"{number:03}.json").write_bytes(b"/" * number + b"\n0 block\xff\0")
    (tmp_path / "new\nline 7 bytes.json").write_bytes(b"odd")
    (tmp_path / ".hidden.json").write_bytes(b"")
    (tmp_path / "250.json").unlink()
    (tmp_path / "250.json").symlink_to("251.json")
    (tmp_path / "350.json").unlink()
    (tmp_path / "350.json").mkdir()
    here = LocalHost()
    with reached(sshd) as host:
        entries, contents = host.read_directory(str(tmp_path), ".json")
        expected = here.read_directory(str(tmp_path), ".json")
        assert (sorted(entries), {*contents}) == (sorted(expected[0]), {*expected[1]})
        assert {name: str(said) for name, said in contents.items()} == {
            name: str(said) for name, said in expected[1].items()
        }
        paths = [str(tmp_path / f"{number:03}.json") for number in range(440, 460)]
        assert host.read_each(paths * 12) == here.read_each(paths * 12)


@pytest.mark.remote
@pytest.mark.parametrize("change", ["grows", "is replaced"])
def test_a_file_that_changes_while_it_is_read_is_read_whole(
    serve: Callable[..., Sshd], tmp_path: Path, change: str
) -> None:
    """A file that changes is read whole, and its bytes do not get into another file's data."""
    paths = [tmp_path / name for name in ("a", "b", "c")]
    for path in paths:
        path.write_bytes(path.name.encode() * 10)
    programs = tmp_path / "bin"
    programs.mkdir()
    to = "printf xx >>" if change == "grows" else "printf bbbbbbbbbb >b.new; mv b.new"
    (programs / "cat").write_text(
        f"#!/bin/sh\ncase $* in *{paths[1]}*) cd {tmp_path}; {to} {paths[1]};; esac\n"
        'exec /bin/cat "$@"\n'
    )
    (programs / "cat").chmod(0o755)
    with reached(serve(PATH=f"{programs}:/usr/bin:/bin:/usr/sbin:/sbin")) as host:
        read = host.read_each(map(str, paths))
    added = b"xx" if change == "grows" else b""
    assert read == [b"a" * 10, b"b" * 10 + added, b"c" * 10]
