"""Files on another host: access rights are kept, and errors report what was changed before."""

from __future__ import annotations

import errno
import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from sshd import reached
from users import ACL, ALICE, BOB, CAROL, TEAM, acl, let_bob_in, may_write, shared_directory

from csf_backup_plugin.hosts.common import STICKY
from csf_backup_plugin.system_errors import HalfDone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sshd import Sshd

    from csf_backup_plugin.hosts.protocol.host import Host

pytestmark = pytest.mark.remote

NONE = 0xFFFFFFFF
# Fails for directories, whose names end with a slash.
SYNC = """
case $* in */) echo "sync: error syncing '$2': {}" >&2; exit 1;; esac
exec /bin/sync "$@"
"""


@pytest.fixture
def host(tmp_path: Path, serve: Callable[..., Sshd]) -> Iterator[Host]:
    """Return a host on which programs of a directory `bin` come first."""
    (tmp_path / "bin").mkdir()
    with reached(serve(PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")) as remote:
        yield remote


def test_who_may_use_a_file_may_use_what_replaces_it(
    host: Host, program: Callable[[str, str], None]
) -> None:
    """A new file keeps access by group or by ACL; users who lose access are reported."""
    with shared_directory(0o775, TEAM) as directory:
        let_bob_in(directory)
        path, beside = directory / "lib.db.manifest", directory / "new"
        path.write_bytes(b"old")
        os.chown(path, ALICE, TEAM)
        entries = ((1, 7, NONE), (2, 7, CAROL), (4, 4, NONE), (0x10, 6, NONE), (0x20, 0, NONE))
        os.setxattr(path, ACL, acl(*entries))
        assert host.replace(str(path), b"new", like="/no") == ""
        status = path.stat()
        assert (status.st_uid, status.st_gid, status.st_mode & 0o777) == (ALICE, TEAM, 0o660)
        assert may_write(path, CAROL)
        program("chown", "exit 1")  # as for a user other than root
        os.chown(path, ALICE, ALICE)
        os.removexattr(path, ACL)
        path.chmod(0o664)
        assert host.publish(str(beside), b"new", like=str(path)) == ""
        assert (beside.stat().st_uid, beside.stat().st_gid) == (0, ALICE)
        assert ACL not in os.listxattr(beside)  # alice is in the group of her name
        program("chgrp", "exit 1")
        os.chown(path, ALICE, TEAM)
        os.setxattr(path, ACL, acl((1, 7, NONE), (2, 7, CAROL), (4, 6, NONE), *entries[3:]))
        assert host.replace(str(path), b"newer", like="/no") == ""
        assert path.stat().st_uid == 0
        for number, group in ((ALICE, ALICE), (CAROL, CAROL), (9, TEAM)):
            assert may_write(path, number, group)
        assert not may_write(path, 9, 0)
        for tool in ("getfacl", "setfacl"):
            program(tool, "exit 127")
        os.chown(beside, ALICE, TEAM)
        assert host.replace(str(beside), b"newest", like="/no") == "group games and bin"
        assert beside.stat().st_mode & 0o777 == 0o644


def test_where_directories_cannot_be_synced_files_are_written_all_the_same(
    host: Host, program: Callable[[str, str], None], tmp_path: Path
) -> None:
    """Files are written even if directories cannot be synced, as on CIFS and some FUSE systems."""
    program("sync", SYNC.format("Invalid argument"))
    directory = tmp_path / "files"
    directory.mkdir()
    path = str(directory / "a")
    host.create(path, b"1")
    host.replace(path, b"2")
    host.make_directories([f"{path}.d"])
    host.move([(path, f"{path}.c")])
    assert host.sync([f"{path}.c"]) == [str(directory)]
    host.remove([f"{path}.d"])
    assert os.listdir(directory) == ["a.c"]


def test_what_was_changed_before_an_error_is_told(
    host: Host, program: Callable[[str, str], None], tmp_path: Path
) -> None:
    """Changes before an error are undone if possible, and otherwise reported."""
    program("sync", SYNC.format("Input/output error"))
    directory = tmp_path / "files"
    directory.mkdir()
    path = directory / "a"
    undo = "anyway; a power cut may undo that."
    for refused in (host.create, host.publish):
        with pytest.raises(OSError, match="Input/output error") as caught:
            refused(str(path), b"1")
        assert not isinstance(caught.value, HalfDone)
        assert os.listdir(directory) == []
    path.write_bytes(b"old\n")
    with pytest.raises(HalfDone) as half:
        host.replace(str(path), b"new\n")
    assert half.value.left == f"{path} was replaced {undo}"
    assert path.read_bytes() == b"new\n"
    with pytest.raises(OSError, match="Input/output error") as caught:
        host.make_directories([f"{path}.d"])
    with pytest.raises(OSError, match="Input/output error") as caught:
        host.move([(str(path), f"{path}.c")])
    assert os.listdir(directory) == ["a"]
    program("rm", 'case $* in *files/*) echo "rm: Input/output error" >&2; exit 1;; esac')
    program("rmdir", "exit 1")
    with pytest.raises(HalfDone) as half:
        host.make_directories([f"{path}.d"])
    assert half.value.left == f"{path}.d was made, and could not be removed again."
    program("rm", 'exec /bin/rm "$@"')
    with pytest.raises(HalfDone) as half:
        host.remove([str(path)])
    assert half.value.left == f"{path} was removed {undo}"
    assert (half.value.errno, half.value.filename) == (errno.EIO, str(path))


def test_what_was_appended_in_part_is_taken_back(
    host: Host, program: Callable[[str, str], None], tmp_path: Path
) -> None:
    """A partial append is truncated; if truncation fails, that is reported."""
    path = tmp_path / "journal"
    path.write_bytes(b"one\n")
    part = f"printf tw >> {path}; echo 'dd: No space left on device' >&2; exit 1"
    program("dd", f'case $* in *of={path}*) {part};; esac\nexec /bin/dd "$@"')
    with pytest.raises(OSError, match="No space left") as caught:
        host.append(str(path), b"two\n")
    assert not isinstance(caught.value, HalfDone)
    assert path.read_bytes() == b"one\n"
    program("truncate", "exit 1")
    with pytest.raises(HalfDone) as half:
        host.append(str(path), b"two\n")
    assert half.value.left == f"What was to be added to {path} may be in it, in part or in whole."
    assert half.value.errno == errno.ENOSPC


def test_in_a_sticky_directory_it_is_told_who_may_replace_or_remove(
    host: Host, program: Callable[[str, str], None]
) -> None:
    """In a sticky directory such as /tmp, the error explains who may replace or remove a file."""
    for name in ("mv", "rm"):
        refuse = f"echo '{name}: Operation not permitted' >&2; exit 1"
        program(name, f'case $* in *.csf-*.tmp|*.own) exec /bin/{name} "$@";; esac\n{refuse}')
    with shared_directory(0o1777, TEAM) as directory:
        path = directory / "lib.db.manifest"
        path.write_bytes(b"data")
        os.chown(path, BOB, BOB)
        ways: list[Callable[[], object]] = [
            lambda: host.replace(str(path), b"new"),
            lambda: host.remove([str(path)]),
        ]
        for way in ways:
            directory.chmod(0o1777)
            with pytest.raises(OSError, match="sticky") as caught:
                way()
            assert str(caught.value.strerror) == f"Operation not permitted {STICKY}"
            assert caught.value.filename == str(path)
            directory.chmod(0o755)
            with pytest.raises(OSError, match="Operation not permitted: "):
                way()
        assert path.read_bytes() == b"data"


def test_what_a_killed_csf_has_left_goes_with_the_next_file_that_is_written(
    host: Host, tmp_path: Path
) -> None:
    """A write removes temporary files that are old or second names, unless they are locked."""
    directory, old = tmp_path / "files", time.time() - 7200
    directory.mkdir()
    for number, suffix in enumerate(("", ".own", "", "", "2")):
        path = directory / f".csf-{number:016x}.tmp{suffix}"
        path.touch()
        os.utime(path, (old, old))
    os.utime(directory / f".csf-{2:016x}.tmp")
    before = sorted(os.listdir(directory))
    (directory / "published").touch()
    os.link(directory / "published", directory / f".csf-{9:016x}.tmp")
    held = ["flock", str(directory / f".csf-{3:016x}.tmp"), "sh", "-c", "echo; cat"]
    pipe = subprocess.PIPE
    with subprocess.Popen(held, stdin=pipe, stdout=pipe) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        host.replace(str(directory / "file"), b"data")
        assert sorted(os.listdir(directory)) == [*before[2:], "file", "published"]
        holder.communicate()
