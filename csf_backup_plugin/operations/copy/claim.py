"""The claim on a copy's name: a record that is locked while the copy is made."""

from __future__ import annotations

import contextlib
import functools
import os
import socket
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.command_names import COPY
from csf_backup_plugin.errors import NOTHING_LEFT, BackupError, LockBusy
from csf_backup_plugin.image import copy_record
from csf_backup_plugin.names import listed, shown
from csf_backup_plugin.operations.aftermath import Left, on_failure
from csf_backup_plugin.operations.copy.killed import check_killed, removal_sentence
from csf_backup_plugin.operations.copy.target import check_free
from csf_backup_plugin.system_errors import HalfDone, reason, translated

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.operations.copy.original import Original
    from csf_backup_plugin.operations.copy.target import Target
    from csf_backup_plugin.progress_listener import Listener


_AGAIN = "The same command replaces what is there."


class Claim(NamedTuple):
    """A name that this run has claimed, and the files made under it so far.

    Attributes:
        created: the paths to remove if the copy fails; the record comes first.
        warnings: what the user should know about the claim.
        also_done: what was done with leftovers of a killed copy; each is a part of a sentence.
    """

    created: list[str]
    warnings: list[str]
    also_done: list[str]


@contextlib.contextmanager
def claimed(
    target: Target, original: Original, wait: float, host: Host, listener: Listener
) -> Iterator[Claim]:
    """Claim the name of a copy for the block; if the block fails, remove what it has created.

    The leftovers of a killed copy of the same set are removed first. After a success, the caller
    must remove the record while it is still locked.

    Args:
        target: the copy's path and directory.
        original: the set to copy.
        wait: how long to wait for a copy that is being made already, in seconds.
        host: where the copy goes to.
        listener: gets a note if the command has to wait.

    Raises:
        LockBusy: the same set is being copied there already.
        ImageExists: a file of the copy's set exists already.
    """
    with contextlib.ExitStack() as stack:
        lock, is_new = _acquired(target, original, wait, stack, host, listener)
        claim = Claim([target.image.copying] if is_new else [], [], [])
        with (
            on_failure(lambda so_far: _undo(claim, lock, so_far, host), BaseException),
            translated(host.name),
        ):
            if lock.unsupported:
                claim.warnings.append(_unlocked(target, lock))
            if is_new:
                check_free(target.image, claim.created, host)
            else:
                _take_over(target, original, lock, claim, host)
            yield claim


def _acquired(
    target: Target,
    original: Original,
    wait: float,
    stack: contextlib.ExitStack,
    host: Host,
    listener: Listener,
) -> tuple[Lock, bool]:
    """Lock the record; return the lock, and whether this run has created the record."""
    path, by = target.image.copying, f"process {os.getpid()} on {socket.gethostname()}"
    record = copy_record.record_of(original.image, original.receipt, by, target.machine.now)
    while True:
        is_new = _made(path, copy_record.encode(record), host)
        stays = f"{shown(path)} stays; nothing else was created or changed."
        with on_failure(functools.partial(_left, stays if is_new else "")):
            lock = _locked(target, wait, stack, host, listener)
        if lock is not None:
            return lock, is_new
        # Another copy has ended after `_made`, and has removed its record: try again.


def _left(stays: str, so_far: str) -> Left:
    """Return what is left if the record could not be locked; empty `stays`: not our record."""
    return Left(stays, _AGAIN) if stays else Left(so_far)


def _locked(
    target: Target, wait: float, stack: contextlib.ExitStack, host: Host, listener: Listener
) -> Lock | None:
    note = f"waiting up to {wait:g} s for the copy that is making {target.image}"
    held = host.lock(
        target.image.copying, COPY, wait, lambda _holder: listener.note(note), create=False
    )
    try:
        return stack.enter_context(held)
    except LockBusy:
        record = copy_record.read(target.image, host)
        what = str(record) if record else "a copy"
        raise LockBusy(
            f"{target.image} is being made already: {what}.",
            "Wait until that copy has ended; then this one finds the set there. With -wait SECONDS "
            "it waits.",
        ) from None


def _made(path: str, data: bytes, host: Host) -> bool:
    try:
        host.publish(path, data)
    except FileExistsError:
        return False
    return True


def _take_over(target: Target, original: Original, lock: Lock, claim: Claim, host: Host) -> None:
    """Remove the leftovers of a killed copy of the same set.

    Raises:
        ImageExists: see `check_killed`.
    """
    image = target.image
    record = check_killed(image, copy_record.backup_of(original.receipt), lock, host)
    *left, own = image.unfinished_copy
    # From here on, these files count as created by this run.
    claim.created[:] = [own, *left]
    claim.also_done.append(removal_sentence(image, record))
    host.remove(left)
    del claim.created[1:]


def _unlocked(target: Target, lock: Lock) -> str:
    return (
        f"{shown(target.image.copying)} cannot be locked ({lock.unsupported}): its file system has "
        "no locks. If this copy is killed, what it leaves is to be removed by hand"
    )


def _undo(claim: Claim, lock: Lock, so_far: str, host: Host) -> Left:
    """Remove what was created, the record last; say what is left.

    If the lock was lost, another copy may have taken over: then everything stays.
    """
    if not claim.created:
        return Left(so_far)
    try:
        host.stat(claim.created[:1])  # if the connection was cut, this makes it again
        if not lock.is_held:
            return Left(f"What this run had created may be there: {listed(claim.created)}.", _AGAIN)
        left = _removed(claim.created, host)
    except (OSError, BackupError) as error:
        names = listed(claim.created)
        return Left(f"What this run had created may be there: {names} ({reason(error)}).", _AGAIN)
    taken_over = [f"{one}." for one in claim.also_done]
    before = so_far.replace(NOTHING_LEFT, "").strip()
    return left._replace(text=" ".join(filter(None, [before, *taken_over, left.text])))


def _removed(paths: Sequence[str], host: Host) -> Left:
    """Remove paths, the last one first; keep the record, which is the first, if another stays."""
    record, *rest = paths
    stay: list[str] = []
    left: list[str] = []
    for path in (*reversed(rest), record):
        if path == record and stay:
            stay.append(shown(record))
            break
        try:
            host.remove([path])
        except HalfDone as error:
            left.append(error.left)
        except OSError as error:
            stay.append(f"{shown(path)} ({reason(error)})")
    if stay:
        what = f"What this run had created could not all be removed: {', '.join(stay)}."
        return Left(" ".join([what, *left]), _AGAIN)
    if left:
        return Left(" ".join(left))
    return Left("What this run had created was removed; nothing else was changed.")
