"""Files that are renamed unless they are being read or must be kept."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
from sshd import reached
from users import BOB, TEAM, shared_directory, user

from csf_backup_plugin.hosts.common import BEING_READ, GONE, REPLACED, STICKY
from csf_backup_plugin.hosts.local import entries
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.hosts.protocol.steps import Withdrawal
from csf_backup_plugin.hosts.ssh.connection import Connection
from csf_backup_plugin.hosts.ssh.login import Cut
from memory_path import make_pipe, names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sshd import Sshd

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.ssh.errors import Answer
    from memory_path import Home


def withdrawal(path: object) -> Withdrawal:
    """Return the withdrawal of a file, unless a file of that name with .keep exists."""
    return Withdrawal(str(path), f"{path}.removing", f"{path}.keep")


@contextlib.contextmanager
def locked(path: Path, how: int) -> Iterator[None]:
    """Hold a lock on a file while the block runs."""
    with open(path) as file:
        fcntl.flock(file, how)
        yield


def test_files_are_withdrawn_by_any_name_and_one_that_stays_stops_no_other(
    host: Host, home: Home
) -> None:
    """Existing targets, missing files, other kinds and kept files stay unchanged."""
    for name in ("it's\nodd $(id)", "taken", "taken.removing", "kept", "kept.keep", "-last"):
        (home / name).write_bytes(name.encode())
    (home / "linked").symlink_to("kept")
    (home / "marked").write_bytes(b"")
    (home / "marked.keep").symlink_to("nothing")
    host.make_directories([str(home / "directory")])
    make_pipe(home / "pipe")
    asked = ("it's\nodd $(id)", "taken", "kept", "marked", "linked", "directory", "pipe", "no")
    told = host.withdraw([withdrawal(home / name) for name in (*asked, "-last")])
    assert told == [
        "",
        "File exists",
        f"is to be kept, as {home / 'kept'}.keep says",
        f"is to be kept, as {home / 'marked'}.keep says",
        "Is a symbolic link",
        "Not a file",
        "Not a file",
        GONE,
        "",
    ]
    assert (home / "-last.removing").read_bytes() == b"-last"
    assert names(home) == {
        *("it's\nodd $(id).removing", "taken", "taken.removing", "kept", "kept.keep", "linked"),
        *("marked", "marked.keep", "directory", "pipe", "-last.removing"),
    }
    assert host.withdraw([]) == []


@pytest.mark.not_in_memory("locks")
def test_a_file_that_is_read_is_not_withdrawn(host: Host, tmp_path: Path) -> None:
    """Nothing waits for it; the next file is withdrawn, and this one once it is free."""
    one, two = tmp_path / "one", tmp_path / "two"
    for how in (fcntl.LOCK_SH, fcntl.LOCK_EX):
        one.touch()
        two.touch()
        with locked(one, how):
            assert host.withdraw(map(withdrawal, (one, two))) == [BEING_READ, ""]
        assert host.withdraw([withdrawal(one)]) == [""]
        assert names(tmp_path) == {"one.removing", "two.removing"}
        (tmp_path / "one.removing").unlink()
        (tmp_path / "two.removing").unlink()


@pytest.mark.not_in_memory("users")
def test_what_may_not_be_written_is_withdrawn_where_names_may_be_changed(
    host: Host, tmp_path: Path
) -> None:
    """A receipt may be read-only; in a sticky directory only its owner may rename it."""
    path = tmp_path / "receipt"
    path.touch(0o444)
    assert host.withdraw([withdrawal(path)]) == [""]
    with shared_directory(0o1777, TEAM) as directory:
        mine = directory / "receipt"
        mine.touch(0o644)
        if isinstance(host, LocalHost):
            with user(BOB):
                assert host.withdraw([withdrawal(mine)]) == [f"Operation not permitted {STICKY}"]
        directory.chmod(0o777)
        with user(BOB):
            assert LocalHost().withdraw([withdrawal(mine)]) == [""]


@pytest.mark.not_in_memory("hard links")
def test_a_withdrawal_that_was_cut_short_between_two_names_is_ended(
    host: Host, tmp_path: Path
) -> None:
    """The file has both names then."""
    path = tmp_path / "receipt"
    path.touch()
    os.link(path, f"{path}.removing")
    assert host.withdraw([withdrawal(path)]) == [""]
    assert names(tmp_path) == {"receipt.removing"}


@pytest.mark.not_in_memory("errors of its own")
def test_what_cannot_be_told_is_not_taken_for_missing(host: Host, tmp_path: Path) -> None:
    """If it is unknown whether a file must be kept, it stays."""
    path, beside = tmp_path / "receipt", tmp_path / "beside"
    path.touch()
    beside.touch()
    one = Withdrawal(str(path), f"{path}.removing", f"{beside}/keep")
    assert host.withdraw([one]) == ["Not a directory"]
    assert host.withdraw([one._replace(unless="/no/keep", to="/no/to")]) == [
        "No such file or directory"
    ]
    assert names(tmp_path) == {"receipt", "beside"}


def test_a_file_system_without_locks_has_no_readers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its files are withdrawn; any other error of a lock is reported."""
    path = tmp_path / "receipt"

    for number, told in ((errno.EIO, "Input/output error"), (errno.ENOLCK, "")):
        refusal = OSError(number, os.strerror(number))
        monkeypatch.setattr(fcntl, "flock", Mock(side_effect=refusal))
        path.touch()
        assert LocalHost().withdraw([withdrawal(path)]) == [told]


def test_a_file_that_loses_its_name_before_it_is_locked_is_not_withdrawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another file may have that name by then, or none."""
    path = tmp_path / "receipt"
    for change, told in ((path.unlink, GONE), (lambda: path.write_bytes(b"new"), REPLACED)):
        path.write_bytes(b"old")

        def lock(*_: object, then: Callable[[], object] = change) -> None:
            path.unlink()
            path.touch()
            then()

        monkeypatch.setattr(fcntl, "flock", lock)
        assert LocalHost().withdraw([withdrawal(path)]) == [told]
        path.unlink(missing_ok=True)


def test_a_new_name_that_does_not_reach_the_disk_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power failure may undo it, so no file of the set may be removed yet."""

    def refuse(_path: str) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(entries, "sync", refuse)
    path = tmp_path / "receipt"
    path.touch()
    (told,) = LocalHost().withdraw([withdrawal(path)])
    assert told.startswith("Input/output error; ")
    assert told.endswith("a power cut may undo that")


def test_files_that_do_not_exist_may_not_be_open_by_their_directory(tmp_path: Path) -> None:
    """The system's error for a file that cannot be opened is reported."""
    (tmp_path / "file").touch()
    assert LocalHost().withdraw([withdrawal(tmp_path / "file" / "x")]) == ["Not a directory"]


@pytest.fixture(params=["dash", "bash", "busybox sh"])
def odd_host(request: pytest.FixtureRequest, tmp_path: Path, serve: Callable[..., Sshd]) -> Any:
    """A host with each kind of shell, and the programs of a directory `bin` first."""
    (tmp_path / "bin").mkdir()
    sh = tmp_path / "bin" / "sh"
    sh.write_text(f'#!/bin/sh\nexec {request.param} "$@"\n')
    sh.chmod(0o755)
    with reached(serve(PATH=f"{tmp_path / 'bin'}:{os.environ['PATH']}")) as host:
        yield host


@pytest.mark.remote
def test_every_shell_withdraws_files(
    odd_host: Host, tmp_path: Path, program: Callable[[str, str], None]
) -> None:
    """This includes systems without hard links or locks; lost names and odd errors are reported."""
    path = tmp_path / "receipt"
    receipt = withdrawal(path)
    path.touch()
    with locked(path, fcntl.LOCK_SH):
        assert odd_host.withdraw([receipt]) == [BEING_READ]
    program("ln", "echo 'ln: failed: Operation not permitted' >&2; exit 1")
    assert odd_host.withdraw([receipt]) == [""]
    assert odd_host.withdraw([receipt]) == [GONE]
    for said, told in (("Input/output error", "Input/output error"), ("No locks available", "")):
        (tmp_path / "receipt.removing").unlink()
        path.touch()
        program("flock", f'echo "flock: 4: {said}" >&2; exit 65')
        assert odd_host.withdraw([receipt]) == [told]
        (tmp_path / "receipt.removing").touch()
    for then, told in (("touch", REPLACED), ("true", GONE)):
        path.touch()
        program("flock", f"mv {path} {path}.old; {then} {path}")
        assert odd_host.withdraw([receipt]) == [told]
    assert {"receipt.keep"}.isdisjoint(names(tmp_path))


@pytest.mark.remote
@pytest.mark.parametrize("done", [True, False])
def test_a_withdrawal_is_carried_on_after_a_cut(
    sshd: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, done: bool
) -> None:
    """A file that was withdrawn before the cut counts as done, and a missing one does not."""
    run = Connection.run
    cuts: list[int] = []

    def cut_once(self: Connection, function: str, *arguments: str, **options: Any) -> Answer:
        if function == "withdraw_files" and not cuts:
            if done:
                run(self, function, *arguments, **options)
            cuts.append(sshd.cut())
            raise Cut("The connection was cut.", "Look.")
        return run(self, function, *arguments, **options)

    monkeypatch.setattr(Connection, "run", cut_once)
    paths = [tmp_path / name for name in ("a", "b", "missing", "kept", "kept.keep")]
    for path in (*paths[:2], *paths[3:]):
        path.touch()
    with reached(sshd) as host:
        told = host.withdraw(map(withdrawal, paths[:4]))
    assert cuts
    assert told == ["", "", GONE, f"is to be kept, as {paths[4]} says"]
    assert names(tmp_path) == {"a.removing", "b.removing", "kept", "kept.keep"}


@pytest.mark.remote
def test_any_number_of_files_is_withdrawn_in_one_call(sshd: Sshd, tmp_path: Path) -> None:
    """The number may be that of a large directory."""
    paths = [tmp_path / f"{number:03d}" for number in range(100)]
    for path in paths:
        path.touch()
    with reached(sshd) as host:
        assert host.withdraw(map(withdrawal, paths)) == [""] * 100
    assert names(tmp_path) == {f"{path.name}.removing" for path in paths}
