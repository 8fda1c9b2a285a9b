"""Programs that several steps ask another host for run there at the same time."""

from __future__ import annotations

import functools
import os
import shlex
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from process_facts import environment_of, lives, number_in, parent_of
from sshd import Sshd, reached
from waiting import wait_for

from csf_backup_plugin.cancellation import deferred_signals
from csf_backup_plugin.errors import Interrupted
from csf_backup_plugin.hosts.protocol.values import UNKNOWN
from csf_backup_plugin.hosts.ssh.host import SshHost
from csf_backup_plugin.hosts.ssh.request import Request

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Completed

pytestmark = pytest.mark.remote

# Writes its number into the file $1, waits for the file $2, and prints much.
WORK = """
echo $$ > $1.new; mv $1.new $1
while [ ! -e $2 ]; do sleep 0.02; done
head -c 300000 /dev/zero | tr '\\0' $3; echo $3 >&2
exit 3
"""


def work(host: Host, own: Path, other: Path, letter: str) -> Callable[[], Completed]:
    """Return a step that runs such a program."""
    argv = ["sh", "-c", WORK, "sh", str(own), str(other), letter]
    return functools.partial(host.run, argv, 60)


def test_each_program_has_a_status_and_streams_of_its_own(any_shell: Sshd, tmp_path: Path) -> None:
    """Each program here waits for the others to begin, prints more than a pipe holds, and fails."""
    one, two = tmp_path / "one", tmp_path / "two"
    (tmp_path / "file").write_bytes(b"data")
    steps: list[int] = []
    with reached(any_shell) as host:
        found = host.together(
            lambda: host.read(str(tmp_path / "file")),
            work(host, one, two, "x"),
            work(host, two, one, "y"),
            lambda: host.digest(str(tmp_path / "file"), steps.append)[0],
            lambda: host.run(["no such program"], 60).status,
        )
    data, (a, b), size, status = found[0], found[1:3], found[3], found[4]
    assert (data, size, status) == (b"data", 4, 127)
    assert a == (3, b"x" * 300_000, b"x\n")
    assert b == (3, b"y" * 300_000, b"y\n")
    assert steps[-1] == 4
    assert steps == sorted(steps)
    assert any_shell.logins() == 1


def test_the_limit_of_a_program_is_its_own(any_shell: Sshd, tmp_path: Path) -> None:
    """What runs beside it goes on; a limit that was kept does not matter any more."""
    one, two, late = tmp_path / "one", tmp_path / "two", tmp_path / "late"

    def limited() -> str:
        argv = ["sh", "-c", f"trap '' TERM; echo $$ >{late}; while :; do sleep 1; done"]
        with pytest.raises(TimeoutError):
            host.run(argv, 1)
        one.touch()
        return "late"

    with reached(any_shell) as host:
        found = host.together(
            limited,
            lambda: host.run(["sh", "-c", "sleep 3; echo slow"], 60),
            lambda: host.run(["sleep", "2"], 9).status,
            work(host, two, two, "x"),
        )
        assert found == ("late", (0, b"slow\n", b""), 0, (3, b"x" * 300_000, b"x\n"))
        assert host.run(["echo", "x"], 30) == (0, b"x\n", b"")
    assert not lives(number_in(late))
    assert any_shell.logins() == 1


@pytest.mark.parametrize("how", ["signal", "cut"])
def test_all_programs_are_ended_together(any_shell: Sshd, tmp_path: Path, how: str) -> None:
    """After a signal or a cut, none of them goes on; the lock is kept if possible."""
    one, two, go = tmp_path / "one", tmp_path / "two", tmp_path / "go"
    pids: list[int] = []

    def strike() -> None:
        pids.extend(map(number_in, (one, two)))
        if how == "cut":
            go.touch()
            any_shell.cut()
        elif how == "signal":
            os.kill(os.getpid(), signal.SIGTERM)

    with (
        deferred_signals("The test") as cancellation,
        reached(any_shell, cancellation) as host,
        host.lock(str(tmp_path / "lock"), "x", 0, print),
        ThreadPoolExecutor() as pool,
    ):
        struck = pool.submit(strike)
        steps = [work(host, one, go, "x"), work(host, two, go, "y")]
        if how == "cut":
            assert [end.status for end in host.together(*steps)] == [3, 3]
        else:
            with pytest.raises(Interrupted):
                host.together(*steps)
            host.replace(str(tmp_path / "file"), b"the lock is held")
        struck.result()
    wait_for(lambda: not any(map(lives, pids)))
    assert any_shell.logins() == (2 if how == "cut" else 1)


@pytest.mark.parametrize("first", [True, False])
def test_no_program_gets_the_answer_of_another_one(
    any_shell: Sshd, tmp_path: Path, *, first: bool
) -> None:
    """If the shell that frames an answer is killed, which answers are left is not known."""
    above = "own=$(exec sh -c 'echo $PPID'); kill -9 $(cut -d ' ' -f 4 /proc/$own/stat)"
    texts = [above, "echo other"]
    with reached(any_shell) as host:
        assert isinstance(host, SshHost)
        made = host._connection
        requests = [Request(f"eval {shlex.quote(text)}", "program") for text in texts]
        answers = made._await_all(made._post_all(requests if first else requests[::-1]))
        assert [one.status for one in answers] == [255, 255]
        assert not any(one.output for one in answers)
        assert host.run(["echo", "x"], 30) == (0, b"x\n", b"")
    assert any_shell.logins() == 2


@pytest.mark.parametrize("above", range(1, 10))
def test_no_status_is_invented_if_a_shell_above_is_killed(
    any_shell: Sshd, tmp_path: Path, above: int
) -> None:
    """Whichever of our shells is killed: a status is right or unknown, and the next call works."""
    one, two, go = tmp_path / "one", tmp_path / "two", tmp_path / "go"

    def strike() -> bool:
        victim, _ = map(number_in, (one, two))
        for _ in range(above):
            victim = parent_of(victim)
        is_ours = b"csf_run=" in environment_of(victim)
        if is_ours:
            os.kill(victim, signal.SIGKILL)
        go.touch()
        return is_ours

    with reached(any_shell) as host, ThreadPoolExecutor() as pool:
        host.read("/no")
        struck = pool.submit(strike)
        ended = host.together(work(host, one, go, "x"), work(host, two, go, "y"))
        if not struck.result():
            pytest.skip("there is none so far above")
        assert {end.status for end in ended} <= {UNKNOWN, 3}
        for end, letter in zip(ended, (b"x", b"y"), strict=True):
            assert end.status == UNKNOWN or end.output == letter * 300_000
        assert host.run(["echo", "x"], 30) == (0, b"x\n", b"")
