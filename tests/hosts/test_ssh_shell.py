"""The shell on another host: its answers stay clean, and it ends when its client is gone."""

from __future__ import annotations

import base64
import os
import re
import signal
import subprocess
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from process_facts import environment_of, lives, number_in, parent_of
from sshd import INTERACTIVE, LOCAL, Sshd, reached
from waiting import wait_for

from csf_backup_plugin.cancellation import Cancellation, deferred_signals
from csf_backup_plugin.errors import HostUnreachable, Interrupted, LockBusy
from csf_backup_plugin.hosts import ssh
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.hosts.protocol.values import ENDLESS, UNKNOWN
from csf_backup_plugin.hosts.ssh import connection, library, link, login, waiting
from csf_backup_plugin.hosts.ssh.connection import Connection
from csf_backup_plugin.hosts.ssh.lock import held
from csf_backup_plugin.hosts.ssh.login import Cut
from csf_backup_plugin.hosts.ssh.request import Request
from csf_backup_plugin.hosts.ssh.shell import Shell
from csf_backup_plugin.hosts.ssh.waiting import answer_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from csf_backup_plugin.hosts.ssh.errors import Answer
    from csf_backup_plugin.hosts.ssh.request import Kind

pytestmark = pytest.mark.remote


@pytest.fixture
def made(sshd: Sshd) -> Iterator[Connection]:
    """Yield a connection."""
    connected = Connection("remote", sshd.command, Cancellation(), print)
    connected.run("true")
    yield connected
    connected.close()


def ours(made: Connection) -> list[int]:
    """Return the processes of all logins of a connection."""
    found = []
    for name in filter(str.isdigit, os.listdir("/proc")):
        if f"csf_run={made.link.login._run}.".encode() in environment_of(int(name)):
            found.append(int(name))
    return found


@pytest.mark.parametrize("setting", [*INTERACTIVE, *LOCAL])
def test_what_a_configuration_has_for_interactive_use_is_put_aside(
    serve: Callable[..., Sshd], tmp_path: Path, setting: str
) -> None:
    """Interactive settings in ssh_config have no effect, and ssh's messages are not answers."""
    server = serve()
    config = server.directory / "ssh_config"
    config.write_text(f"{config.read_text()}  {setting.format(tmp_path)}\n")
    data = bytes(range(256)) * 1000
    with reached(server) as host:
        host.create(str(tmp_path / "file"), data)
        assert host.read(str(tmp_path / "file")) == data
        ended = host.run(["sh", "-c", "echo out; echo err >&2; exit 3"], 30)
        assert ended == (3, b"out\n", b"err\n")
    assert server.logins() == 1
    assert not {"master", "forward"} & set(os.listdir(tmp_path))


def test_what_a_verbose_ssh_says_is_no_answer(sshd: Sshd, tmp_path: Path) -> None:
    """Debug output of ssh gets neither into answers nor into the reason of a failed login."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sshd, "command", f"{sshd.command} -vvv")
        with reached(sshd) as host:
            (tmp_path / "image").write_bytes(b"data")
            assert host.digest(str(tmp_path / "image"), lambda _: None)[0] == 4
            assert host.run(["sh", "-c", "echo err >&2"], 30).errors == b"err\n"
        patch.setattr(sshd, "command", f"{sshd.command} -o PreferredAuthentications=none")
        with reached(sshd) as host, pytest.raises(HostUnreachable, match="Permission") as caught:
            host.read("/no")
        assert "debug1" not in str(caught.value)


@pytest.mark.parametrize("directory", ["/no/such/directory", "/proc"])
def test_the_drivers_directory_for_temporary_files_does_not_matter(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, directory: str
) -> None:
    """The connection needs no temporary directory on this machine."""
    for name in ("TMPDIR", "XDG_RUNTIME_DIR"):
        monkeypatch.setenv(name, directory)
    with reached(sshd) as host:
        host.create(str(tmp_path / "file"), b"data")
        assert host.read(str(tmp_path / "file")) == b"data"


@pytest.mark.parametrize("shell", ["dash", "bash", "busybox sh"])
@pytest.mark.parametrize("kind", ["script", "program", "locked", "here"])
def test_a_call_that_is_cut_short_never_runs(tmp_path: Path, shell: str, kind: Kind) -> None:
    """A call that is cut at any byte does not run, and its data is not used."""
    marker = tmp_path / "marker"
    text = base64.b64decode(library.library("mark"))

    def heard(sent: bytes) -> None:
        subprocess.run(
            [*shell.split(), "-c", os.fsdecode(text)],
            env={**os.environ, "csf_run": "run.1"},
            input=sent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            check=False,
        )

    script = library.step(["eval", f"csf_data >'{marker}'"], b"data")
    call = library.call(1, kind, "mark", script)
    whole = len(call) - 1  # without its last newline
    for end in (0, 5, 9, *range(12, whole - 5, 40), *range(whole - 5, whole)):
        heard(call[:end])
        assert not marker.exists(), call[:end]
    heard(call)
    assert marker.read_bytes() == b"data"


def test_arguments_and_data_may_hold_anything(any_shell: Sshd) -> None:
    """Every byte gets through, except NUL in arguments."""
    odd = [
        os.fsdecode(bytes(range(1, 256))),
        "",
        "-n",
        "\\c",
        "a\n",
        "'\"$(id)`id`",
        "\n1 here 3\n",
    ]
    connected = Connection("remote", any_shell.command, Cancellation(), print)
    try:
        printed = connected.run("printf", r"%s\0", *odd).output
        assert printed == b"".join(os.fsencode(word) + b"\0" for word in odd)
        data = bytes(range(256)) * 3
        assert connected.run("csf_data", data=data).output == data
        assert connected.run("eval", "printf 'a\\0b\\n\\n'; exit 3") == (3, b"a\0b\n\n", b"")
        assert connected.login == 1
    finally:
        connected.close()


def test_a_call_of_any_length_comes_through(any_shell: Sshd) -> None:
    """The shell reads short calls itself, and has a program read longer ones."""
    connected = Connection("remote", any_shell.command, Cancellation(), print)
    lengths = (*range(3800, 4100, 7), 70_000)
    try:
        for length in lengths:
            word = ("ab\xe4\n" * length)[:length]
            assert connected.run("printf", "%s", word).output == os.fsencode(word), length
        assert connected.login == 1
    finally:
        connected.close()


def test_calls_of_several_threads_get_their_own_answers(any_shell: Sshd, tmp_path: Path) -> None:
    """Reads and programs of several threads share one login, and get their own answers."""
    found: dict[int, object] = {}
    with reached(any_shell) as host:

        def ask(number: int) -> None:
            path = str(tmp_path / str(number))
            Path(path).write_bytes(b"%d" % number * 1000)
            ended = host.run(["echo", str(number)], 60) if number % 3 == 0 else None
            found[number] = (host.read(path), ended and ended.output)

        threads = [threading.Thread(target=ask, args=(number,)) for number in range(24)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert found == {
        number: (b"%d" % number * 1000, None if number % 3 else b"%d\n" % number)
        for number in range(24)
    }
    assert any_shell.logins() == 1


def test_a_program_that_waits_for_its_turn_is_no_silence(
    made: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A program that waits for another thread's long call does not time out."""
    monkeypatch.setattr(waiting, "SILENCE", 4.0)
    begun = tmp_path / "begun"
    script = f": >{begun}; for i in 1 2 3 4 5 6 7 8 9 10; do sleep 0.5; echo >&3; done"
    slow = threading.Thread(target=made.run, args=("eval", script))
    slow.start()
    wait_for(begun.exists)
    assert made.run("program", "100", "echo", "x", kind="program").output.startswith(b"x\n")
    slow.join()
    assert made.login == 1


def test_what_a_program_leaves_behind_delays_nobody(any_shell: Sshd, tmp_path: Path) -> None:
    """A process that a program leaves keeps running, and does not write into later answers."""
    leave = 'trap "" PIPE; ( while sleep 0.1; do echo left; echo left >&2; done ) & echo $! > "$0"'
    argv = ["/bin/sh", "-c", f"{leave}; echo out; echo err >&2; exit 3"]
    pids = [tmp_path / "one", tmp_path / "two"]
    try:
        with reached(any_shell) as host:
            ended = host.run([*argv, str(pids[0])], 30)
            assert (ended.status, ended.output, ended.errors) == (3, b"out\n", b"err\n")
            (one,) = host.run_each(argv, [str(pids[1])], 30)
            assert (one.status, one.output) == (3, b"out\nerr\n")
            for _ in range(5):
                assert host.read("/no/such/file") is None
                assert host.run(["echo", "x"], 30) == (0, b"x\n", b"")
        assert all(lives(int(pid.read_text())) for pid in pids)
        assert any_shell.logins() == 1
    finally:
        for pid in pids:
            os.kill(int(pid.read_text()), signal.SIGKILL)


@pytest.mark.parametrize("ignores", ["", "trap '' PIPE TERM HUP;"])
def test_endless_output_is_stopped(any_shell: Sshd, ignores: str) -> None:
    """Endless output on either stream is stopped, even if the program ignores SIGPIPE."""
    script = f"{ignores} while :; do echo 0123456789012345678901234567890123456789; done"
    with pytest.MonkeyPatch.context() as patch, reached(any_shell) as host:
        patch.setattr("csf_backup_plugin.hosts.common.OUTPUT", 200_000)
        patch.setattr("csf_backup_plugin.hosts.common.OUTPUT_OF_EACH", 200_000)
        for stream in ("", "exec >&2;"):
            ended = host.run(["sh", "-c", f"{stream} {script}"], 60)
            assert ended.status == ENDLESS
            assert 200_000 < len(ended.errors if stream else ended.output) < 1_000_000
        (one,) = host.run_each(["sh", "-c", script], [""], 60)
        assert one.status == ENDLESS
        assert host.run(["echo", "x"], 30) == (0, b"x\n", b"")
    assert any_shell.logins() == 1


IGNORES = """
trap '' TERM HUP PIPE
sh -c 'trap "" TERM HUP PIPE; echo $$ > "$0.new"; mv "$0.new" "$0"
while :; do sleep 60; done' "$0" &
wait
while :; do sleep 60; done
"""


@pytest.mark.parametrize("how", ["limit", "signal", "cut", "frozen", "killed"])
def test_a_program_that_nobody_waits_for_is_ended_with_its_group(
    any_shell: Sshd, tmp_path: Path, how: str
) -> None:
    """The whole group ends, even if it ignores SIGTERM; the shell survives if possible."""
    first, second = tmp_path / "first", tmp_path / "second"
    script = f"[ ! -e {first} ] || exit 0\n{IGNORES.replace('$0', str(first))}"
    argv = ["sh", "-c", script]
    quick = f"{any_shell.command} -o ServerAliveInterval=1 -o ServerAliveCountMax=2"
    if how == "killed":
        client = os.fork()
        if not client:  # pragma: no cover  # another process, which is killed
            with reached(any_shell) as host, host.lock(str(second), "x", 0, print):
                host.run(argv, 100)
            os._exit(1)
        member = number_in(first)
        os.kill(client, signal.SIGKILL)
        os.waitpid(client, 0)
        with LocalHost().lock(str(second), "y", 60, print):  # sooner than the program's limit
            pass
    else:
        with pytest.MonkeyPatch.context() as patch, deferred_signals("The test") as cancellation:
            if how == "frozen":  # only here, so that a slow host does not count as silent
                patch.setattr(any_shell, "command", quick)
            with reached(any_shell, cancellation) as host:
                host.read("/no")
                if how == "limit":
                    with pytest.raises(TimeoutError):
                        host.run(argv, 1)
                else:

                    def strike() -> None:
                        number_in(first)
                        if how == "cut":
                            any_shell.cut()
                        elif how == "frozen":
                            frozen.extend(any_shell.freeze())
                        else:
                            os.kill(os.getpid(), signal.SIGTERM)

                    frozen: list[int] = []
                    striker = threading.Thread(target=strike)
                    striker.start()
                    if how == "signal":
                        with pytest.raises(Interrupted):
                            host.run(argv, 100)
                    else:
                        assert host.run(argv, 100).status == 0
                    striker.join()
                    for pid in frozen:
                        os.kill(pid, signal.SIGKILL)
                member = number_in(first)
                logins = any_shell.logins()
                assert logins >= 2 if how == "frozen" else logins == (2 if how == "cut" else 1)
    wait_for(lambda: not lives(member))


@pytest.mark.parametrize("moment", [0.0, 0.001, 0.003, 0.01, 0.03])
def test_a_program_that_has_only_just_begun_is_ended_too(any_shell: Sshd, moment: float) -> None:
    """A program is ended even before it has its process group or has been executed."""
    argv = ["sleep", f"{3000 + os.getpid()}.{int(moment * 1000)}"]
    with reached(any_shell) as host:
        host.read("/no")
        with pytest.raises(TimeoutError):
            host.run(argv, moment)
        assert host.run(["echo", "x"], 30).output == b"x\n"
    assert any_shell.logins() == 1
    words = " ".join(argv)
    assert subprocess.run(["pgrep", "-xf", words], check=False, capture_output=True).stdout == b""


def test_a_program_that_is_stopped_takes_neither_shell_nor_lock_with_it(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a time limit, endless output or a signal, the shell and the lock are kept."""
    monkeypatch.setattr("csf_backup_plugin.hosts.common.OUTPUT", 200_000)
    path = str(tmp_path / "lock")
    logins = sshd.logins()
    with (
        deferred_signals("The test") as cancellation,
        reached(sshd, cancellation) as host,
        host.lock(path, "x", 0, print),
    ):
        with pytest.raises(TimeoutError):
            host.run(["sleep", "60"], 0.2)
        with pytest.raises(TimeoutError):
            list(host.run_each(["sleep"], ["60"], 0.2))
        assert host.run(["yes"], 60).status == ENDLESS
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted):
            host.run(["sleep", "60"], 60)
        host.replace(str(tmp_path / "file"), b"data")
        with pytest.raises(LockBusy), LocalHost().lock(path, "y", 0, print):
            pass
    assert sshd.logins() == logins + 1


@pytest.mark.parametrize("above", range(1, 7))
@pytest.mark.parametrize("said", ["", "0"])
def test_a_status_that_is_missing_is_no_success(
    any_shell: Sshd, tmp_path: Path, above: int, said: str
) -> None:
    """If any of our shells above the program is killed, the call ends without a false success."""
    pid, go = tmp_path / "pid", tmp_path / "go"
    script = f'echo $$ > "$0.new"; mv "$0.new" "$0"; while [ ! -e {go} ]; do sleep 0.02; done'
    script = f"[ ! -e {go} ] || exit 7; {script}; printf '%s' '{said}'; exit 5"
    killed: list[int] = []

    def strike() -> None:
        victim = number_in(pid)
        for _ in range(above):
            victim = parent_of(victim)
        if b"csf_run=" in environment_of(victim):
            killed.append(victim)
            os.kill(victim, signal.SIGKILL)
        go.touch()

    with reached(any_shell) as host:
        host.read("/no")
        striker = threading.Thread(target=strike)
        striker.start()
        ended = host.run(["sh", "-c", script, str(pid)], 60)
        striker.join()
        if not killed:
            pytest.skip("there is none so far above")
        assert ended.status in (UNKNOWN, 5, 7)
        assert host.run(["echo", "x"], 30) == (0, b"x\n", b"")
        assert host.read(str(tmp_path / "no")) is None


def test_who_has_listened_to_a_program_takes_no_later_calls_words(
    any_shell: Sshd, tmp_path: Path
) -> None:
    """If all shells that would end the listener are killed, a new login is made."""
    pid, go = tmp_path / "pid", tmp_path / "go"
    script = f'echo $$ > "$0.new"; mv "$0.new" "$0"; while [ ! -e {go} ]; do sleep 0.02; done'

    def strike() -> None:
        program = number_in(pid)
        above = parent_of(program)
        beside: list[str] = []
        listeners: list[str] = []

        def all_are_there() -> bool:
            beside[:] = Path(f"/proc/{above}/task/{above}/children").read_text().split()
            listeners[:] = [one for one in beside if Path(f"/proc/{one}/fd/5").is_symlink()]
            return (len(beside), len(listeners)) == (3, 1)

        wait_for(all_are_there)
        for one in {str(above), *beside} - {str(program), *listeners}:
            os.kill(int(one), signal.SIGKILL)
        go.touch()

    with reached(any_shell) as host:
        host.read("/no")
        with ThreadPoolExecutor() as pool:
            struck = pool.submit(strike)
            assert host.run(["sh", "-c", script, str(pid)], 60).status == UNKNOWN
            struck.result()
        assert host.run(["echo", "x"], 30) == (0, b"x\n", b"")
    assert any_shell.logins() == 2


@pytest.mark.parametrize("word", ["hello", "0", "\n{mark} 0", ""])
def test_only_what_stands_behind_the_mark_is_a_status(
    made: Connection, monkeypatch: pytest.MonkeyPatch, word: str
) -> None:
    """An answer without the mark means that the exit status is unknown."""
    from csf_backup_plugin.hosts.ssh.host import SshHost

    host = SshHost("remote", made)
    run = Connection.run

    def without(self: Connection, *_words: str, **options: object) -> Answer:
        printed = word.format(mark="x" * 32)
        return run(self, "printf", "%s", printed, kind=options["kind"])  # type: ignore[arg-type]

    monkeypatch.setattr(Connection, "run", without)
    assert host.run(["true"], 30).status == UNKNOWN


def test_an_error_of_the_shell_begins_with_its_name(made: Connection) -> None:
    """Errors begin with `sh: ` and without a path, so a failed fork is recognized."""
    assert re.match(rb"sh: [^/]*not found", made.run("no_such_function").errors)


def test_what_a_host_that_is_full_says_is_no_answer(made: Connection) -> None:
    """If no process can be started, that is an error; the same text from a program is not."""
    for said in ("sh: 1: Cannot fork", "bash: fork: retry: Resource temporarily unavailable"):
        with pytest.raises(HostUnreachable, match="could not start another process for us"):
            made.ask("eval", f"echo '{said}' >&2")
        script = f"echo '{said}' >&2"
        assert made.ask("program", "100", "sh", "-c", script, kind="program").status == 0
    assert made.login == 1


def test_a_cut_is_told_to_each_that_waits(made: Connection) -> None:
    """Every waiting call gets the cut, and only one new login is made."""
    first, second = (made._post(Request(library.step(["sleep", "60"]))) for _ in range(2))
    first.shell.close()
    for pending in (first, second):
        with pytest.raises(Cut):
            answer_of(made.link, pending)
        assert made.ask("echo", "x").output == b"x\n"
    assert made.login == 2


def test_an_answer_that_nobody_waited_for_is_no_later_calls(
    made: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a timeout a new login is made, so a late answer does not reach the next call."""
    for number in (2, 3):
        with pytest.raises(TimeoutError):
            made.run("eval", "echo late; sleep 60; echo late", until=time.monotonic() + 0.2)
        assert made.login == 0
        assert made.run("echo", "next").output == b"next\n"
        assert made.login == number


def test_what_gets_into_an_answer_is_a_cut(
    made: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A damaged answer is not used, and the call is repeated in a new login."""
    monkeypatch.setattr("csf_backup_plugin.hosts.ssh.shell._NOISE", 1 << 20)
    marker = tmp_path / "marker"
    once = f"if [ -e {marker} ]; then echo sound; else : >{marker}; {{}}; fi"
    noise = (
        "printf '\\n%s %s 8 AAAA\\n' $csf_mark $csf_number",  # shorter than it says
        "printf '\\n%s %s 4 AAAAAAAA\\n' $csf_mark $csf_number",  # longer
        "printf '\\n%s %s 4 A*AA\\n' $csf_mark $csf_number",  # not base64
        "printf '\\n%s %s 4 AAAA\\n' $csf_mark $csf_number",  # no fields
        "printf '\\n%s %s 8 AGEAYQ==\\n' $csf_mark $csf_number",  # no number
        "printf '\\n%s 92 12 AGEAMABhYmM=\\n' $csf_mark",  # of another call
        "yes | head -c 2000000",
    )
    for number, one in enumerate(noise):
        marker.unlink(missing_ok=True)
        # The shell that has the answers open is the parent of this script.
        script = once.format(f"{{ {one}; }} >/proc/$$/fd/6; sleep 1")
        with pytest.raises(Cut, match="an answer is damaged"):
            made.run("eval", script)
        marker.unlink()
        assert made.ask("eval", script).output == b"sound\n"
        assert made.login == 3 + number * 2


def test_a_login_whose_answers_are_never_sound_is_given_up(
    made: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If every answer is damaged, the call fails after PATIENCE and the error says why."""
    monkeypatch.setattr(link, "PATIENCE", 1.0)
    with pytest.raises(HostUnreachable, match="an answer is damaged"):
        made.ask(
            "eval", "printf '\\n%s %s 4 AAAA\\n' $csf_mark $csf_number >/proc/$$/fd/6; sleep 9"
        )


@pytest.mark.parametrize("stop", [False, True])
def test_an_earlier_logins_shell_is_evicted(any_shell: Sshd, tmp_path: Path, *, stop: bool) -> None:
    """A new login ends the old shell and its programs, even if they are stopped."""
    connected = Connection("remote", any_shell.command, Cancellation(), print)
    pid, marker = tmp_path / "pid", tmp_path / "marker"
    try:
        connected.run("true")
        script = f"echo $$ >{pid}; sleep 60; echo >>{marker}"
        early = connected._post(Request(library.step(["eval", script])))
        shell = number_in(pid)
        processes = ours(connected)
        assert shell in processes
        frozen = any_shell.freeze()
        if stop:
            for process in processes:
                os.kill(process, signal.SIGSTOP)
        connected.link.shell = None
        assert connected.run("echo", "x").output == b"x\n"
        assert not any(map(lives, processes))
        assert connected.login == 2
        early.shell.close()
        for process in frozen:
            os.kill(process, signal.SIGKILL)
    finally:
        connected.close()
    assert not marker.exists()


def test_an_earlier_shell_that_cannot_be_ended_is_told(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the old shell cannot be ended, nothing is run, and the error says what to look for."""
    connected = Connection("remote", sshd.command, Cancellation(), print)
    text = library.library

    def unable(mark: str) -> bytes:
        said = base64.b64decode(text(mark)).replace(b"-lt 50 ]", b"-lt 2 ]")
        evict = said.replace(b"signals=KILL", b"signals=0").replace(b"'HUP CONT'", b"0")
        assert evict != said
        return base64.b64encode(evict) + b"\n"

    monkeypatch.setattr(library, "library", unable)
    try:
        connected.run("true")
        first, connected.link.shell = connected.link.shell, None
        with pytest.raises(HostUnreachable, match="cannot be ended") as caught:
            connected.ask("true")
        assert f"grep -l csf_run={connected.link.login._run}" in str(caught.value)
        assert first is not None
        first.close()
    finally:
        connected.close()


@pytest.mark.parametrize("kind", ["idle", "script", "program", "watch"])
def test_the_shell_goes_and_frees_its_lock_when_its_driver_is_killed(
    any_shell: Sshd, tmp_path: Path, kind: str
) -> None:
    """Within seconds, the shell ends with all its processes, whatever it is running."""
    path, told = str(tmp_path / "lock"), tmp_path / "told"
    client = os.fork()
    if not client:  # pragma: no cover  # another process, which is killed
        with reached(any_shell) as host, host.lock(path, "x", 0, print):
            made = host._connection  # type: ignore[attr-defined]
            told.write_text(f"{made.link.login._run}\n")
            if kind == "script":
                made.run("eval", f"echo >{tmp_path / 'begun'}; sleep 300")
            elif kind == "program":
                host.run(["sh", "-c", f"echo >{tmp_path / 'begun'}; sleep 300"], 300)
            elif kind == "watch":
                record = str(tmp_path / "run")
                with host.start(["sleep", "5"], "/no", None, record) as running:
                    running.poll()
                    (tmp_path / "begun").touch()
                    while True:
                        running.poll()
            (tmp_path / "begun").touch()
            signal.pause()
        os._exit(1)
    wait_for((tmp_path / "begun").exists)
    run = told.read_text().strip()
    os.kill(client, signal.SIGKILL)
    os.waitpid(client, 0)
    with LocalHost().lock(path, "y", 40, print):
        pass
    wait_for(lambda: not of_run(run))


def of_run(run: str) -> list[str]:
    """Return the processes of all logins of a run."""
    said = subprocess.run(
        f"grep -lzs 'csf_run={run}[.]' /proc/[0-9]*/environ || :",
        shell=True,
        check=False,
        capture_output=True,
        text=True,
    )
    return said.stdout.split()


def test_whoever_waits_for_a_lock_is_gone_with_the_connection(sshd: Sshd, tmp_path: Path) -> None:
    """A process that waits for a lock ends with the connection, although nothing is sent."""
    path = str(tmp_path / "lock")
    with LocalHost().lock(path, "class_create", 0, print):
        waiter = os.fork()
        if not waiter:  # pragma: no cover  # another process, which is killed
            told = Path(f"{path}.told")
            with reached(sshd) as host, host.lock(path, "x", 60, lambda _: told.touch()):
                os._exit(1)
        wait_for(Path(f"{path}.told").exists)
        os.kill(waiter, signal.SIGKILL)
        os.waitpid(waiter, 0)
        wait_for(lambda: not _has_open(path, os.getpid()))


def _has_open(path: str, but: int) -> bool:
    """Tell whether any process other than `but` has a file open."""
    found = subprocess.run(
        ["find", "/proc", "-maxdepth", "3", "-path", "*/fd/*", "-lname", path],
        check=False,
        capture_output=True,
        text=True,
    )
    return any(line.split("/")[2] != str(but) for line in found.stdout.splitlines())


def test_nothing_is_run_under_a_lock_that_is_lost(
    sshd: Sshd, tmp_path: Path, made: Connection
) -> None:
    """A call under a lost lock fails; the lock is not taken again if its file is gone."""
    (tmp_path / "lock").touch()
    path = str(tmp_path / "lock")
    with held(made, path, "x", 0, print, lambda: None, create=False) as (lock, _):
        assert lock is not None
        sshd.cut()
        wait_for(lambda: not made.login)
        with pytest.raises(HostUnreachable, match="the lock is lost"):
            made.run("true", locked=True)
        (tmp_path / "lock").unlink()
        lock.regain()
        assert made.bound == [1]
        assert made.login == 2
    assert made.bound == []


def test_much_is_sent_and_said_at_once(made: Connection) -> None:
    """Large data in both directions at the same time causes no deadlock."""
    data = os.urandom(1 << 22)
    assert made.run("eval", "csf_data | tee /dev/stderr | cat", data=data).output == data
    assert made.run("eval", "csf_data | head -c 10", data=data).output == data[:10]
    assert made.run(":", data=data) == (0, b"", b"")


def test_of_what_ssh_says_its_last_is_kept() -> None:
    """Of a long output of ssh, only the end is kept."""
    shell = Shell(["sh", "-c", "yes | head -c 1000000 >&2; echo end >&2"], "mark")
    try:
        wait_for(lambda: shell.is_over)
        shell._threads[2].join()  # it has read all
        assert shell.said().endswith(b"y\nend")
        assert len(shell.said()) < 1 << 17
    finally:
        shell.close()


def test_an_ssh_that_does_not_end_by_itself_is_ended() -> None:
    """ssh is killed even if a process that it started keeps a stream open."""
    child = "(sleep 1; while sleep 0.1; do echo; echo >&2; done)"
    shell = Shell(
        ["sh", "-c", f"trap '' TERM; {child} & echo $!; while :; do sleep 9; done"], "mark"
    )
    wait_for(lambda: b"\n" in shell._came)
    pid = int(shell._came)
    wait_for(lambda: b"\n\n" in shell._came)
    shell.send(b"x" * 1_000_000)  # it is not read
    shell.close()
    shell.close()
    assert shell._process.returncode == -signal.SIGKILL
    wait_for(lambda: not lives(pid))  # its output is not read any more


def test_a_cut_in_the_midst_of_an_answer_is_told_without_it(made: Connection) -> None:
    """After a cut during an answer, the error does not contain the part that has arrived."""
    assert made.link.shell is not None
    ssh_process = made.link.shell._process

    def strike() -> None:
        wait_for(lambda: b"QUFB" in made.link.shell._came if made.link.shell else True)
        ssh_process.kill()

    striker = threading.Thread(target=strike)
    striker.start()
    with pytest.raises(Cut) as caught:
        made.run(
            "eval",
            "{ printf '\\n%s %s 999999 ' $csf_mark $csf_number; printf QUFB%.0s 1 2 3; sleep 1; }"
            " >/proc/$$/fd/6; sleep 60",
        )
    striker.join()
    assert caught.value.what == "The connection to remote was cut."


@pytest.mark.parametrize("how", ["cut", "freeze"])
def test_a_connection_that_is_gone_at_the_end_spoils_nothing(
    serve: Callable[..., Sshd], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    """If the connection is lost after the last call, closing raises no error."""
    monkeypatch.setattr(connection, "HURRY", 1.0)
    monkeypatch.setattr(login, "HURRY", 1.0)
    server = serve()
    with reached(server) as host:
        host.create(str(tmp_path / "file"), b"data")
        frozen = getattr(server, how)()
    if how == "freeze":
        for pid in frozen:
            os.kill(pid, signal.SIGKILL)
    assert (tmp_path / "file").read_bytes() == b"data"


def test_a_line_that_is_no_call_ends_the_shell(made: Connection) -> None:
    """A call without its beginning is not executed, and counts as a cut."""
    assert made.link.shell is not None
    lost = library.call(7, "script", made.link.login.mark, "make_directories /no/such")
    made.link.shell.send(lost.partition(b"\n")[2])
    with pytest.raises(Cut):
        made.run("echo", "x")
    assert made.ask("echo", "x").output == b"x\n"


def test_every_part_of_the_library_is_sent() -> None:
    """The library has every .sh file of the package."""
    files = [*Path(ssh.__file__).parent.glob("*.sh")]
    assert len(files) == len(library._PARTS)
