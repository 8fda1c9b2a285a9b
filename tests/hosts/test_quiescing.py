"""A program that makes quiet: whatever is killed, the server it stops is started again."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time
from typing import TYPE_CHECKING, Any

import pytest
from application_server import ApplicationServer
from sshd import reached
from waiting import wait_for

from csf_backup_plugin.cancellation import Cancellation, deferred_signals
from csf_backup_plugin.errors import Interrupted, LockBusy, UtilityMissing
from csf_backup_plugin.hosts import quiescing
from csf_backup_plugin.hosts.guardian import PID_WIDTH
from csf_backup_plugin.hosts.local import job
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.hosts.protocol.values import UNKNOWN, UNQUIET
from csf_backup_plugin.hosts.ssh import job as ssh_job
from csf_backup_plugin.hosts.ssh.connection import Connection

if TYPE_CHECKING:
    from pathlib import Path

    from sshd import Sshd

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.programs import Quiesce, Running
    from csf_backup_plugin.hosts.protocol.values import Completed
    from csf_backup_plugin.hosts.ssh.errors import Answer

pytestmark = pytest.mark.not_in_memory("programs")


@pytest.fixture
def server(tmp_path: Path) -> ApplicationServer:
    """Return a running application server."""
    return ApplicationServer(tmp_path / "server")


def ended(running: Running) -> Completed:
    """Wait for the end of a utility."""
    while not (completed := running.poll()[0]):
        pass
    return completed


def run(host: Host, server: ApplicationServer, script: str, limit: float = 60.0) -> Completed:
    """Run a utility under a lock, while a server is stopped."""
    directory = os.path.dirname(server.master)
    record, lock = f"{directory}/run", f"{directory}/lock"
    with (
        host.lock(lock, "x", 10, print) as held,
        host.start(
            ["sh", "-c", script, "sh", directory],
            *("/no", held, record),
            quiesce=server.quiesce(limit),
        ) as running,
    ):
        completed = ended(running)
    assert held is not None
    assert not held.is_left
    return completed


def reported(server: ApplicationServer, name: str = "quiesce") -> str:
    """Return the calls in the record of the run."""
    with open(f"{os.path.dirname(server.master)}/run/{name}") as file:
        return file.read()


def is_locked(server: ApplicationServer) -> bool:
    """Tell whether any process holds the lock."""
    try:
        with LocalHost().lock(f"{os.path.dirname(server.master)}/lock", "y", 0, print):
            return False
    except LockBusy:
        return True


def settled(host: Host, quiesce: Quiesce) -> bytes:
    """Make the end call that is owed; return its messages."""
    return host.run(quiescing.settling(quiesce, PID_WIDTH), 60).output


def test_a_server_is_stopped_as_long_as_the_utility_runs(
    host: Host, server: ApplicationServer
) -> None:
    """In the meantime the debt of an end call is recorded."""
    script = 'cat "$1/lib.db.quiesced"; [ -e "$1/up" ] || echo stopped; exit 4'
    assert run(host, server, script) == (4, b"owed\nby a test\nstopped\n", b"")
    assert server.runs
    assert server.calls == ["begin", "end"]
    assert not server.debt.exists()
    assert reported(server) == "begin 0\nend 0\n"
    left = {*os.listdir(os.path.dirname(server.master))}
    assert left == {"calls", "lock", "quiesce", "run", "up"}


def test_a_program_that_fails_to_begin_lets_nothing_run(
    host: Host, server: ApplicationServer
) -> None:
    """Its end is still called, and its output is recorded."""
    server.do("begin.after", "echo cannot; exit 3")
    assert run(host, server, ': > "$1/ran"').status == UNQUIET
    assert (server.calls, server.runs) == (["begin", "end"], True)
    assert (reported(server), reported(server, "begin").strip("\0")) == (
        "begin 3\nend 0\n",
        "cannot\n",
    )
    assert "ran" not in os.listdir(os.path.dirname(server.master))


def test_a_program_that_does_not_end_in_time_is_ended(
    host: Host, server: ApplicationServer
) -> None:
    """It has its own time limit."""
    server.do("begin.after", "sleep 60")
    assert run(host, server, ': > "$1/ran"', limit=1).status == UNQUIET
    assert (server.calls, server.runs) == (["begin", "end"], True)
    assert reported(server).startswith("begin 124\n")


def test_an_end_that_fails_is_called_once_more(host: Host, server: ApplicationServer) -> None:
    """It may be killed, or report a failure."""
    server.do("end.before", '[ -e "$here/once" ] || { : >"$here/once"; kill -9 $$; }')
    assert run(host, server, "exit 0").status == 0
    assert (server.calls, server.runs) == (["begin", "end", "end"], True)
    assert not server.debt.exists()


def test_an_end_that_fails_twice_stays_owed(host: Host, server: ApplicationServer) -> None:
    """The utility has succeeded nevertheless; the later end call may fail, too."""
    server.do("end.before", "echo no; exit 7")
    assert run(host, server, "exit 0").status == 0
    assert (server.calls, server.runs) == (["begin", "end", "end"], False)
    assert reported(server).endswith("end 7\n")
    assert settled(host, server.quiesce()) == b"7\n"
    assert server.debt.read_text() == "owed\nby a test\n"
    server.do("end.before", "")
    assert settled(host, server.quiesce()) == b"0\n"
    assert server.runs
    assert not server.debt.exists()


def test_what_cannot_be_put_on_record_is_not_begun(host: Host, server: ApplicationServer) -> None:
    """Nothing would ever end it."""
    quiesce = server.quiesce()._replace(debt=f"{server.master}/no/debt")
    directory = os.path.dirname(server.master)
    with host.start(
        ["touch", f"{directory}/ran"], "/no", None, f"{directory}/run", quiesce=quiesce
    ) as running:
        assert ended(running).status == UNQUIET
    assert server.calls == []
    assert reported(server) == "owed 1\n"


def test_what_the_program_leaves_behind_has_nothing_of_ours(
    host: Host, server: ApplicationServer
) -> None:
    """It has no lock and no directory of ours, and may print for ever."""
    daemon = "while [ ! -e go ]; do echo said; sleep 0.1; done; ls -l /proc/self/fd; pwd"
    server.do(
        "end.after", f"""cd "$here"; ({daemon}; : > done) & cd /; echo $! > "$here/daemon" """
    )
    assert run(host, server, "exit 0").status == 0
    assert not is_locked(server)
    said = os.path.dirname(server.master)
    pid = int((server.debt.parent / "daemon").read_text())
    held = {os.readlink(f"/proc/{pid}/fd/{name}") for name in os.listdir(f"/proc/{pid}/fd")}
    assert not [path for path in held if path.startswith(said)]
    (server.debt.parent / "go").touch()
    wait_for((server.debt.parent / "done").exists)


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_the_server_is_stopped_starts_it_again(
    server: ApplicationServer, signum: signal.Signals
) -> None:
    """The utility is never run."""
    server.do("begin.after", f"kill -{int(signum)} {os.getpid()}; sleep 60")
    with deferred_signals("It") as cancellation, pytest.raises(Interrupted):
        run(LocalHost("localhost", cancellation), server, ': > "$1/ran"')
    assert (server.calls, server.runs) == (["begin", "end"], True)
    assert not is_locked(server)


@pytest.mark.remote
def test_a_signal_starts_the_server_again_on_another_host(
    sshd: Sshd, server: ApplicationServer
) -> None:
    """The result is the same, but takes longer."""
    server.do("begin.after", f"kill -TERM {os.getpid()}; sleep 60")
    server.do("end.before", "sleep 1.5")
    with deferred_signals("It") as cancellation, reached(sshd, cancellation) as host:  # noqa: SIM117
        with pytest.raises(Interrupted):
            run(host, server, ': > "$1/ran"')
    assert (server.calls, server.runs) == (["begin", "end"], True)
    wait_for(lambda: not is_locked(server))


@pytest.mark.remote
@pytest.mark.parametrize("when", ["begin.after", "utility", "end.before"])
def test_a_cut_keeps_no_server_stopped(sshd: Sshd, server: ApplicationServer, when: str) -> None:
    """The utility's real end is reported, and the lock is taken again after the last call."""
    here = server.debt.parent
    waits = f': >"{here}/now"; until [ -e "{here}/go" ]; do sleep 0.02; done'
    if when != "utility":
        server.do(when, waits)
    script = f"{waits}; exit 4" if when == "utility" else "exit 4"
    directory = os.path.dirname(server.master)

    def cut_once() -> None:
        wait_for((here / "now").exists)
        assert sshd.cut()
        (here / "go").touch()

    with (
        reached(sshd) as host,
        host.lock(f"{directory}/lock", "x", 0, print) as held,
    ):
        cutting = threading.Thread(target=cut_once)
        cutting.start()
        record = f"{directory}/run"
        with host.start(
            ["sh", "-c", script], "/no", held, record, quiesce=server.quiesce()
        ) as running:
            assert ended(running).status == 4
            cutting.join()
        assert (server.calls, server.runs) == (["begin", "end"], True)
    assert not is_locked(server)


def killing(who: str, directory: str) -> str:
    """Return a script that once kills csf, the guardian, both, or the program itself."""
    guardian = f'$(cut -d" " -f3 {directory}/run/pid)'
    csf = f"$(cat {directory}/csf)"
    victims = {"csf": csf, "guardian": guardian, "both": f"{csf} {guardian}", "program": "$$"}
    return f'[ -e "{directory}/once" ] || {{ : >"{directory}/once"; kill -9 {victims[who]}; }}'


@pytest.mark.parametrize("who", ["csf", "guardian", "both", "program"])
@pytest.mark.parametrize(
    "when", ["begin.before", "begin.after", "utility", "end.before", "end.after"]
)
def test_whatever_is_killed_the_server_is_started_again(
    server: ApplicationServer, when: str, who: str
) -> None:
    """The guardian does it if it lives; otherwise the debt is recorded."""
    directory = os.path.dirname(server.master)
    kills, script = killing(who, directory), "exit 0"
    if when == "utility":
        script = kills
    else:
        server.do(when, kills)
    child = os.fork()
    if not child:  # pragma: no cover  # another process
        try:
            with open(f"{directory}/csf", "w") as file:
                file.write(str(os.getpid()))
            run(LocalHost(), server, script)
        finally:
            os._exit(0)
    os.waitpid(child, 0)
    wait_for(lambda: not is_locked(server))
    if who in ("csf", "program"):
        assert server.runs
        assert not server.debt.exists()
        return
    assert server.runs or server.debt.exists()
    if server.debt.exists():
        assert settled(LocalHost(), server.quiesce()) == b"0\n"
    assert server.runs
    assert not server.debt.exists()


@pytest.mark.parametrize("when", ["begin.after", "utility"])
def test_a_guardian_that_was_killed_leaves_the_end_owed(
    server: ApplicationServer, when: str
) -> None:
    """csf knows that the utility's end is unknown, and ends what still runs."""
    script = f"{killing('guardian', os.path.dirname(server.master))}; sleep 60"
    server.do("begin.after", script if when == "begin.after" else "")
    assert run(LocalHost(), server, script).status == UNKNOWN
    assert not server.runs
    assert server.debt.exists()


def test_nothing_is_called_for_a_utility_that_is_not_to_run(
    server: ApplicationServer, tmp_path: Path
) -> None:
    """The image to be read may have been withdrawn."""
    gone, record = str(tmp_path / "gone"), str(tmp_path / "run")
    with (
        pytest.raises(FileNotFoundError, match="Removed meanwhile"),
        job.started(
            *(["true"], "/no", None, record, Cancellation()),
            readings=[gone],
            quiesce=server.quiesce(),
        ) as running,
    ):
        ended(running)
    assert server.calls == []


def test_only_what_our_user_has_written_is_settled(
    host: Host, server: ApplicationServer, tmp_path: Path
) -> None:
    """Otherwise anybody who can write to the directory could make us run a program."""
    quiesce = server.quiesce()
    server.debt.write_text("other words\n")
    assert settled(host, quiesce) == b""
    server.debt.rename(tmp_path / "elsewhere")
    (tmp_path / "elsewhere").write_text(quiesce.owed)
    server.debt.symlink_to(tmp_path / "elsewhere")
    assert settled(host, quiesce) == b""
    server.debt.unlink()
    assert settled(host, quiesce) == b""
    if os.geteuid() == 0:
        server.debt.write_text(quiesce.owed)
        os.chown(server.debt, 65534, 65534)
        assert settled(host, quiesce) == b""
    assert server.calls == []


@pytest.mark.parametrize("said", ["no active clients", "client 1: pid 7"])
def test_the_server_is_asked_for_clients_behind_the_program(
    host: Host, server: ApplicationServer, tmp_path: Path, said: str
) -> None:
    """If it has clients, it is not quiet, and the output is recorded."""
    ossvrstat = tmp_path / "ossvrstat"
    ossvrstat.write_text(f'#!/bin/sh\n[ "$*" = "-clients db1" ] && echo "{said}"\n')
    ossvrstat.chmod(0o755)
    quiesce = server.quiesce()._replace(ask=str(ossvrstat), server="db1")
    record = str(tmp_path / "record")
    with host.start(["true"], "/no", None, record, quiesce=quiesce) as running:
        status = ended(running).status
    assert status == (0 if said.startswith("no") else UNQUIET)
    assert said in (tmp_path / "record" / "begin").read_text()
    assert server.runs


def test_a_call_that_does_not_end_leaves_the_lock_to_the_guardian(
    server: ApplicationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With or without a lock, it is not killed."""
    monkeypatch.setattr(quiescing, "longest", lambda _limit: 0.05)
    started: list[subprocess.Popen[bytes]] = []
    start = job._start

    def recorded(*what: Any) -> subprocess.Popen[bytes]:
        started.append(start(*what))
        return started[-1]

    monkeypatch.setattr(job, "_start", recorded)
    directory = server.debt.parent
    server.do("end.before", 'until [ -e "$here/go" ]; do sleep 0.02; done')
    host = LocalHost()
    with host.lock(f"{directory}/lock", "x", 0, print) as held:
        for number, lock in enumerate([held, None]):
            record = str(directory / f"run{number}")
            with host.start(["true"], "/no", lock, record, quiesce=server.quiesce()) as running:
                assert ended(running).status == 0
    assert held is not None
    assert held.is_left
    (directory / "go").touch()
    wait_for(lambda: server.calls.count("end") == 2)
    wait_for(lambda: server.runs and not server.debt.exists())
    for popen in started:  # guardians of this process, which continues
        popen.kill()
        popen.wait()


@pytest.mark.remote
def test_a_call_that_does_not_end_leaves_the_lock_on_another_host(
    sshd: Sshd, server: ApplicationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With or without a lock, it is not killed there either."""
    monkeypatch.setattr(quiescing, "longest", lambda _limit: 0.05)
    directory = server.debt.parent
    server.do("end.before", 'until [ -e "$here/go" ]; do sleep 0.02; done')
    with reached(sshd) as host:
        with host.lock(f"{directory}/lock", "x", 0, print) as held:
            for number, lock in enumerate([held, None]):
                record = str(directory / f"run{number}")
                with host.start(["true"], "/no", lock, record, quiesce=server.quiesce()) as running:
                    assert ended(running).status == 0
        assert held is not None
        assert held.is_left
        (directory / "go").touch()
        wait_for(lambda: server.runs and not server.debt.exists())


@pytest.mark.remote
@pytest.mark.parametrize(
    ("when", "question"), [("begin.before", "job_is_quiet"), ("end.before", "job_is_parted")]
)
def test_a_call_that_takes_longer_than_an_exchange_is_asked_for_again(
    sshd: Sshd,
    server: ApplicationServer,
    monkeypatch: pytest.MonkeyPatch,
    when: str,
    question: str,
) -> None:
    """The wait ends only when the host reports the end."""
    go, ask, answers = server.debt.parent / "go", Connection.ask, list[int]()
    server.do(when, f"until [ -e '{go}' ]; do sleep 0.02; done")

    def asked(self: Connection, *words: str, **options: Any) -> Answer:
        answer = ask(self, *words, **options)
        if words[0] == question:
            answers.append(answer.status)
            go.touch()
        return answer

    monkeypatch.setattr(Connection, "ask", asked)
    with reached(sshd) as host:
        assert run(host, server, "exit 4").status == 4
    assert answers[0] != 0
    assert 0 in answers[1:]
    assert (server.calls, server.runs) == (["begin", "end"], True)


@pytest.mark.parametrize("kind", ["local", pytest.param("ssh", marks=pytest.mark.remote)])
def test_a_beginning_that_takes_too_long_is_not_waited_for(
    request: pytest.FixtureRequest,
    server: ApplicationServer,
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    """Its guardian ends it; the utility's time limit is extended by that time."""
    monkeypatch.setattr(job, "_BEGINNING", -19.9)
    monkeypatch.setattr(ssh_job, "_PARTING", -19.9)
    server.do("begin.before", 'until [ -e "$here/go" ]; do sleep 0.02; done')
    directory = server.debt.parent
    (directory / "lock").touch()

    def check(host: Host) -> None:
        record = str(directory / "run")
        with host.start(["true"], "/no", None, record, quiesce=server.quiesce(20.0)) as running:
            (directory / "go").touch()
            assert ended(running).status in (0, UNQUIET)

    if kind == "local":
        check(LocalHost())
    else:
        with reached(request.getfixturevalue("sshd")) as remote:
            check(remote)
    assert server.runs


def test_a_report_for_which_there_is_no_lock_is_read(
    server: ApplicationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """File systems without locks have such reports."""

    def refused(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr("fcntl.flock", refused)
    directory = server.debt.parent
    record = str(directory / "run")
    began = time.monotonic()
    with LocalHost().start(["true"], "/no", None, record, quiesce=server.quiesce()) as running:
        assert ended(running).status == 0
    assert time.monotonic() < began + 20
    assert server.runs


@pytest.mark.parametrize("shell", ["bash", "busybox sh"])
def test_other_shells_stop_and_start_it_too(
    server: ApplicationServer, monkeypatch: pytest.MonkeyPatch, shell: str
) -> None:
    """The guardian and its children run in any POSIX shell."""
    start = job._start

    def other(argv: list[str], *streams: int) -> object:
        return start([*shell.split(), *argv[1:]], *streams)

    monkeypatch.setattr(job, "_start", other)
    assert run(LocalHost(), server, "exit 4").status == 4
    assert (server.calls, server.runs) == (["begin", "end"], True)
    assert reported(server) == "begin 0\nend 0\n"


def test_a_program_is_named_by_its_user_or_by_the_environment(
    host: Host, server: ApplicationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a name there is none; a named program must be an executable file."""
    assert host.find_program("", "CSF_BACKUP_NO_SUCH_VARIABLE") == ""
    assert host.find_program(server.program, "CSF_BACKUP_NO_SUCH_VARIABLE") == server.program
    for name in (f"{server.program}.no", server.master, "quiesce", "/"):
        with pytest.raises(UtilityMissing, match="not the absolute path of an executable file"):
            host.find_program(name, "CSF_BACKUP_NO_SUCH_VARIABLE")
    if isinstance(host, LocalHost):
        monkeypatch.setenv("HOME", server.program)
        assert host.find_program("", "HOME") == server.program
        monkeypatch.setenv("HOME", "quiesce")
    with pytest.raises(UtilityMissing, match="HOME names it"):
        host.find_program("", "HOME")
