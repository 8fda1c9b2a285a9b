"""The repository's lock: limited waits, named holders, and no stale locks."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import signal
import subprocess
import sys
import threading
from typing import TYPE_CHECKING, Any

import pytest

from csf_backup_plugin.cancellation import Cancellation, deferred_signals
from csf_backup_plugin.errors import BackupError, Interrupted, LockBusy
from csf_backup_plugin.hosts.local import lock
from csf_backup_plugin.system_errors import HalfDone

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path


@pytest.fixture
def path(tmp_path: Path) -> str:
    """Return the path of the lock file."""
    return str(tmp_path / "lib.db.lock")


def hold(
    path: str,
    wait: float = 0,
    notes: list[str] | None = None,
    cancellation: Cancellation | None = None,
    *,
    create: bool = True,
) -> AbstractContextManager[Any]:
    """Hold the lock like a backup."""
    told = notes if notes is not None else []
    by = cancellation or Cancellation()
    return lock.held(path, "admin_database_backup", wait, told.append, by, create=create)


def test_a_second_holder_is_refused_and_told_who_has_it_since_when(path: str) -> None:
    """The file has the holder's command, process, host and time."""
    with hold(path):
        with pytest.raises(LockBusy) as caught, hold(path):
            pass
        assert f"admin_database_backup (process {os.getpid()} on " in caught.value.what
        assert " since 20" in caught.value.what
        assert path in caught.value.what


def test_a_lock_is_free_again_when_its_block_ends(path: str) -> None:
    """The file stays, without meaning."""
    for _ in range(2):
        with hold(path):
            pass
    assert os.path.exists(path)


def test_a_failed_block_removes_the_lock_file_it_made(path: str) -> None:
    """A refused command leaves the directory unchanged."""
    with pytest.raises(ZeroDivisionError), hold(path):
        raise ZeroDivisionError
    assert not os.path.exists(path)


def test_a_failed_block_whose_lock_file_is_gone_has_nothing_to_remove(path: str) -> None:
    """Somebody has removed it meanwhile."""
    with pytest.raises(ZeroDivisionError), hold(path):
        os.unlink(path)
        raise ZeroDivisionError


def test_a_failed_block_leaves_a_lock_file_it_did_not_make(path: str) -> None:
    """It belongs to the repository."""
    with hold(path):
        pass
    with pytest.raises(ZeroDivisionError), hold(path):
        raise ZeroDivisionError
    assert os.path.exists(path)


@pytest.mark.parametrize("is_left", [False, True])
def test_a_child_that_inherited_the_lock_keeps_it_only_if_it_is_to(
    path: str, *, is_left: bool
) -> None:
    """Otherwise it is closed in the child; a utility that cannot be ended keeps even the file."""

    def failed() -> subprocess.Popen[bytes]:
        with contextlib.suppress(ZeroDivisionError), hold(path) as held:
            child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[held.descriptor])
            held.is_left = is_left
            raise ZeroDivisionError
        return child

    child = failed()
    assert os.path.exists(path) == is_left
    with pytest.raises(LockBusy) if is_left else contextlib.nullcontext(), hold(path):
        pass
    child.communicate()
    with hold(path):
        pass


def test_a_wait_ends_when_the_holder_does_and_is_announced_once(path: str) -> None:
    """The announcement names the holder and the time limit."""
    notes: list[str] = []
    announced = threading.Event()

    def waiting() -> None:
        with lock.held(path, "class_create", 30, tell, Cancellation(), create=True):
            notes.append("in")

    def tell(text: str) -> None:
        notes.append(text)
        announced.set()

    with hold(path):
        thread = threading.Thread(target=waiting)
        thread.start()
        assert announced.wait(30)
    thread.join()
    assert notes[0].startswith("waiting up to 30 s for csf admin_database_backup (process ")
    assert notes[1:] == ["in"]


def test_a_holder_that_is_killed_holds_nothing(path: str) -> None:
    """The lock ends with its last process, so there are no stale locks."""
    program = (
        "import sys, time; from csf_backup_plugin.hosts.local.host import LocalHost\n"
        "with LocalHost().lock(sys.argv[1], 'x', 0, print): print(flush=True); time.sleep(60)"
    )
    command = [sys.executable, "-c", program, path]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(LockBusy), hold(path):
            pass
        holder.kill()
    with hold(path):
        pass


def test_a_lock_file_that_loses_its_name_while_we_wait_is_no_lock(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others would use a new file, so that one is locked."""
    flock = fcntl.flock

    def slow(descriptor: int, operation: int) -> None:
        flock(descriptor, operation)
        monkeypatch.undo()
        os.unlink(path)

    monkeypatch.setattr(fcntl, "flock", slow)
    with hold(path, wait=5) as held:
        assert os.path.samestat(os.fstat(held.descriptor), os.stat(path))


def test_a_lock_that_cannot_be_taken_leaves_no_file(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error names the file, and none is left."""

    def fail(*_: object) -> None:
        monkeypatch.undo()
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", fail)
    with pytest.raises(OSError, match="Input/output error"), hold(path):
        pass
    assert not os.path.exists(path)


@pytest.mark.parametrize(
    ("error", "left"),
    [
        (
            BackupError("Bad.", "Do."),
            "The lock file {} stays. Nothing else was created or changed.",
        ),
        (OSError(errno.EIO, "Bad", "/x"), "The lock file {} stays."),
        (HalfDone(OSError(errno.EIO, "Bad", "/x"), "Torn."), "Torn. The lock file {} stays."),
    ],
)
def test_a_lock_file_that_was_made_and_stays_is_reported(
    path: str, monkeypatch: pytest.MonkeyPatch, error: Exception, left: str
) -> None:
    """Its disk may have failed."""

    def refuse(path: str) -> None:
        raise OSError(errno.EIO, "Input/output error", path)

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises((BackupError, HalfDone)) as caught, hold(path):
        raise error
    assert isinstance(caught.value, (BackupError, HalfDone))
    assert caught.value.left == left.format(path)


def test_a_lock_file_that_nobody_can_see_any_more_may_stay(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unknown is not the same as removed."""

    def refuse(path: str, **_: object) -> None:
        raise OSError(errno.EIO, "Input/output error", path)

    with pytest.raises(HalfDone) as caught, hold(path):
        for name in ("unlink", "lstat", "stat"):
            monkeypatch.setattr(os, name, refuse)
        raise OSError(errno.EIO, "Bad", "/x")
    assert caught.value.left == f"The lock file {path} stays."


def test_a_lock_file_that_is_made_and_cannot_be_used_is_not_left(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its disk may fail at any point."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", refuse)
        with pytest.raises(OSError, match=f"Input/output error: '{path}'"), hold(path):
            pass
    assert os.listdir(os.path.dirname(path)) == []


def test_any_other_error_goes_through_where_a_lock_file_stays(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such an error cannot be extended."""

    def refuse(path: str) -> None:
        raise OSError(errno.EIO, "Input/output error", path)

    monkeypatch.setattr(os, "unlink", refuse)
    with pytest.raises(ZeroDivisionError), hold(path):
        raise ZeroDivisionError


def test_an_error_names_the_lock_file(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """This also holds for errors of an open file."""

    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match="Input/output") as caught, hold(path):
        raise AssertionError
    assert caught.value.filename == path


def test_a_descriptor_that_cannot_be_closed_keeps_nobody_from_the_lock(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Network file systems may report errors at close; nothing was written yet."""
    close = os.close

    def refuse(descriptor: int) -> None:
        close(descriptor)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "close", refuse)
    with hold(path) as held:
        assert held


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_where_there_are_no_locks_nobody_holds_one_and_that_is_reported(
    path: str, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """NFS without lockd has no locks; a failed command removes the file nevertheless."""

    def fail(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", fail)
    with pytest.raises(ZeroDivisionError), hold(path):
        raise ZeroDivisionError
    assert not os.path.exists(path)
    with hold(path) as held, hold(path) as also:
        assert held.unsupported == also.unsupported == os.strerror(number)
    assert os.path.exists(path)


def test_a_lock_that_cannot_be_given_up_fails_nobody(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The work under the lock is done, but the file system has failed since."""

    def dead(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    close = os.close
    with hold(path) as held:
        monkeypatch.setattr(fcntl, "flock", dead)
        monkeypatch.setattr(os, "close", dead)
    monkeypatch.undo()
    close(held.descriptor)


def test_a_lock_file_that_goes_between_two_looks_is_made_again(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its maker failed and removed it."""
    opened = os.open
    answers = [FileNotFoundError(), FileExistsError(), FileNotFoundError()]

    def race(name: str, flags: int, mode: int = 0o777) -> int:
        if answers:
            raise answers.pop(0)
        return opened(name, flags, mode)

    monkeypatch.setattr(os, "open", race)
    with hold(path) as held:
        assert held.created


def test_without_leave_to_create_a_missing_file_means_nobody_holds_it(path: str) -> None:
    """A dry run creates no lock file, but notices a holder."""
    with hold(path, create=False) as held:
        assert held is None
    assert not os.path.exists(path)
    with hold(path), pytest.raises(LockBusy), hold(path, create=False):
        pass
    with hold(path, create=False) as held:
        assert held is not None


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: os.symlink("x", path)])
def test_what_is_no_file_is_no_lock_file(path: str, make: Callable[[str], None]) -> None:
    """Links are not written through, and a pipe blocks nobody."""
    make(path)
    with pytest.raises(OSError), hold(path):
        pass
    assert os.listdir(os.path.dirname(path)) == ["lib.db.lock"]


def test_somebodys_data_is_locked_and_not_written_over(path: str) -> None:
    """The data is foreign, whatever its name, and does not name the holder."""
    with open(path, "w") as file:
        file.write("user's own data")
    with (
        hold(path),
        pytest.raises(LockBusy, match="held by a process that cannot be named"),
        hold(path),
    ):
        pass
    with open(path) as file:
        assert file.read() == "user's own data"


def test_a_lock_file_is_everybodys_to_lock(path: str) -> None:
    """A backup of root and a class_create of another user share it, with any umask."""
    before = os.umask(0o777)
    try:
        with hold(path):
            assert os.stat(path).st_mode & 0o777 == 0o666
    finally:
        os.umask(before)


@pytest.mark.parametrize("number", [errno.EACCES, errno.EROFS, errno.EIO])
def test_a_lock_file_that_cannot_be_written_can_be_locked(
    path: str, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Only the holder's name is missing; any other error is reported."""
    with hold(path):
        pass
    opened = os.open

    def read_only(name: str, flags: int, mode: int = 0o777) -> int:
        if name == path and flags & os.O_RDWR:
            raise OSError(number, "No", name)
        return opened(name, flags, mode)

    monkeypatch.setattr(os, "open", read_only)
    if number == errno.EIO:
        with pytest.raises(OSError), hold(path):
            pass
    else:
        with hold(path), pytest.raises(LockBusy), hold(path):
            pass


@pytest.mark.measured
def test_the_lock_takes_the_place_of_no_standard_stream(path: str) -> None:
    """It would be replaced by a child's standard input, and released."""
    program = (
        "import os, sys; os.close(0); from csf_backup_plugin.hosts.local.host import LocalHost\n"
        "with LocalHost().lock(sys.argv[1], 'x', 0, print) as held: print(held.descriptor)"
    )
    ended = subprocess.run([sys.executable, "-c", program, path], stdout=subprocess.PIPE)
    assert int(ended.stdout) > 2


def test_a_signal_ends_the_wait(path: str) -> None:
    """A signal interrupts the wait."""
    with hold(path), deferred_signals("It") as cancellation:
        os.kill(os.getpid(), signal.SIGTERM)
        with pytest.raises(Interrupted), hold(path, wait=60, cancellation=cancellation):
            pass


def test_a_lock_in_a_directory_that_does_not_exist_is_not_found(tmp_path: Path) -> None:
    """It does not matter whether the file may be created."""
    for create in (True, False):
        with pytest.raises(FileNotFoundError), hold(f"{tmp_path}/none/x.lock", create=create):
            pass


def test_flock_is_looked_for_on_the_path(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It releases the lock from processes that a utility leaves."""
    with hold(path) as held:
        assert held.is_freed
        monkeypatch.setenv("PATH", os.path.dirname(path))
        assert not held.is_freed
