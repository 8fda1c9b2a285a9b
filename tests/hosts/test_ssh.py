"""What only a host reached by ssh can meet: cuts, noise, and no connection at all."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from typing import TYPE_CHECKING

import pytest
from sshd import Sshd, reached

from csf_backup_plugin import interrupts
from csf_backup_plugin.errors import HostUnreachable, Interrupted
from csf_backup_plugin.hosts import connect
from csf_backup_plugin.hosts.ssh import connection, files, job
from csf_backup_plugin.hosts.ssh.connection import Answer, Connection, Cut

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def test_noise_is_no_answer(noisy: Sshd, tmp_path: Path) -> None:
    """Whatever shell the user has, and whatever it says."""
    path = str(tmp_path / "it's a $(file)")
    with reached(noisy) as host:
        host.create(path, b"data\n\xff")
        assert host.read(path) == b"data\n\xff"
        assert [fact.kind for fact in host.look([path, path + "no"])] == ["file", "missing"]
        with pytest.raises(FileExistsError):
            host.create(path, b"")
        with (
            host.lock(f"{path}.lock", "x", 0, print) as lock,
            host.start(["echo", "a  b"], path, lock, f"{path}.run") as running,
        ):
            while not (ended := running.poll()[0]):
                pass
        assert ended == (0, b"a  b\n")
    assert noisy.logins() == 1


def unreachable(command: str, name: str = "remote") -> str:
    """Return what is said of a host that cannot be reached."""
    with pytest.MonkeyPatch.context() as patch, pytest.raises(HostUnreachable) as caught:
        patch.setenv("CSF_BACKUP_SSH", command)
        with connect(name) as host:
            host.read("/")
    return str(caught.value)


def test_why_a_host_cannot_be_reached_is_told_in_sshs_own_words(sshd: Sshd, tmp_path: Path) -> None:
    """With the command to try by hand."""
    other = tmp_path / "known_hosts"
    key = (sshd.directory / "user_key.pub").read_text()
    other.write_text(f"remote {key}")
    ssh = sshd.command
    for command, words in (
        (f"{ssh} -o UserKnownHostsFile={other}", "Host key verification failed"),
        (f"{ssh} -o PreferredAuthentications=none", "Permission denied"),
        (f"{ssh} -o Port=1", "Connection refused"),
        (f"{ssh} -l nobody-of-that-name", "Permission denied"),
        ("/no/ssh", "cannot be run: No such file"),
    ):
        said = unreachable(command)
        assert words in said
        assert "by hand" in said or "CSF_BACKUP_SSH" in said


def test_a_host_that_never_answers_is_given_up(sshd: Sshd) -> None:
    """After ssh's own time limit."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        said = unreachable(f"{sshd.command} -o ConnectTimeout=1 -o Port={port}")
    assert "timed out" in said


def test_what_changes_nothing_is_asked_again_after_a_cut(sshd: Sshd, tmp_path: Path) -> None:
    """The user does not notice."""
    (tmp_path / "file").write_bytes(b"data")
    with reached(sshd) as host:
        for _ in range(3):
            assert host.read(str(tmp_path / "file")) == b"data"
            assert sshd.cut()


@pytest.mark.parametrize("done", [True, False])
def test_after_a_cut_a_file_is_written_once(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, done: bool
) -> None:
    """Whether it was already, the file itself tells."""
    path = tmp_path / "file"
    run = Connection.run
    cuts: list[int] = []

    def cut_once(self: Connection, script: str, *arguments: str, data: bytes = b"") -> Answer:
        if script == files._CREATE and not cuts:
            if done:
                run(self, script, *arguments, data=data)
            cuts.append(sshd.cut())
            raise Cut("The connection was cut.", "Look.")
        return run(self, script, *arguments, data=data)

    monkeypatch.setattr(Connection, "run", cut_once)
    with reached(sshd) as host:
        host.read(str(path))
        host.create(str(path), b"data")
    assert cuts
    assert path.read_bytes() == b"data"


def test_without_a_host_for_too_long_it_is_given_up(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cut is one thing, a host that is gone another."""
    directory = tmp_path / "sshd"
    directory.mkdir()
    server = Sshd(directory, {"HOME": str(tmp_path)})
    server.start()
    monkeypatch.setattr(connection, "PATIENCE", 0.3)
    with reached(server) as host:
        host.read("/no")
        server.cut()
        server.stop()
        with pytest.raises(HostUnreachable, match="Connection refused"):
            host.read("/no")


def counted(tmp_path: Path) -> tuple[list[str], Callable[[], int]]:
    """Return a program that notes each start and runs for a second, and the number of starts."""
    log = tmp_path / "starts"
    script = 'echo started >> "$1"; sleep 1; echo done; exit 5'
    return ["sh", "-c", script, "sh", str(log)], lambda: log.read_text().count("started")


def test_a_cut_neither_ends_nor_repeats_osbackup(sshd: Sshd, tmp_path: Path) -> None:
    """Its true end is told, however often the connection is cut."""
    argv, starts = counted(tmp_path)
    cuts = 0
    with reached(sshd) as host, host.start(argv, "/no", None, str(tmp_path / "run")) as running:
        while not (ended := running.poll()[0]):
            cuts += sshd.cut() > 0
    assert ended == (5, b"done\n")
    assert cuts
    assert starts() == 1


@pytest.mark.parametrize("begun", [True, False])
def test_a_cut_while_starting_starts_once_or_not_at_all(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, begun: bool
) -> None:
    """The record on the host tells which."""
    argv, starts = counted(tmp_path)
    start = job._start

    def cut(*arguments: object) -> None:
        if begun:
            start(*arguments)  # type: ignore[arg-type]
        sshd.cut()
        raise Cut("The connection was cut.", "Look.")

    monkeypatch.setattr(job, "_start", cut)
    with reached(sshd) as host:
        if not begun:
            with pytest.raises(Cut), host.start(argv, "/no", None, str(tmp_path / "run")):
                pass
            assert not (tmp_path / "starts").exists()
            return
        with host.start(argv, "/no", None, str(tmp_path / "run")) as running:
            while not (ended := running.poll()[0]):
                pass
        assert ended == (5, b"done\n")
        assert starts() == 1


def test_another_runs_record_is_left_alone(sshd: Sshd, tmp_path: Path) -> None:
    """It may still be at work."""
    (tmp_path / "run").mkdir()
    with reached(sshd) as host, host.lock(str(tmp_path / "lock"), "x", 0, print) as lock:
        for held in (lock, None):
            started = host.start(["true"], "/no", held, str(tmp_path / "run"))
            with pytest.raises(FileExistsError), started:
                pass
    assert os.listdir(tmp_path / "run") == []


def test_an_osbackup_that_was_killed_with_its_shell_has_an_end(sshd: Sshd, tmp_path: Path) -> None:
    """Nobody wrote down how; it counts as killed."""
    script = "kill -9 -$(ps -o pgid= $$ | tr -d ' ')"
    record = str(tmp_path / "run")
    with reached(sshd) as host, host.start(["sh", "-c", script], "/no", None, record) as running:
        while not (ended := running.poll()[0]):
            pass
    assert ended.status == -9


def test_a_lock_whose_connection_is_cut_is_told(sshd: Sshd, tmp_path: Path) -> None:
    """It is not held any more, so nothing may be started under it."""
    argv, _ = counted(tmp_path)
    with reached(sshd) as host:
        with pytest.raises(Cut), host.lock(str(tmp_path / "lock"), "x", 0, print) as lock:
            sshd.cut()
            with host.start(argv, "/no", lock, str(tmp_path / "run")):
                pass
        with host.lock(str(tmp_path / "lock"), "x", 5, print):
            pass
    assert not (tmp_path / "starts").exists()


def test_a_signal_ends_a_wait_and_not_the_clean_up(sshd: Sshd, tmp_path: Path) -> None:
    """Files can still be removed over the same connection."""
    path = tmp_path / "file"
    path.touch()
    with reached(sshd) as host, interrupts.noted("The test"):
        host.read(str(path))
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted):
            host.run(["sleep", "60"], 60)
        host.remove([str(path)])
    assert not path.exists()


def test_a_signal_ends_the_wait_for_a_connection(sshd: Sshd) -> None:
    """Be it the first one, or one that was cut."""
    with socket.create_server(("127.0.0.1", 0)) as silent, interrupts.noted("The test"):
        made = Connection("remote", f"{sshd.command} -o Port={silent.getsockname()[1]}")
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted):
            made.run("true")
        made.close()


def test_words_of_no_system_are_an_input_output_error() -> None:
    """With the last line that was said, or the exit status."""
    from csf_backup_plugin.hosts.ssh.errors import os_error

    assert os_error(Answer(1, b"", b"one\nodd words\n"), "/f").strerror == "odd words"
    assert os_error(Answer(9, b"", b""), "/f").strerror == "exit status 9"


def test_one_login_serves_a_whole_backup(sshd: Sshd, tmp_path: Path) -> None:
    """And no ssh is left when it has ended."""
    before = sshd.logins()
    with reached(sshd) as host:
        host.create(str(tmp_path / "file"), b"")
        with host.lock(str(tmp_path / "lock"), "x", 0, print):
            host.look([str(tmp_path)])
    assert sshd.logins() == before + 1
    running = subprocess.run(["pgrep", "-f", str(sshd.directory / "ssh_config")], check=False)
    assert running.returncode == 1


def test_while_there_is_no_connection_nothing_is_known_of_osbackup() -> None:
    """It is asked again until the caller has had enough."""
    made = Connection("remote", "false")
    try:
        assert job.Job(made, "/run", "/image").poll() == (None, 0)
    finally:
        made.close()
