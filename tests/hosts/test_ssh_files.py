"""Files on another host: written once despite cuts, and moved where there are no hard links."""

from __future__ import annotations

import errno
import os
import time
from typing import TYPE_CHECKING, Any

import pytest
from sshd import Sshd, reached

from csf_backup_plugin.errors import HostUnreachable, Interrupted
from csf_backup_plugin.hosts.common import CUT_SHORT
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.hosts.ssh.connection import Connection
from csf_backup_plugin.hosts.ssh.errors import Answer, os_error
from csf_backup_plugin.hosts.ssh.login import Cut

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from csf_backup_plugin.hosts.protocol.host import Host

pytestmark = pytest.mark.remote


@pytest.mark.parametrize("done", [True, False])
def test_after_a_cut_a_file_is_written_once(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, done: bool
) -> None:
    """After a cut, the file itself shows whether it was already written."""
    path = tmp_path / "file"
    run = Connection.run
    cuts: list[int] = []

    def cut_once(self: Connection, function: str, *arguments: str, **options: Any) -> Answer:
        if function == "in_turn" and not cuts:
            if done:
                run(self, function, *arguments, **options)
            cuts.append(sshd.cut())
            raise Cut("The connection was cut.", "Look.")
        return run(self, function, *arguments, **options)

    monkeypatch.setattr(Connection, "run", cut_once)
    with reached(sshd) as host:
        host.read(str(path))
        host.create(str(path), b"data")
    assert cuts
    assert path.read_bytes() == b"data"


@pytest.mark.parametrize("done", [True, False])
@pytest.mark.parametrize("torn", [b"", b"torn"])
def test_after_a_cut_lines_are_appended_once(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, torn: bytes, *, done: bool
) -> None:
    """After a cut, the end of the file shows whether the lines were already appended."""
    path = tmp_path / "journal"
    path.write_bytes(b"one\n" + torn)
    run = Connection.run
    cuts: list[int] = []

    def cut_once(self: Connection, function: str, *arguments: str, **options: Any) -> Answer:
        if function == "in_turn" and not cuts:
            if done:
                run(self, function, *arguments, **options)
            cuts.append(sshd.cut())
            raise Cut("The connection was cut.", "Look.")
        return run(self, function, *arguments, **options)

    monkeypatch.setattr(Connection, "run", cut_once)
    with reached(sshd) as host:
        host.read(str(path))
        host.append(str(path), b"two\nthree\n")
    assert cuts
    ended = torn and torn + CUT_SHORT + b"\n"
    assert path.read_bytes() == b"one\n" + ended + b"two\nthree\n"
    assert os.listdir(tmp_path) == ["journal"]


def test_words_of_no_system_are_an_input_output_error() -> None:
    """An unknown message becomes an I/O error with its last line, or with the exit status."""
    assert os_error(Answer(1, b"", b"one\nodd words\n"), "/f").strerror == "odd words"
    assert os_error(Answer(9, b"", b""), "/f").strerror == "exit status 9"


@pytest.mark.parametrize(
    "said",
    [
        b"sh: eval: line 9: can't open /f: no such file",  # busybox
        b"sh: 1: cannot open /f: No such file",  # dash
        b"bash: line 1: /f: No such file or directory",
    ],
)
def test_each_shell_says_in_its_own_words_that_a_file_is_missing(said: bytes) -> None:
    """A missing file is FileNotFoundError, whichever shell reports it."""
    assert isinstance(os_error(Answer(1, b"", said), "/f"), FileNotFoundError)


@pytest.fixture
def odd_sshd(tmp_path: Path, serve: Callable[..., Sshd]) -> Sshd:
    """Return a server on whose host the programs in a directory `bin` come first."""
    (tmp_path / "bin").mkdir()
    return serve(PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")


@pytest.fixture
def odd_host(odd_sshd: Sshd) -> Iterator[Host]:
    """Yield the host of `odd_sshd`."""
    with reached(odd_sshd) as host:
        yield host


def program(tmp_path: Path, name: str, script: str) -> None:
    """Replace a program of the host by a script."""
    path = tmp_path / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_without_hard_links_files_are_renamed(odd_host: Host, tmp_path: Path) -> None:
    """Without hard links, files are renamed, and existing files are still not replaced."""
    program(tmp_path, "ln", "echo 'ln: failed: Operation not permitted' >&2; exit 1")
    one, two = str(tmp_path / "one"), str(tmp_path / "two")
    odd_host.publish(one, b"data")
    odd_host.move([(one, two)])
    assert not os.path.exists(one)
    with pytest.raises(FileExistsError):
        odd_host.publish(two, b"other")
    with pytest.raises(FileNotFoundError):
        odd_host.move([(one, str(tmp_path / "three"))])
    assert (tmp_path / "two").read_bytes() == b"data"


@pytest.mark.parametrize("said", ["No locks available", "Input/output error"])
def test_where_there_are_no_locks_on_the_host_that_is_told(
    odd_host: Host, tmp_path: Path, said: str
) -> None:
    """If the file system has no locks, work goes on without one; other lock errors are raised."""
    program(tmp_path, "flock", f"echo 'flock: 9: {said}' >&2; exit 71")
    path, file = tmp_path / "lock", tmp_path / "file"
    file.write_bytes(b"one\n")
    if said.startswith("No"):
        with odd_host.lock(str(path), "x", 60, print) as lock:
            assert lock is not None
            assert lock.unsupported == said
            odd_host.append(str(file), b"two\n")
        assert file.read_bytes() == b"one\ntwo\n"
        path.unlink()
        with pytest.raises(ZeroDivisionError), odd_host.lock(str(path), "x", 0, print):
            raise ZeroDivisionError
    else:
        with pytest.raises(OSError, match=f"{said}.*{path}"):  # noqa: SIM117
            with odd_host.lock(str(path), "x", 60, print):
                pass
        with pytest.raises(OSError, match=f"{said}.*{file}"):
            odd_host.append(str(file), b"two\n")
    assert not path.exists()


def test_a_link_that_takes_a_files_place_leads_nowhere(odd_host: Host, tmp_path: Path) -> None:
    """A symbolic link that replaces a file just before it is opened is not followed."""
    path, other = tmp_path / "file", tmp_path / "other"
    other.write_bytes(b"one\n")
    swap = f"rm {path} && ln -s other {path}"
    program(tmp_path, "dd", f'{swap}; exec /bin/dd "$@"')
    for way in (odd_host.read, lambda path: odd_host.append(path, b"two\n")):
        path.unlink(missing_ok=True)
        path.write_bytes(b"three\n")
        with pytest.raises(OSError, match="symbolic link") as caught:
            way(str(path))
        assert (caught.value.errno, caught.value.filename) == (errno.ELOOP, str(path))
    assert other.read_bytes() == b"one\n"


def test_files_that_nothing_is_told_of_are_an_error(odd_host: Host, tmp_path: Path) -> None:
    """A file about which a program reports nothing is an error, and never counts as missing."""
    odd_host.read("/no")  # log in first: the login checks the programs of the host
    program(tmp_path, "dd", "echo odd words >&2; exit 1")
    (error,) = odd_host.read_each([str(tmp_path / "file")])
    assert isinstance(error, OSError)
    assert (error.errno, error.strerror) == (errno.EIO, "odd words")
    program(tmp_path, "dd", "exit 1")
    with pytest.raises(OSError, match="exit status 1"):
        odd_host.read(str(tmp_path / "file"))
    program(tmp_path, "date", "exit 3")
    with pytest.raises(OSError, match="exit status 3: 'remote'"):
        odd_host.machine()


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
def test_every_shell_does_it(odd_host: Host, tmp_path: Path, shell: str) -> None:
    """The adapter works with each of these shells as the host's sh."""
    program(tmp_path, "sh", f'exec {shell} "$@"')
    (tmp_path / "files").mkdir()
    paths = [str(tmp_path / "files" / name) for name in ("a\n", "\udcff b", "ü", "link", "no")]
    data = bytes(range(256)) * 3
    for path in paths[:3]:
        odd_host.create(path, data)
    os.symlink(paths[0], paths[3])
    assert odd_host.read_each(paths)[:3] == [data] * 3
    assert odd_host.read_each(paths)[4] is None
    assert sorted(odd_host.list_directory(str(tmp_path / "files"))) == sorted(
        LocalHost().list_directory(str(tmp_path / "files"))
    )
    for lacking, kind in ((paths[4], FileNotFoundError), (f"{paths[0]}/x", NotADirectoryError)):
        with pytest.raises(kind):
            odd_host.list_directory(lacking)
        with pytest.raises(kind):
            odd_host.read_directory(lacking, ".json")
    for at, local in zip(odd_host.stat(paths), LocalHost().stat(paths), strict=True):
        assert at._replace(stamp="") == local._replace(stamp="")
    for told, known in zip(odd_host.look(paths), LocalHost().look(paths), strict=True):
        assert told._replace(free=0) == known._replace(free=0)
    assert odd_host.machine()[:2] == LocalHost().machine()[:2]
    (tmp_path / "journal").write_bytes(b"one\ntorn")
    odd_host.append(str(tmp_path / "journal"), b"two\n")
    assert (tmp_path / "journal").read_bytes() == b"one\ntorn" + CUT_SHORT + b"\ntwo\n"
    with pytest.raises(IsADirectoryError):
        odd_host.append(str(tmp_path / "files"), b"two\n")


@pytest.mark.parametrize("broken", ["exit 1", "exit 0", "echo 'find: x: I/O error' >&2; exit 1"])
def test_what_cannot_be_looked_at_there_is_an_error_and_never_missing(
    odd_host: Host, tmp_path: Path, broken: str
) -> None:
    """A look that fails in any way is an error, even if the program prints nothing."""
    odd_host.read("/no")  # log in first: the login checks the programs of the host
    program(tmp_path, "find", broken)
    for look in (odd_host.stat, odd_host.look):
        with pytest.raises(OSError, match="cannot be looked at|error"):
            look([str(tmp_path)])


def test_moves_are_carried_on_after_a_cut(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a cut, moves that were already made are recognized as ours."""
    run = Connection.run
    cuts: list[int] = []

    def cut_once(self: Connection, function: str, *arguments: str, **options: Any) -> Answer:
        answer = run(self, function, *arguments, **options)
        if function == "move_files" and not cuts:
            cuts.append(sshd.cut())
            raise Cut("The connection was cut.", "Look.")
        return answer

    monkeypatch.setattr(Connection, "run", cut_once)
    names = [str(tmp_path / name) for name in ("a", "b", "c", "d")]
    for name in names[:2]:
        with open(name, "w") as file:
            file.write(name)
    with reached(sshd) as host:
        host.move([(names[0], names[2]), (names[1], names[3])])
    assert cuts
    assert sorted(os.listdir(tmp_path)) == ["c", "d"]
    assert (tmp_path / "c").read_text() == names[0]


def test_nothing_is_replaced_once_the_lock_is_lost(sshd: Sshd, tmp_path: Path) -> None:
    """Without the lock, another command may have changed the file, so replacing it fails."""
    path = tmp_path / "manifest"
    path.write_bytes(b"old")
    with reached(sshd) as host:
        with (
            pytest.raises(HostUnreachable, match="the lock is lost"),
            host.lock(str(tmp_path / "lock"), "x", 0, print),
        ):
            sshd.cut()
            host.read(str(path))
            host.replace(str(path), b"new")
        host.replace(str(path), b"newer")
    assert path.read_bytes() == b"newer"


def test_more_files_are_removed_than_fit_on_a_command_line(sshd: Sshd, tmp_path: Path) -> None:
    """Thousands of files are removed in one call, and missing files are not an error."""
    paths = [str(tmp_path / f"{number:0200}") for number in range(12_000)]
    for path in (paths[0], paths[-1]):
        LocalHost().create(path, b"")
    with reached(sshd) as host:
        host.remove(paths)
    assert os.listdir(tmp_path) == []


def test_a_full_disk_has_its_own_number(odd_host: Host, tmp_path: Path) -> None:
    """The message "No space left" becomes ENOSPC, whichever program reports it."""
    program(tmp_path, "sync", "echo 'sync: error syncing: No space left on device' >&2; exit 1")
    with pytest.raises(OSError, match="No space left") as caught:
        odd_host.create(str(tmp_path / "file"), b"data")
    assert caught.value.errno == errno.ENOSPC
    assert not (tmp_path / "file").exists()


def test_data_that_is_cut_short_makes_no_file(odd_host: Host, tmp_path: Path) -> None:
    """If fewer bytes arrive than were sent, that is an error, and no file is left."""
    program(
        tmp_path, "dd", 'case $* in *of=*) head -c 2 | /bin/dd "$@";; *) exec /bin/dd "$@";; esac'
    )
    (tmp_path / "files").mkdir()
    with pytest.raises(OSError, match="Not all of the data has arrived"):
        odd_host.create(str(tmp_path / "files" / "file"), b"data")
    assert os.listdir(tmp_path / "files") == []


def test_many_files_are_synced_and_each_directory_once(odd_host: Host, tmp_path: Path) -> None:
    """The directories are synced after the files; there are more files than in one block."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    paths = [tmp_path / "ab"[number % 2] / str(number) for number in range(150)]
    for path in paths:
        path.touch()
    program(tmp_path, "sync", f'shift; printf "%s\\n" "$@" >>{tmp_path}/synced')
    assert odd_host.sync(map(str, paths)) == []
    synced = (tmp_path / "synced").read_text().splitlines()
    assert synced == [*map(str, paths), f"{tmp_path}/a/", f"{tmp_path}/b/"]


SLOWLY = """case $* in */) : > {begun}; sleep 2;; esac
exec /bin/sync "$@"
"""


@pytest.mark.parametrize("way", ["create", "publish", "replace"])
def test_a_cut_while_a_file_is_written_leaves_no_one_behind_to_write_it(
    odd_sshd: Sshd, tmp_path: Path, way: str
) -> None:
    """After a cut during a write, the file is written once and no other file is left."""
    (tmp_path / "files").mkdir()
    begun = tmp_path / "begun"
    program(tmp_path, "sync", SLOWLY.format(begun=begun))
    target = tmp_path / "files" / "file"
    if way == "replace":
        target.write_bytes(b"old")
    cutter = os.fork()
    if not cutter:  # pragma: no cover  # another process; it cuts and exits
        while not begun.exists():
            time.sleep(0.005)
        odd_sshd.cut()
        os._exit(0)
    with reached(odd_sshd) as host:
        host.read("/no")
        getattr(host, way)(str(target), b"data")
    os.waitpid(cutter, 0)
    assert target.read_bytes() == b"data"
    assert os.listdir(tmp_path / "files") == ["file"]


def test_after_a_cut_anothers_equal_file_is_not_taken_for_ours(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a cut, an existing file with the same data still causes FileExistsError."""
    (tmp_path / "file").write_bytes(b"data")
    run = Connection.run
    cuts: list[int] = []

    def cut_once(self: Connection, function: str, *arguments: str, **options: Any) -> Answer:
        if function == "in_turn" and not cuts:
            cuts.append(sshd.cut())
            raise Cut("The connection was cut.", "Look.")
        return run(self, function, *arguments, **options)

    monkeypatch.setattr(Connection, "run", cut_once)
    with reached(sshd) as host:
        host.read("/no")
        with pytest.raises(FileExistsError):
            host.create(str(tmp_path / "file"), b"data")
    assert cuts


@pytest.mark.parametrize("done", [True, False])
def test_a_write_that_is_given_up_is_undone(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, done: bool
) -> None:
    """A write that a signal interrupts leaves no file, even if it was already done."""
    run = Connection.run

    def interrupted(self: Connection, function: str, *arguments: str, **options: Any) -> Answer:
        if function != "in_turn":
            return run(self, function, *arguments, **options)
        if done:
            run(self, function, *arguments, **options)
        raise Interrupted(15, "The test")

    monkeypatch.setattr(Connection, "run", interrupted)
    with reached(sshd) as host, pytest.raises(Interrupted):
        host.create(str(tmp_path / "file"), b"data")
    assert os.listdir(tmp_path) == []


def test_a_write_that_cannot_be_undone_is_told(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the host is gone, the error says that it is not known whether the file was written."""

    def gone(_self: Connection, _function: str, *_: str, **_options: Any) -> Answer:
        raise HostUnreachable("Host remote cannot be reached.", "Look.")

    with reached(sshd) as host:
        monkeypatch.setattr(Connection, "run", gone)
        with pytest.raises(HostUnreachable) as caught:
            host.create("/no/file", b"data")
    assert caught.value.left == "It is not known whether /no/file was written on remote."
