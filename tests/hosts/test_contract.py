"""The contract of every host: this machine, one over ssh, and the double of the other tests."""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import os
import re
import socket
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.errors import LockBusy, UtilityMissing
from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.common import CUT_SHORT
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.hosts.protocol.steps import (
    Absent,
    Append,
    Create,
    Publish,
    Release,
    RemoveTrees,
    Replace,
)
from csf_backup_plugin.hosts.protocol.values import ENDLESS, Completed, Entry
from doubles import MemoryHost
from memory_path import ODD, change_time, make_pipe, names

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.programs import Running
    from memory_path import Home


def test_files_are_written_and_read_by_any_name(host: Host, home: Home) -> None:
    """Names may have special characters of a shell, and contents any bytes."""
    data = bytes(range(256)) * 3 + b"\n"
    for name in ODD:
        path = str(home / name)
        host.create(path, data)
        assert host.read(path) == data
    assert names(home) == set(ODD)
    found = host.stat([str(home / name) for name in ODD])
    assert [(one.kind, one.size) for one in found] == [("file", len(data))] * len(ODD)
    assert {entry.name for entry in host.list_directory(str(home))} == set(ODD)
    host.sync([str(home / name) for name in ODD])
    host.remove([str(home / name) for name in (*ODD, "missing")])
    assert names(home) == set()


def test_what_is_not_there_reads_as_none(host: Host, home: Home) -> None:
    """Anything that is no file is refused."""
    assert host.read(str(home / "missing")) is None
    make_pipe(home / "pipe")
    with pytest.raises(OSError, match="Not a file") as caught:
        host.read(str(home / "pipe"))
    assert caught.value.filename == str(home / "pipe")


@pytest.mark.parametrize("way", ["create", "publish"])
def test_what_exists_is_never_overwritten(host: Host, home: Home, way: str) -> None:
    """A link to nothing is not overwritten either."""
    write: Callable[[str, bytes], None] = getattr(host, way)
    (home / "file").write_bytes(b"old")
    (home / "link").symlink_to("nothing")
    for name in ("file", "link"):
        with pytest.raises(FileExistsError):
            write(str(home / name), b"new")
    assert names(home) == {"file", "link"}
    assert (home / "file").read_bytes() == b"old"


@pytest.mark.parametrize("way", ["create", "publish", "replace"])
def test_a_directory_that_is_not_there_is_reported(host: Host, home: Home, way: str) -> None:
    """The error is the system's."""
    write: Callable[[str, bytes], None] = getattr(host, way)
    with pytest.raises(FileNotFoundError):
        write(str(home / "missing" / "file"), b"new")


def test_what_is_asked_together_is_answered_in_order(host: Host, home: Home) -> None:
    """One question may need the answer of another, and there may be none."""
    (home / "one").write_bytes(b"1")
    (home / "two").write_bytes(b"22")

    def chain() -> list[bytes | None]:
        names = sorted(entry.name for entry in host.list_directory(str(home)))
        return [host.read(str(home / name)) for name in names]

    sizes = [functools.partial(host.stat, [str(home / name)]) for name in ("two", "one")]
    found = host.together(
        chain,
        lambda: host.read(str(home / "two")),
        lambda: host.together(*sizes),
        lambda: host.sync([str(home / "one")]),
    )
    contents, two, looked, unsynced = found
    assert (contents, two, unsynced) == ([b"1", b"22"], b"22", [])
    assert [at.size for (at,) in looked] == [2, 1]
    assert host.together() == ()


def test_of_what_fails_together_the_first_is_reported(host: Host, home: Home) -> None:
    """The order of the questions decides, however long each takes."""
    (home / "file").write_bytes(b"1")

    def late() -> None:
        for _ in range(3):
            host.read(str(home / "file"))
        host.list_directory(str(home / "missing"))

    with pytest.raises(FileNotFoundError) as caught:
        host.together(
            lambda: host.read(str(home / "file")),
            late,
            lambda: host.list_directory(str(home / "file")),
        )
    assert caught.value.filename == str(home / "missing")


@pytest.mark.not_in_memory("permissions")
def test_a_published_file_is_like_another(host: Host, tmp_path: Path) -> None:
    """It gets the same permissions without the executable bits."""
    (tmp_path / "like").touch()
    (tmp_path / "like").chmod(0o764)
    host.publish(str(tmp_path / "file"), b"one", like=str(tmp_path / "like"))
    assert stat.S_IMODE((tmp_path / "file").stat().st_mode) == 0o664
    host.replace(str(tmp_path / "file"), b"two", like=str(tmp_path / "missing"))
    assert (tmp_path / "file").read_bytes() == b"two"
    assert names(tmp_path) == {"like", "file"}


@pytest.mark.parametrize("torn", [b"t", b"t" * 10_000, b"\0\xff" * 4096, b" [cut sh"])
def test_lines_are_appended_behind_a_line_that_was_cut_short(
    host: Host, home: Home, torn: bytes
) -> None:
    """The partial line is ended and marked, so that it is recognised."""
    path = home / "journal"
    path.write_bytes(b"one\n")
    host.append(str(path), b"\xff\n")
    assert path.read_bytes() == b"one\n\xff\n"
    path.write_bytes(b"one\n" + torn)
    host.append(str(path), b"two\n%s\n")
    host.append(str(path), b"two\n%s\n")
    assert path.read_bytes() == b"one\n" + torn + CUT_SHORT + b"\n" + b"two\n%s\n" * 2
    assert names(home) == {"journal"}


def test_nothing_is_appended_where_no_line_is_whole(host: Host, home: Home) -> None:
    """The file is not one of ours."""
    path = home / "journal"
    for content in (b"", b"torn", b"t" * 10_000):
        path.write_bytes(content)
        with pytest.raises(OSError, match="Not one whole line in it.*/journal") as caught:
            host.append(str(path), b"two\n")
        assert caught.value.errno == errno.EINVAL
        assert path.read_bytes() == content
    path.unlink()
    with pytest.raises(FileNotFoundError):
        host.append(str(path), b"two\n")
    assert names(home) == set()


def test_nothing_is_appended_to_what_is_no_file(host: Host, home: Home) -> None:
    """A link to a file and a pipe are refused; nothing waits."""
    (home / "file").write_bytes(b"one\n")
    (home / "link").symlink_to("file")
    (home / "dangling").symlink_to("nothing")
    make_pipe(home / "pipe")
    (home / "directory").mkdir()
    for name, number, said in (
        ("link", errno.ELOOP, "Is a symbolic link"),
        ("dangling", errno.ELOOP, "Is a symbolic link"),
        ("pipe", errno.EINVAL, "Not a file"),
        ("directory", errno.EISDIR, "Is a directory"),
    ):
        with pytest.raises(OSError, match=said) as caught:
            host.append(str(home / name), b"two\n")
        assert (caught.value.errno, caught.value.filename) == (number, str(home / name))
    assert (home / "file").read_bytes() == b"one\n"
    assert names(home) == {"file", "link", "dangling", "pipe", "directory"}


def test_paths_are_looked_at_all_at_once(host: Host, home: Home) -> None:
    """Links are followed; a link to nothing is neither a file nor missing."""
    (home / "file").write_bytes(b"12345")
    (home / "link").symlink_to("file")
    (home / "dangling").symlink_to("nothing")
    (home / "loop").symlink_to("loop")
    make_pipe(home / "pipe")
    paths = [str(home / name) for name in ("file", "link", "dangling", "loop", "pipe", "no")]
    found, facts = host.stat([*paths, str(home)]), host.look([*paths, str(home)])
    kinds = ["file", "file", "other", "other", "other", "missing", "directory"]
    assert [one.kind for one in found] == [fact.kind for fact in facts] == kinds
    assert [one.size for one in found] == [5, 5, 0, 0, 0, 0, 0]
    assert [bool(one.stamp) for one in found] == [True, True, *[False] * 5]
    assert [one.link for one in found] == [False, True, True, True, False, False, False]
    assert [one.readable for one in found[:2]] == [True, True]
    assert not found[-2].readable
    for at in (found, facts):
        assert [(one.device, one.inode) == (-1, 0) for one in at] == [
            *(False, False, True, True, False, True, False),
        ]
    assert facts[1].resolved == facts[0].resolved == str(home / "file")
    assert facts[-1].writable
    assert host.stat([]) == []
    assert host.look([]) == []
    again = host.look([paths[0], paths[1], paths[0]])
    assert [fact.inode for fact in again] == [facts[0].inode] * 3
    host.sync([])
    host.remove([])


@pytest.mark.not_in_memory("disks")
def test_of_a_directory_its_disks_and_free_space_are_reported(host: Host, tmp_path: Path) -> None:
    """Both hosts are this machine, so the facts are known."""
    (facts,) = host.look([str(tmp_path)])
    assert facts.device == tmp_path.stat().st_dev
    assert facts.disks == LocalHost().look([str(tmp_path)])[0].disks
    assert abs(facts.free - LocalHost().look([str(tmp_path)])[0].free) < 1 << 30


@pytest.mark.not_in_memory("disks")
def test_a_file_is_reported_with_what_it_takes_up_on_the_disk(host: Host, tmp_path: Path) -> None:
    """Holes take up nothing; only files have such a number."""
    (tmp_path / "full").write_bytes(b"x" * 100_000)
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(10_000_000)
    os.sync()  # some file systems allocate when they write
    paths = [str(tmp_path / name) for name in ("full", "sparse", "", "no")]
    expected = [*((tmp_path / name).stat().st_blocks * 512 for name in ("full", "sparse")), 0, 0]
    for found in (host.stat(paths), host.stat(paths * 5)[:4]):
        assert [one.allocated for one in found] == expected
    assert expected[1] < 100_000 <= expected[0]


@pytest.mark.parametrize("many", [1, 10], ids=["few", "many"])
def test_links_are_distinguished_from_what_they_lead_to(host: Host, home: Home, many: int) -> None:
    """Only the path itself counts, and no link that a slash follows."""
    (home / "directory").mkdir()
    (home / "directory" / "file").touch()
    (home / "link").symlink_to("directory")
    (home / "loop").symlink_to("loop")
    (home / "a\n").symlink_to("directory/file")
    (home / "dangling").symlink_to("nothing")
    expected = {
        "directory": ("directory", False),
        "link": ("directory", True),
        "link/": ("directory", False),
        "link/file": ("file", False),
        "a\n": ("file", True),
        "dangling": ("other", True),
        "loop": ("other", True),
        "loop/below": ("other", False),
        "missing": ("missing", False),
    }
    for name, told in expected.items():
        for one in host.stat([f"{home}/{name}"] * many):
            assert (one.kind, one.link) == told, name
    paths = [f"{home}/{name}" for name in expected]
    assert [(one.kind, one.link) for one in host.stat(paths)] == [*expected.values()]
    assert [fact.kind for fact in host.look(paths)] == [kind for kind, _ in expected.values()]


@pytest.mark.not_in_memory("mounts")
def test_mount_points_are_reported_as_stat_tells_them(host: Host, tmp_path: Path) -> None:
    """A path that leads nowhere has none."""
    (tmp_path / "file\n").touch()
    (tmp_path / "to proc").symlink_to("/proc/1")
    (tmp_path / "to file").symlink_to("/proc/version")
    there = ["/", "/proc", "/dev", "/dev/null", "/dev/shm", "/sys/kernel", "/etc/hosts"]
    there += [str(tmp_path), *(f"{tmp_path}/{name}" for name in ("file\n", "to proc", "to file"))]
    there = [path for path in there if os.path.exists(path)]
    real = [os.path.realpath(path) for path in there]
    said = subprocess.run(["stat", "--printf", "%m\\0", *real], stdout=subprocess.PIPE, check=True)
    expected = os.fsdecode(said.stdout).split("\0")[:-1]
    assert [host.look([path])[0].mount for path in there] == expected
    assert [fact.mount for fact in host.look(there)] == expected
    (tmp_path / "dangling").symlink_to("nothing")
    assert [fact.mount for fact in host.look([f"{tmp_path}/dangling", "/no"])] == ["", ""]


@pytest.mark.not_in_memory("names that are too long")
def test_what_cannot_be_looked_at_is_not_taken_for_missing(host: Host, tmp_path: Path) -> None:
    """The system's error is raised instead."""
    for look in (host.stat, host.look):
        with pytest.raises(OSError, match="File name too long") as caught:
            look([str(tmp_path), str(tmp_path / ("x" * 300))])
        assert caught.value.errno == errno.ENAMETOOLONG


def test_thousands_of_paths_are_looked_at(host: Host, home: Home) -> None:
    """Results are in order, each with a token that changes with the file."""
    for number in range(0, 3000, 2):
        (home / f"{number}.db").write_bytes(b"x" * (number % 7))
    paths = [str(home / f"{number}.db") for number in range(3000)]
    found = host.stat(paths)
    assert [one.kind for one in found] == ["file", "missing"] * 1500
    assert [one.size for one in found[::2]] == [number % 7 for number in range(0, 3000, 2)]
    (home / "4.db").write_bytes(b"y" * 4)
    changed = [
        path
        for path, old, new in zip(paths, found, host.stat(paths), strict=True)
        if old.stamp != new.stamp
    ]
    assert changed == [paths[4]]


def test_a_directory_is_listed(host: Host, home: Home) -> None:
    """Links have the kind and timestamp of their target; links to nothing are listed, too."""
    (home / "file").write_bytes(b"123")
    (home / "directory").mkdir()
    (home / "link").symlink_to("file")
    (home / "to directory").symlink_to("directory")
    (home / "dangling").symlink_to("nothing")
    (home / "loop").symlink_to("loop")
    make_pipe(home / "pipe")
    for name, changed in (("file", 1_700_000_000_123_456_789), ("directory", 10**18), ("pipe", 1)):
        change_time(home / name, changed)
    assert sorted(host.list_directory(str(home))) == [
        Entry("dangling", "other", 0, link=True, modified=0.0),
        Entry("directory", "directory", 0, link=False, modified=1e9),
        Entry("file", "file", 3, link=False, modified=1_700_000_000.123456789),
        Entry("link", "file", 3, link=True, modified=1_700_000_000.123456789),
        Entry("loop", "other", 0, link=True, modified=0.0),
        Entry("pipe", "other", 0, link=False, modified=1e-9),
        Entry("to directory", "directory", 0, link=True, modified=1e9),
    ]
    assert host.list_directory(str(home / "directory")) == []
    with pytest.raises(FileNotFoundError):
        host.list_directory(str(home / "missing"))
    with pytest.raises(NotADirectoryError):
        host.list_directory(str(home / "file"))


def test_any_names_are_listed(host: Host, home: Home) -> None:
    """A name may have a line feed, also that of a link."""
    odd = [*ODD, "a\nb", "\n", " ", "end\n"]
    for name in odd:
        (home / name).write_bytes(name.encode("utf-8", "surrogateescape"))
        (home / f"link to {name}").symlink_to(name)
    sizes = {name: len(os.fsencode(name)) for name in odd}
    listed = {entry.name: entry for entry in host.list_directory(str(home))}
    assert len(listed) == 2 * len(odd)
    for name, size in sizes.items():
        for entry, link in ((listed[name], False), (listed[f"link to {name}"], True)):
            assert entry[1:4] == ("file", size, link)


@pytest.mark.parametrize("ending", [".json", "*", "[a]", "\\"])
def test_a_directory_is_listed_and_its_files_of_one_ending_are_read(
    host: Host, home: Home, ending: str
) -> None:
    """Names may be any; a file that cannot be read has an error in its place."""
    assert host.read_directory(str(home), ending) == ([], {})
    for name in ODD:
        (home / f"{name}{ending}").write_bytes(os.fsencode(name) + b"\0\n")
        (home / name).touch()
    (home / f"dir{ending}").mkdir()
    (home / f"link{ending}").symlink_to("nothing")
    entries, contents = host.read_directory(str(home), ending)
    assert sorted(entries) == sorted(host.list_directory(str(home)))
    errors = [contents.pop(f"{name}{ending}") for name in ("dir", "link")]
    assert [getattr(error, "errno", 0) for error in errors] == [errno.EINVAL, errno.ELOOP]
    assert [getattr(error, "filename", "") for error in errors] == [
        *(str(home / f"{name}{ending}") for name in ("dir", "link"))
    ]
    expected = {f"{name}{ending}": os.fsencode(name) + b"\0\n" for name in ODD}
    empty = {name: b"" for name in ODD if name.endswith(ending)}
    assert contents == {**empty, **expected}


def test_a_directory_that_cannot_be_listed_is_not_read(host: Host, home: Home) -> None:
    """The error is the system's."""
    (home / "file").touch()
    with pytest.raises(FileNotFoundError):
        host.read_directory(str(home / "missing"), ".json")
    with pytest.raises(NotADirectoryError):
        host.read_directory(str(home / "file"), ".json")


def test_directories_are_made_one_in_another_as_far_as_can_be(host: Host, home: Home) -> None:
    """The error names the first one that cannot be made; those before it exist."""
    paths = [str(home / name) for name in ("a b", "a b/in", "file", "later")]
    (home / "file").touch()
    with pytest.raises(FileExistsError) as caught:
        host.make_directories(iter(paths))
    assert caught.value.filename == paths[2]
    kinds = [at.kind for at in host.stat(paths)]
    assert kinds == ["directory", "directory", "file", "missing"]


def test_directories_are_made_once_and_removed_empty(host: Host, home: Home) -> None:
    """A directory that is not empty is not removed."""
    path = str(home / "directory")
    host.make_directories([path])
    with pytest.raises(FileExistsError):
        host.make_directories([path])
    host.create(f"{path}/file", b"")
    with pytest.raises(OSError, match="not empty") as caught:
        host.remove([path])
    assert caught.value.errno == errno.ENOTEMPTY
    host.remove([f"{path}/file", path])
    assert names(home) == set()


def test_a_tree_is_removed_and_no_link_followed(host: Host, home: Home) -> None:
    """Names may be any; files and links are removed, and missing paths are no error."""
    (home / "precious").mkdir()
    (home / "precious" / "file").touch()
    for name in ODD:
        (home / name / "in" / "it").mkdir(parents=True)
        (home / name / "in" / name).write_bytes(b"data")
        (home / name / "link").symlink_to(str(home / "precious"))
        host.remove_trees([str(home / name)], mine=True)
    (home / "link").symlink_to("precious")
    (home / "file").touch()
    host.remove_trees((str(home / name) for name in ("link", "missing", "file")), mine=False)
    assert names(home) == {"precious"}
    assert names(home / "precious") == {"file"}


@pytest.mark.not_in_memory("users")
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_tree_of_another_user_is_removed_only_if_it_may_be(host: Host, tmp_path: Path) -> None:
    """Paths after it stay, too; if nothing belongs to this user, nothing is removed."""
    for name in ("first", "tree", "later"):
        (tmp_path / name).mkdir()
    os.chown(tmp_path / "tree", 4711, -1)
    paths = [str(tmp_path / name) for name in ("first", "tree", "later")]
    with pytest.raises(PermissionError, match="Belongs to another user") as caught:
        host.remove_trees(paths, mine=True)
    assert caught.value.filename == paths[1]
    assert names(tmp_path) == {"tree", "later"}
    (tmp_path / "later").rmdir()
    host.remove_trees([str(tmp_path / "tree")], mine=False)
    assert names(tmp_path) == set()


@pytest.mark.not_in_memory("mounts")
def test_what_of_a_tree_cannot_be_removed_is_no_reason_to_leave_the_rest(
    host: Host, tmp_path: Path
) -> None:
    """A file system mounted inside is not entered."""
    tree, mounted = tmp_path / "tree", tmp_path / "tree" / "mounted"
    mounted.mkdir(parents=True)
    (tree / "file").touch()
    try:
        subprocess.run(["mount", "-t", "tmpfs", "none", mounted], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"nothing can be mounted: {error}")
    try:
        (mounted / "precious").touch()
        with pytest.raises(OSError, match=r"tree'$") as caught:
            host.remove_trees([str(tree)], mine=True)
        assert caught.value.filename == str(tree)
        assert names(mounted) == {"precious"}
        assert names(tree) == {"mounted"}
    finally:
        subprocess.run(["umount", mounted], check=True)


def test_moves_replace_nothing(host: Host, home: Home) -> None:
    """Files that were moved before the failure stay moved."""
    for name in ("one", "two", "taken"):
        (home / name).write_bytes(name.encode())
    path = str(home)
    with pytest.raises(FileExistsError):
        host.move([(f"{path}/one", f"{path}/new"), (f"{path}/two", f"{path}/taken")])
    assert names(home) == {"new", "two", "taken"}
    assert (home / "taken").read_bytes() == b"taken"
    host.move([])


@pytest.mark.not_in_memory("hard links")
def test_a_file_of_two_names_loses_one_when_it_is_moved_to_the_other(
    host: Host, tmp_path: Path
) -> None:
    """A move may have been cut short; a link that leads to the file is a different file."""
    old, new, link = (tmp_path / name for name in ("old", "new", "link"))
    old.write_bytes(b"data")
    os.link(old, new)
    host.move([(str(old), str(new))])
    assert names(tmp_path) == {"new"}
    link.symlink_to("new")
    for path in ((new, link), (link, new)):
        with pytest.raises(FileExistsError):
            host.move([(str(path[0]), str(path[1]))])
    assert new.read_bytes() == b"data"
    assert names(tmp_path) == {"new", "link"}


def test_a_file_is_digested(host: Host, home: Home) -> None:
    """The result is its size and its SHA-256."""
    data = os.urandom(3_000_000)
    (home / "image").write_bytes(data)
    steps: list[int] = []
    sha256 = hashlib.sha256(data).hexdigest()
    assert host.digest(str(home / "image"), steps.append) == (len(data), sha256)
    assert steps[-1] == len(data)
    with pytest.raises(FileNotFoundError):
        host.digest(str(home / "missing"), steps.append)


@pytest.mark.not_in_memory("environment")
def test_a_utility_is_found_or_the_places_are_reported(host: Host) -> None:
    """The search is on the host where it will run."""
    assert os.access(host.find("env", "CSF_TEST_UNSET"), os.X_OK)
    with pytest.raises(UtilityMissing, match=re.escape("$CSF_TEST_UNSET is not set")) as caught:
        host.find("no-such-utility", "CSF_TEST_UNSET")
    assert "$PATH = " in caught.value.what
    with pytest.raises(UtilityMissing, match=re.escape("$HOME = ")):
        host.find("no-such-utility", "HOME")


@pytest.mark.not_in_memory("processes")
def test_programs_are_run_to_their_end(host: Host) -> None:
    """Both streams and the status are returned; there is no input, and a time limit."""
    script = "echo one; cat; echo two >&2; exit 3"
    assert host.run(["sh", "-c", script], 30) == Completed(3, b"one\n", b"two\n")
    assert host.run(["sh", "-c", "kill -9 $$"], 30).status == -9
    for status in (124, 200):  # the exit status of timeout(1), which is no signal's
        assert host.run(["sh", "-c", f"exit {status}"], 30).status == status
    with pytest.raises(TimeoutError):
        host.run(["sleep", "60"], 0.2)


@pytest.mark.not_in_memory("processes")
def test_the_longest_list_there_is_is_read_whole(host: Host) -> None:
    """It is that of 20,000 databases with the longest names."""
    script = "head -c 90000000 /dev/zero | tr '\\0' x; echo end"
    completed = host.run(["sh", "-c", script], 250)
    assert (completed.status, len(completed.output)) == (0, 90_000_004)
    assert completed.output.endswith(b"xend\n")


@pytest.mark.not_in_memory("processes")
@pytest.mark.parametrize("script", ["exec yes", "exec yes >&2", "trap '' PIPE; yes; sleep 600"])
def test_a_program_that_prints_without_end_is_stopped(
    host: Host, script: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It ends before memory is full and before its time limit; its first output is known."""
    largest = 4 * common.OUTPUT
    monkeypatch.setattr(common, "OUTPUT", 10_000_000)  # of another host, where it takes longest
    completed = host.run(["sh", "-c", script], 100)
    said = completed.output + completed.errors
    assert completed.status == ENDLESS
    assert said.startswith(b"y\n" * 1000)
    assert len(said) < largest


@pytest.mark.not_in_memory("processes")
def test_of_each_program_no_more_than_so_much_is_read(host: Host) -> None:
    """With more output, neither the status nor the output is complete."""
    script = 'echo begin; head -c "$0" /dev/zero | tr "\\0" x; echo end >&2'
    sizes = ["10", "1000000", str(common.OUTPUT_OF_EACH), "10"]
    ended = list(host.run_each(["sh", "-c", script], sizes, 60))
    assert [one.status for one in ended] == [0, 0, ENDLESS, 0]
    assert [len(one.output) for one in ended[:2]] == [20, 1_000_010]
    assert ended[0].output == b"begin\nxxxxxxxxxxend\n"
    assert len(ended[2].output) < 2 * common.OUTPUT_OF_EACH


@pytest.mark.not_in_memory("processes")
def test_a_program_is_run_for_each_operand(host: Host, tmp_path: Path) -> None:
    """The order is kept, whatever they print."""
    paths = [str(tmp_path / name) for name in ODD]
    ended = list(host.run_each(["printf", "%s\\n\\n0 1\\n"], paths, 30))
    assert ended == [Completed(0, os.fsencode(path) + b"\n\n0 1\n") for path in paths]
    assert [one.status for one in host.run_each(["test", "-e"], ["/", "/no"], 30)] == [0, 1]
    many = ["/", "/no"] * 25
    assert [one.status for one in host.run_each(["test", "-e"], many, 30)] == [0, 1] * 25
    assert list(host.run_each(["false"], [], 30)) == []
    with pytest.raises(TimeoutError):
        list(host.run_each(["sleep"], ["0", "60"], 0.2))


@pytest.mark.not_in_memory("processes")
def test_a_lock_excludes_both_kinds_of_hosts(host: Host, tmp_path: Path) -> None:
    """The error names the holder, and the wait is limited."""
    path = str(tmp_path / "lib.db.lock")
    told: list[str] = []
    with host.lock(path, "admin_database_backup", 0, told.append):
        name = socket.gethostname()
        by = "" if isinstance(host, LocalHost) else rf", by process \d+ on {name},"
        holder = rf"csf admin_database_backup \(process {os.getpid()} on {name}{by} since "
        for other in (host, LocalHost()):
            with pytest.raises(LockBusy, match=holder), other.lock(path, "x", 0.2, told.append):
                pass
        with pytest.raises(LockBusy), host.lock(path, "x", 0, told.append, create=False):
            pass
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o666
    assert [re.sub(r"\(.*", "", line) for line in told] == [
        "waiting up to 0.2 s for csf admin_database_backup "
    ] * 2
    refused = pytest.raises(LockBusy, match="csf class_create")
    with LocalHost().lock(path, "class_create", 0, print), refused, host.lock(path, "x", 0, print):
        pass
    with host.lock(path, "x", 0, print):
        pass


@pytest.mark.not_in_memory("processes")
def test_a_lock_whose_file_may_not_be_made_tells_its_holder_too(host: Host, tmp_path: Path) -> None:
    """A prove may hold it as long as a backup."""
    path = tmp_path / "lock"
    path.write_bytes(b"csf of one who was killed")
    with host.lock(str(path), "admin_database_prove", 0, print, create=False):
        refused = pytest.raises(LockBusy, match="held by csf admin_database_prove ")
        with refused, LocalHost().lock(str(path), "x", 0, print):
            pass
    assert path.read_bytes() == b""


def test_a_lock_file_that_is_removed_under_its_lock_stays_removed(host: Host, home: Home) -> None:
    """A drill removes lock files that others have left."""
    path = home / "lock"
    path.touch()
    with host.lock(str(path), "x", 0, print, create=False):
        path.unlink()
    assert not path.exists()


@pytest.mark.not_in_memory("processes")
def test_a_lock_is_waited_for(host: Host, tmp_path: Path) -> None:
    """It is acquired as soon as its holder ends."""
    path = str(tmp_path / "lock")
    command = ["flock", path, "sh", "-c", "echo held; sleep 0.5"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with host.lock(path, "x", 30, lambda _: None):
            assert holder.wait(timeout=30) == 0


def test_a_lock_file_of_a_failed_command_goes(host: Host, home: Home) -> None:
    """A file that existed before stays, and so does foreign data in it."""
    path = home / "lock"
    with pytest.raises(ZeroDivisionError), host.lock(str(path), "x", 0, print):
        raise ZeroDivisionError
    assert not path.exists()
    path.write_bytes(b"data")
    with pytest.raises(ZeroDivisionError), host.lock(str(path), "x", 0, print):
        raise ZeroDivisionError
    assert path.read_bytes() == b"data"


def test_a_dry_run_makes_no_lock_file(host: Host, home: Home) -> None:
    """Without a lock file nobody holds the lock."""
    with host.lock(str(home / "lock"), "x", 0, print, create=False) as lock:
        assert lock is None
    assert names(home) == set()
    for create in (True, False):
        missing = str(home / "missing" / "lock")
        with pytest.raises(FileNotFoundError), host.lock(missing, "x", 0, print, create=create):
            pass


def test_what_is_no_file_is_no_lock(host: Host, home: Home) -> None:
    """A pipe would block, and a link could lead elsewhere."""
    make_pipe(home / "pipe")
    (home / "link").symlink_to("elsewhere")
    for name in ("pipe", "link"):
        with pytest.raises(OSError, match="Not a file|Too many levels"):  # noqa: SIM117
            with host.lock(str(home / name), "x", 0, print):
                pass
    assert names(home) == {"pipe", "link"}


def test_what_a_lock_protects_is_looked_at_under_it(host: Host, home: Home) -> None:
    """If no file exists and none is to be made, the look happens without a lock."""
    (home / "file").write_bytes(b"1")
    look = functools.partial(host.read, str(home / "file"))
    path = str(home / "lock")
    with host.lock_and_look(path, "x", 0, print, look, create=False) as found:
        assert found == (None, b"1")
    with host.lock_and_look(path, "x", 0, print, look) as (lock, read):
        assert lock is not None
        assert read == b"1"
        with pytest.raises(LockBusy), host.lock_and_look(path, "x", 0, print, look):
            pass
    assert names(home) == {"file", "lock"}


def test_a_lock_beside_what_is_not_there_under_its_real_path_is_not_taken(
    host: Host, home: Home
) -> None:
    """No lock file is made under a name that others would not look at."""
    (home / "real").mkdir()
    (home / "real" / "master").write_bytes(b"1")
    (home / "linked").symlink_to("real")
    (home / "real" / "link").symlink_to("master")
    for name in ("linked/master", "real/link", "real/../real/master", "real", "missing/master"):
        path = str(home / name)
        held = host.lock_and_look(f"{path}.lock", "x", 0, print, lambda: 7, beside=path)
        with held as found:
            assert found == (None, 7)
    assert names(home / "real") == {"link", "master"}
    path = str(home / "real" / "master")
    with host.lock_and_look(f"{path}.lock", "x", 0, print, lambda: 7, beside=path) as (lock, _):
        assert lock is not None
    assert names(home / "real") == {"link", "master", "master.lock"}


@pytest.mark.not_in_memory("processes")
def test_what_was_seen_before_a_lock_was_had_does_not_count(host: Host, tmp_path: Path) -> None:
    """The previous holder may have changed it."""
    path, file = str(tmp_path / "lock"), tmp_path / "file"
    file.write_bytes(b"before")
    with contextlib.ExitStack() as stack:
        stack.enter_context(LocalHost().lock(path, "class_create", 0, print))

        def end_it(_holder: str) -> None:
            file.write_bytes(b"after")
            stack.close()

        look = functools.partial(host.read, str(file))
        with host.lock_and_look(path, "x", 60, end_it, look) as (_, read):
            assert read == b"after"


def test_steps_are_carried_out_in_turn(host: Host, home: Home) -> None:
    """Each step returns what the single operation returns."""
    (home / "log").write_bytes(b"1\n")
    (home / "old").mkdir()
    (home / "old" / "file").write_bytes(b"")
    ended = host.in_turn(
        Create(str(home / "new"), b"new"),
        Absent((str(home / "no"), str(home / "none"))),
        Append(str(home / "log"), b"2\n"),
        Publish(str(home / "made"), bytes(range(256)), str(home / "log")),
        Replace(str(home / "log"), (home / "log").read_bytes() + b"3\n", str(home / "no")),
        RemoveTrees((str(home / "old"), str(home / "no"))),
    )
    assert [done() for done in ended] == [""] * 6
    assert host.read(str(home / "new")) == b"new"  # before the next call, what was renamed goes
    assert names(home) == {"new", "log", "made"}
    assert (home / "made").read_bytes() == bytes(range(256))
    assert (home / "log").read_bytes() == b"1\n3\n"
    assert host.in_turn() == ()


@pytest.mark.parametrize("link", [False, True])
def test_nothing_is_done_behind_a_step_that_fails(host: Host, home: Home, *, link: bool) -> None:
    """All later steps raise the same error."""
    if link:
        (home / "there").symlink_to("nothing")
    else:
        (home / "there").write_bytes(b"old")
    made, absent, *rest = host.in_turn(
        Create(str(home / "new"), b"new"),
        Absent((str(home / "no"), str(home / "there"), str(home / "none"))),
        Create(str(home / "not"), b"new"),
        Replace(str(home / "new"), b"other"),
    )
    assert made() == ""
    for step in (absent, *rest):
        with pytest.raises(FileExistsError) as caught:
            step()
        assert caught.value.filename == str(home / "there")
    assert host.read(str(home / "new")) == b"new"
    assert names(home) == {"new", "there"}


def test_what_a_failed_step_has_begun_is_gone(host: Host, home: Home) -> None:
    """It is as if the step had been carried out alone."""
    (home / "log").write_bytes(b"torn")
    made, appended = host.in_turn(
        Create(str(home / "new"), b"new"), Append(str(home / "log"), b"line\n")
    )
    assert made() == ""
    with pytest.raises(OSError, match="Not one whole line in it") as caught:
        appended()
    assert caught.value.filename == str(home / "log")
    assert host.read(str(home / "new")) == b"new"
    assert names(home) == {"new", "log"}


def test_a_lock_can_be_given_up_in_turn(host: Host, home: Home) -> None:
    """It is released after the steps before it.

    The end of its block does not affect a new holder.
    """
    path = home / "lock"
    with host.lock(str(path), "x", 0, print) as lock:
        assert lock is not None
        failed = host.in_turn(Create(str(path), b""), Release(lock))
        with pytest.raises(FileExistsError):
            failed[1]()
        with pytest.raises(LockBusy), host.lock(str(path), "y", 0, print):
            pass
        made, released = host.in_turn(Create(str(home / "file"), b"data"), Release(lock))
        assert (made(), released()) == ("", "")
        assert path.read_bytes() == b""
        with host.lock(str(path), "y", 0, print):
            pass
    with host.lock(str(path), "z", 0, print):
        pass
    assert names(home) == {"lock", "file"}


def finished(running: Running) -> tuple[Completed, int]:
    """Wait for the end; return it with the size of the watched file."""
    while True:
        completed, size = running.poll()
        if completed:
            return completed, size


@pytest.mark.not_in_memory("processes")
def test_a_utility_is_watched_to_its_end(host: Host, tmp_path: Path) -> None:
    """Its output is kept, and the image's size is reported."""
    image, record = tmp_path / "an image", tmp_path / "an image.run"
    script = 'printf 12345 > "$1"; echo said; cat; exit 7'
    argv = ["sh", "-c", script, "sh", str(image)]
    with (
        host.lock(str(tmp_path / "lock"), "x", 0, print) as lock,
        host.start(argv, str(image), lock, str(record)) as running,
    ):
        assert finished(running) == (Completed(7, b"said\n"), 5)
    with host.start(["sh", "-c", "kill -9 $$"], str(image), None, str(record) + "2") as running:
        assert finished(running)[0].status == -9


@pytest.mark.not_in_memory("processes")
def test_a_utility_works_in_its_record(host: Host, tmp_path: Path) -> None:
    """What it leaves in its working directory is removed with the record."""
    record = tmp_path / "an image.run"
    script = "pwd; : > left"
    with host.start(["sh", "-c", script], "/no", None, str(record)) as running:
        assert finished(running)[0] == Completed(0, os.fsencode(record) + b"\n")
    assert {"started", "pid", "output", "status", "left"} <= {*os.listdir(record)}
    assert (record / "status").read_text().strip() == "0"
    host.remove_trees([str(record)], mine=False)
    assert names(tmp_path) == set()


@pytest.mark.not_in_memory("processes")
def test_a_note_is_in_the_record_before_the_utility_begins(host: Host, tmp_path: Path) -> None:
    """Its bytes are unchanged; without a note there is no such file."""
    data = bytes(range(256)) * 40
    argv = ["sh", "-c", "cat note"]
    with host.start(argv, "/no", None, str(tmp_path / "run"), note=data) as running:
        assert finished(running)[0] == Completed(0, data.replace(b"\0", b""))
    assert (tmp_path / "run" / "note").read_bytes() == data
    argv = ["sh", "-c", "[ ! -e note ]"]
    with host.start(argv, "/no", None, str(tmp_path / "again")) as running:
        assert finished(running)[0] == Completed(0, b"")


@pytest.mark.not_in_memory("processes")
@pytest.mark.parametrize("text", [None, "#!/none/such\n", "\0\1\2"])
def test_a_utility_that_cannot_be_executed_is_an_error(
    host: Host, tmp_path: Path, text: str | None
) -> None:
    """It is no end of the utility, though a shell has exit codes for that."""
    program, record = tmp_path / "osbackup", tmp_path / "run"
    if text is not None:
        program.write_text(text)
        program.chmod(0o755 if text.startswith("#") else 0o644)
    with pytest.raises(OSError, match=r"not found|No such file|Permission denied") as caught:  # noqa: SIM117
        with host.start([str(program)], "/no", None, str(record)) as running:
            finished(running)
    assert caught.value.filename == str(program)
    assert (record / "status").read_text().strip() == "unrun"
    for status in (126, 127):
        argv = ["sh", "-c", f"exit {status}"]
        with host.start(argv, "/no", None, f"{record}{status}") as running:
            assert finished(running)[0].status == status


@pytest.mark.not_in_memory("processes")
def test_a_utility_may_print_without_end(host: Host, tmp_path: Path) -> None:
    """It is not stopped; the end of its output is kept, and neither memory nor disk fills up."""
    record = tmp_path / "record"
    script = "yes no | head -c 210000000; echo last words >&2; exit 3"
    with host.start(["sh", "-c", script], "/no", None, str(record)) as running:
        completed, _ = finished(running)
        assert completed.status == 3
        assert completed.output.endswith(b"no\nlast words\n")
        assert len(completed.output) <= common.LAST_SAID
        kept = getattr(running, "_kept", record / "output")
        assert 1 << 20 <= os.stat(kept).st_size <= (32 << 20) + 65536


@pytest.mark.not_in_memory("processes")
def test_a_utility_that_is_left_is_stopped_with_all_it_started(host: Host, tmp_path: Path) -> None:
    """SIGTERM comes first."""
    script = 'trap "echo asked > $2; exit" TERM; sleep 60 & echo $! > "$1"; wait'
    pid, asked = tmp_path / "pid", tmp_path / "asked"
    argv = ["sh", "-c", script, "sh", str(pid), str(asked)]
    with host.start(argv, str(tmp_path / "image"), None, str(tmp_path / "record")) as running:
        while not (pid.exists() and pid.read_text()):
            assert running.poll() == (None, 0)
    assert asked.read_text() == "asked\n"
    assert _state(int(pid.read_text())) in ("", "Z")


@pytest.mark.not_in_memory("processes")
def test_a_utility_holds_the_lock_as_long_as_it_lives(host: Host, tmp_path: Path) -> None:
    """The lock stays held when all others have released it."""
    path, go = str(tmp_path / "lock"), tmp_path / "go"
    script = 'while [ ! -e "$1" ]; do sleep 0.02; done'
    with host.lock(path, "x", 0, print) as lock:
        argv = ["sh", "-c", script, "sh", str(go)]
        with host.start(argv, path, lock, str(tmp_path / "record")) as running:
            running.poll()
            inherited = [f"/proc/{pid}/fd" for pid in os.listdir("/proc") if pid.isdigit()]
            holders = [pid for pid in inherited if _has_open(pid, path)]
            assert len(holders) >= 2
            go.touch()
            finished(running)


def test_a_lock_that_is_held_is_waited_for_no_longer_than_allowed(host: Host, home: Home) -> None:
    """Wait and refusal name the holder's command; later the lock is free again."""
    path, told = str(home / "lock"), list[str]()
    with host.lock(path, "admin_database_prove", 0, told.append):
        for wait in (0, 0.2):
            refused = pytest.raises(LockBusy, match="held by csf admin_database_prove")
            with refused, host.lock(path, "x", wait, told.append):
                pass
    (text,) = told
    assert text.startswith("waiting up to 0.2 s for csf admin_database_prove")
    with host.lock(path, "x", 0, told.append) as lock:
        assert lock
        assert not lock.unsupported
        assert not lock.is_left
    assert names(home) == {"lock"}


def test_a_lock_of_another_host_is_refused(host: Host, home: Home) -> None:
    """The utility is not started, and no record is made."""
    record, elsewhere = str(home / "record"), MemoryHost({}, ["/r"])
    with elsewhere.lock("/r/lib.db.lock", "x", 0, print) as lock:  # noqa: SIM117
        with pytest.raises(ValueError, match="held on another host"):
            with host.start(["true"], "/no", lock, record):
                pass
    assert names(home) == set()


def _has_open(descriptors: str, path: str) -> bool:
    try:
        return any(os.readlink(f"{descriptors}/{fd}") == path for fd in os.listdir(descriptors))
    except OSError:
        return False


def _state(pid: int) -> str:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return ""


def test_of_many_paths_what_directories_and_links_are_is_reported(host: Host, home: Home) -> None:
    """A restore examines many directories at once."""
    for number in range(10):
        (home / f"d{number}").mkdir()
        (home / f"f{number}").write_bytes(b"12")
    (home / "link").symlink_to("d1/file")
    (home / "d1" / "file").touch()
    (home / "d2" / "gone").symlink_to("nothing")
    names = [f"{kind}{number}" for number in range(10) for kind in "df"]
    paths = [str(home / name) for name in (*names, "link", "d2/gone", "no")]
    facts, found = host.look(paths), host.stat(paths)
    directories = facts[:20:2]
    assert [fact.kind for fact in directories] == ["directory"] * 10
    assert all(fact.writable and fact.free for fact in directories)
    assert [one.size for one in found[1:20:2]] == [2] * 10
    assert facts[20].resolved == str(home / "d1" / "file")
    assert [fact.kind for fact in facts[20:]] == ["file", "other", "missing"]
