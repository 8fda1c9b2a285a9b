"""A repository's lock, by flock(2): it lives exactly as long as a process that has it open.

The file's text names the holder, for the messages of others that wait; see `hosts.lock_holder`. The
text of an abandoned file does not matter: if no process has the file open, there is no lock.
"""

from __future__ import annotations

import contextlib
import os
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import NOTHING_LEFT, BackupError, LockBusy
from csf_backup_plugin.hosts.local.lock_file import check_directory, open_existing, open_or_create
from csf_backup_plugin.hosts.local.opening import named
from csf_backup_plugin.names import shown
from csf_backup_plugin.system_errors import HalfDone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from csf_backup_plugin.cancellation import Cancellation
    from csf_backup_plugin.hosts.local.lock_file import LockFile
    from csf_backup_plugin.hosts.lock_holder import Holder

_POLL = 0.05  # seconds between two attempts
_LOOK = 10.0  # seconds to find out who holds a lock


@contextlib.contextmanager
def held(
    path: str,
    purpose: str,
    wait: float,
    waiting: Callable[[str], None],
    cancellation: Cancellation,
    *,
    create: bool,
) -> Iterator[LockFile | None]:
    """Hold the lock file at `path` while the block runs; see `Host.lock`."""
    with named(path):
        lock = _acquire(path, wait, waiting, cancellation, create=create)
    if lock is None:
        check_directory(path)
        yield None
        return
    try:
        lock.sign(purpose)
        yield lock
    except BaseException as error:
        _discard(lock, path, error)
        raise
    lock.release()


def _discard(lock: LockFile, path: str, error: BaseException) -> None:
    """Release the lock after its block has failed; the error says if the file was made and stays.

    Raises:
        HalfDone: the block's error, if the file stays.
    """
    lock.discard()
    if not lock.created:
        return
    try:
        os.lstat(path)
    except FileNotFoundError:
        return
    except OSError:
        pass  # on a dead disk, it may be there
    stays = f"The lock file {shown(path)} stays."
    if isinstance(error, BackupError):
        error.left = error.left.replace(
            NOTHING_LEFT, f"{stays} Nothing else was created or changed."
        )
    elif isinstance(error, HalfDone):
        error.left += f" {stays}"
    elif isinstance(error, OSError):
        raise HalfDone(error, stays) from None


def _acquire(
    path: str,
    wait: float,
    waiting: Callable[[str], None],
    cancellation: Cancellation,
    *,
    create: bool,
) -> LockFile | None:
    """Return the lock, or None if there is no file and none is to be made."""
    deadline, told = time.monotonic() + wait, False
    while True:
        cancellation.check()
        lock = open_or_create(path) if create else open_existing(path)
        if lock is None:
            return None
        try:
            if lock.try_lock():
                return lock
        except OSError as error:
            _discard(lock, path, error)
            raise
        lock.discard()
        if time.monotonic() >= deadline:
            by = _holder(path, cancellation)
            raise LockBusy(
                f"The repository is locked: {shown(path)} is held by {by.name}.", by.next_step
            )
        if not told:
            waiting(f"waiting up to {wait:g} s for {_holder(path, cancellation).name}")
            told = True
        time.sleep(_POLL)


def _holder(path: str, cancellation: Cancellation) -> Holder:
    """Return who holds a lock."""
    # A lock is usually free, and a class_create waits for what it loads.
    from csf_backup_plugin.hosts.local.process import run
    from csf_backup_plugin.hosts.lock_holder import HELD_BY, holder

    script = f'{HELD_BY}\nheld_by "$1"'
    try:
        said = run(["sh", "-c", script, "sh", path], _LOOK, cancellation).output
    except TimeoutError:
        said = b""
    return holder(os.fsdecode(said.rstrip(b"\n")), path)
