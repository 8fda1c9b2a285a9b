"""Failures on another host lose no file, and incomplete results do not count as success."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from sshd import reached

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.errors import HostUnreachable, Interrupted
from csf_backup_plugin.hosts.protocol.values import UNKNOWN
from csf_backup_plugin.hosts.ssh import link
from csf_backup_plugin.hosts.ssh.connection import Connection
from csf_backup_plugin.hosts.ssh.errors import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sshd import Sshd

    from csf_backup_plugin.hosts.protocol.host import Host

pytestmark = pytest.mark.remote

# Fails for directories, whose names end with a slash.
SYNC = """
case $* in */) echo "sync: error syncing '$2': Input/output error" >&2; exit 1;; esac
exec /bin/sync "$@"
"""
LINK = 'echo "ln: failed to create hard link: Operation not permitted" >&2; exit 1'


@pytest.fixture
def host(tmp_path: Path, serve: Callable[..., Sshd]) -> Iterator[Host]:
    """Return a host on which programs of a directory `bin` come first."""
    (tmp_path / "bin").mkdir()
    with reached(serve(PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")) as remote:
        yield remote


@pytest.mark.parametrize("has_links", [True, False])
def test_a_move_that_does_not_reach_the_disk_loses_nothing(
    host: Host, program: Callable[[str, str], None], tmp_path: Path, *, has_links: bool
) -> None:
    """With hard links, files get their old names back; without, they keep the new ones."""
    (tmp_path / "there").mkdir()
    moves = [(str(tmp_path / name), str(tmp_path / "there" / name)) for name in ("a", "b")]
    for old, _ in moves:
        with open(old, "w") as file:
            file.write(old)
    program("sync", SYNC)
    if not has_links:
        program("ln", LINK)
    with pytest.raises(OSError, match="Input/output error"):
        host.move(moves)
    for old, new in moves:
        assert os.path.exists(old) == has_links
        assert os.path.exists(new) != has_links
        with open(old if has_links else new) as file:
            assert file.read() == old


def test_a_program_whose_output_was_lost_has_no_status(
    host: Host, program: Callable[[str, str], None]
) -> None:
    """If output was lost, the status is unknown, whatever the program returned."""
    assert host.run(["echo", "whole"], 10).output == b"whole\n"
    program("dd", "head -c 3; exit 1")
    assert host.run(["echo", "whole"], 10).status == UNKNOWN


def test_a_checksum_whose_program_was_killed_is_no_checksum(
    host: Host, program: Callable[[str, str], None], tmp_path: Path
) -> None:
    """The error has no output of the program: it may be cut short."""
    (tmp_path / "file").touch()
    host.machine()
    program("dd", "head -c 3; exit 1")
    with pytest.raises(OSError, match="A process that read it was killed"):
        host.digest(str(tmp_path / "file"), lambda _: None)


def test_a_checksum_whose_shell_was_killed_is_no_checksum(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing that its answer says can be trusted."""
    killed = Answer(255, b"", b"Killed\n")
    monkeypatch.setattr(Connection, "ask", lambda *_, **__: killed)
    with pytest.raises(OSError, match="A process that read it was killed"):
        host.digest("/file", lambda _: None)


def test_a_removal_that_could_not_start_a_process_is_no_success(
    host: Host, program: Callable[[str, str], None], tmp_path: Path
) -> None:
    """If the user has too many processes, the removal fails and the file stays."""
    (tmp_path / "file").touch()
    host.machine()
    program("rm", 'echo "sh: 1: Cannot fork" >&2; exit 2')
    with pytest.raises(HostUnreachable, match="could not start another process"):
        host.remove([str(tmp_path / "file")])
    assert (tmp_path / "file").exists()


def test_no_group_is_killed_whose_number_others_may_have(host: Host, tmp_path: Path) -> None:
    """If osbackup ended long ago, its process group number may be reused, so no group is killed."""
    record = tmp_path / "run"
    other = subprocess.Popen(["sleep", "60"], start_new_session=True)
    try:
        with host.start(["true"], "/no", None, str(record)) as running:
            while not running.poll()[0]:
                pass
            boot = (record / "pid").read_text().split()[1]
            (record / "pid").write_text(f"{other.pid} {boot} 1\n")
            os.utime(record / "status", (1e9, 1e9))
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_a_run_of_another_machine_is_not_called_ended(host: Host, tmp_path: Path) -> None:
    """If machines with one disk share a name, a run of another boot keeps the lock."""
    record = tmp_path / "run"
    with host.lock(str(tmp_path / "lock"), "test", 0, print) as lock:
        assert lock
        with host.start(["sleep", "60"], "/no", lock, str(record)):
            pid, boot, guardian = (record / "pid").read_text().split()
            (record / "pid").write_text(f"{pid} {'0' * len(boot)} {guardian}\n")
        assert lock.is_left
        lock.is_left = False
        subprocess.run(["kill", "--", f"-{pid}"], check=True)


def test_no_program_begins_once_the_command_is_to_end(serve: Callable[..., Sshd]) -> None:
    """After a signal, no thread can start a program, even if the signal was already raised."""
    cancellation = Cancellation("It")
    with reached(serve(), cancellation) as host:
        host.machine()
        cancellation.cancel(15)
        for _ in range(2):
            with pytest.raises(Interrupted):
                host.run(["sleep", "60"], 100)


# The first time, the shell that waits for this program is killed, and the program goes on alone.
ORPHAN = '[ -e {once} ] || {{ : >{once}; kill -KILL $PPID; sleep 0.3; }}\nexec {real} "$@"'

# What is done, and the program of the host that does it.
DONE: dict[str, tuple[str, Callable[[Host, str], object]]] = {
    "create": ("ln", lambda host, home: host.create(f"{home}/new", b"new")),
    "replace": ("mv", lambda host, home: host.replace(f"{home}/old", b"new")),
    "append": ("dd", lambda host, home: host.append(f"{home}/old", b"new\n")),
    "make": ("mkdir", lambda host, home: host.make_directories([f"{home}/new"])),
    "remove": ("rm", lambda host, home: host.remove_trees([f"{home}/old"], mine=True)),
    "move": ("ln", lambda host, home: host.move([(f"{home}/old", f"{home}/new")])),
    "look": ("find", lambda host, home: host.together(lambda: host.stat([home]), host.machine)),
}
LEFT = {"create": ["new", "old"], "make": ["new", "old"], "remove": [], "move": ["new"]}


@pytest.mark.parametrize("what", DONE)
def test_what_goes_on_after_its_shell_was_killed_is_ended_first(
    host: Host, program: Callable[[str, str], None], tmp_path: Path, what: str
) -> None:
    """It counts as a cut: the next login ends what goes on, and finds out what has happened."""
    home, once = tmp_path / "home", tmp_path / "once"
    home.mkdir()
    (home / "old").write_bytes(b"old\n")
    name, do = DONE[what]
    host.machine()  # the login itself needs these programs
    program(name, ORPHAN.format(once=once, real=shutil.which(name)))
    do(host, str(home))
    host.machine()  # a temporary file is removed before the next call
    left = {path.name: path.read_bytes() if path.is_file() else b"" for path in home.iterdir()}
    assert once.exists()
    assert sorted(left) == LEFT.get(what, ["old"])
    content = {"replace": b"new", "append": b"old\nnew\n"}
    assert left.get("old", b"old\n") == content.get(what, b"old\n")
    assert host._connection.login == 2  # type: ignore[attr-defined]


@pytest.mark.parametrize("steps", [1, 2])
def test_a_host_that_kills_whatever_is_begun_is_given_up(
    host: Host, program: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    """The error names neither a cut nor a file; the log of the kernel has the reason."""
    monkeypatch.setattr(link, "PATIENCE", 1.0)
    host.machine()
    program("find", "kill -KILL $PPID")
    asked = (lambda: host.stat(["/"]), lambda: host.read("/no"))
    with pytest.raises(HostUnreachable) as caught:
        host.together(*asked[:steps])
    assert caught.value.what == "A process of this command on remote was killed."
    assert caught.value.next_step == "Find out why, such as for lack of memory: ssh remote dmesg"
