"""Steps that another host carries out in one exchange: under a lock, in turn, and after a cut."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NoReturn

import pytest
from sshd import Sshd, reached

from csf_backup_plugin.errors import HostUnreachable
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.hosts.protocol.steps import (
    Absent,
    Append,
    Create,
    Publish,
    Release,
    RemoveTrees,
)
from csf_backup_plugin.hosts.ssh.connection import Connection, LockLost
from csf_backup_plugin.hosts.ssh.errors import Answer
from csf_backup_plugin.hosts.ssh.lock import SshLock
from csf_backup_plugin.hosts.ssh.login import Cut

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.remote


def cutting(
    sshd: Sshd, monkeypatch: pytest.MonkeyPatch, *, done: bool, ready: Callable[[], bool]
) -> None:
    """Cut the connection at the first steps that are sent when `ready` is true."""
    run = Connection.run
    cuts: list[int] = []

    def cut_once(self: Connection, function: str, *arguments: str, **options: Any) -> Answer:
        if function == "in_turn" and ready() and not cuts:
            if done:
                run(self, function, *arguments, **options)
            cuts.append(sshd.cut())
            raise Cut("The connection was cut.", "Look.")
        return run(self, function, *arguments, **options)

    monkeypatch.setattr(Connection, "run", cut_once)


def test_steps_whose_answer_was_lost_with_the_lock_have_been_carried_out(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps that were written under the lock count, and the other steps are done after the cut."""
    cutting(sshd, monkeypatch, done=True, ready=lambda: True)
    (tmp_path / "log").write_bytes(b"1\n")
    lock_file = str(tmp_path / "lock")
    with reached(sshd) as host, host.lock(lock_file, "x", 0, print) as lock:
        assert lock is not None
        ended = host.in_turn(
            Publish(str(tmp_path / "receipt"), b"proven"),
            Append(str(tmp_path / "log"), b"2\n"),
            RemoveTrees((str(tmp_path / "record"),)),
            Release(lock),
        )
        assert [done() for done in ended] == [""] * 4
        with LocalHost().lock(lock_file, "y", 0, print):
            pass
    assert sorted(os.listdir(tmp_path)) == ["lock", "log", "receipt"]
    assert (tmp_path / "log").read_bytes() == b"1\n2\n"


@pytest.mark.parametrize("cut", ["at once", "between"])
def test_steps_that_were_not_all_carried_out_are_not_without_the_lock(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cut: str
) -> None:
    """If the lock is lost before all steps are done, the written files are removed."""
    cutting(sshd, monkeypatch, done=cut == "between", ready=lambda: True)
    steps = [Create(str(tmp_path / "claim"), b"names"), Create(str(tmp_path / "no" / "way"), b"")]
    with (
        reached(sshd) as host,
        pytest.raises(LockLost, match="the lock is lost"),
        host.lock(str(tmp_path / "lock"), "x", 0, print),
    ):
        host.in_turn(*steps)
    assert os.listdir(tmp_path) == ["lock"]


def test_steps_of_a_host_that_is_gone_are_told(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the host is gone, the error lists the files that may or may not have been written."""

    def gone(_self: Connection, *_: str, **_options: Any) -> NoReturn:
        raise HostUnreachable("Host remote cannot be reached.", "Look.")

    with reached(sshd) as host:
        monkeypatch.setattr(Connection, "run", gone)
        with pytest.raises(HostUnreachable) as caught:
            host.in_turn(Create("/no/a", b""), Append("/no/b", b""), RemoveTrees(("/no/x",)))
    assert caught.value.left == "It is not known whether /no/a, /no/b was written on remote."


def test_a_step_that_was_killed_has_failed(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step without a result fails with the shell's message; earlier results count."""
    with reached(sshd) as host:
        monkeypatch.setattr(Connection, "run", lambda *_, **__: Answer(137, b"0\0\0", b"Killed\n"))
        made, removed = host.in_turn(
            Create(str(tmp_path / "file"), b""), RemoveTrees((str(tmp_path / "tree"),))
        )
        (alone,) = host.in_turn(Create(str(tmp_path / "alone"), b""))
    assert made() == alone() == ""
    with pytest.raises(OSError, match="Killed") as caught:
        removed()
    assert caught.value.filename == str(tmp_path / "tree")


def test_a_tree_that_cannot_be_removed_in_turn_is_named(
    serve: Callable[..., Sshd], program: Callable[[str, str], None], tmp_path: Path
) -> None:
    """The error names the tree and has no message of earlier steps; trees before it are gone."""
    (tmp_path / "bin").mkdir()
    with reached(serve(PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")) as host:
        program("rm", 'case $* in *stays*) echo "rm: no way" >&2; exit 1;; esac; exec /bin/rm "$@"')
        program("mv", 'echo "mv: No space left on device" >&2; exec /bin/mv "$@"')
        for name in ("goes", "stays"):
            (tmp_path / name).mkdir()
        trees = (str(tmp_path / "goes"), str(tmp_path / "stays"))
        _, removed = host.in_turn(Create(str(tmp_path / "file"), b""), RemoveTrees(trees))
    with pytest.raises(OSError, match="no way") as caught:
        removed()
    assert caught.value.filename == str(tmp_path / "stays")
    assert not (tmp_path / "goes").exists()


def test_what_cannot_be_looked_at_is_not_absent(sshd: Sshd, tmp_path: Path) -> None:
    """The error names the first such path, also behind one that is missing."""
    (tmp_path / "file").touch()
    paths = [str(tmp_path / name) for name in ("none", "file/below", "no")]
    with reached(sshd) as host:
        made, absent = host.in_turn(Create(str(tmp_path / "new"), b""), Absent(tuple(paths)))
    assert made() == ""
    with pytest.raises(NotADirectoryError) as caught:
        absent()
    assert caught.value.filename == paths[1]


def test_a_lock_that_is_lost_while_something_is_looked_at_is_taken_again(
    sshd: Sshd, tmp_path: Path
) -> None:
    """If the lock is lost during the look, it is taken again and the look is repeated."""
    looked: list[bytes | None] = []
    file = tmp_path / "file"

    with reached(sshd) as host:

        def look() -> bytes | None:
            file.write_bytes(b"%d" % len(looked))
            if not looked:
                host.read(str(file))
                sshd.cut()
            looked.append(host.read(str(file)))
            return looked[-1]

        path = str(tmp_path / "lock")
        with host.lock_and_look(path, "x", 60, print, look) as (lock, found):
            assert isinstance(lock, SshLock)
            assert lock.is_held
            assert (looked, found) == ([b"0", b"1"], b"1")
            host.create(str(tmp_path / "new"), b"")


def test_a_lock_is_not_taken_again_for_ever(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second cut while a lock is taken is raised."""
    tried: list[int] = []

    def cut(*_: object) -> NoReturn:
        tried.append(sshd.cut())
        raise Cut("The connection was cut.", "Look.")

    monkeypatch.setattr(SshLock, "take", cut)
    with reached(sshd) as host:
        host.read("/no")
        with pytest.raises(Cut), host.lock(str(tmp_path / "lock"), "x", 0, print):
            pass
    assert len(tried) == 2


def test_what_was_there_before_a_lock_was_lost_twice_may_be_looked_at(
    sshd: Sshd, tmp_path: Path
) -> None:
    """If the lock is lost during each look, the look succeeds but writing fails."""
    with reached(sshd) as host:

        def look() -> bytes | None:
            host.read("/no")
            sshd.cut()
            return host.read("/no")

        refused = pytest.raises(LockLost)
        with refused, host.lock_and_look(str(tmp_path / "lock"), "x", 60, print, look):
            host.create(str(tmp_path / "new"), b"")
    assert not (tmp_path / "new").exists()
