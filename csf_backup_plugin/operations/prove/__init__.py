"""Prove an image without a receipt: its csf was killed, and osbackup ran to its end.

The run record PATH.run beside the image says how osbackup ended. Without it, nothing shows that the
image is complete.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.advised_commands import prove_command, verify_command
from csf_backup_plugin.command_names import PROVE
from csf_backup_plugin.errors import NOTHING_LEFT, FaultFound, LockBusy
from csf_backup_plugin.hosts.cleanup import clean_up, clean_up_record
from csf_backup_plugin.image import receipt_format, run_note
from csf_backup_plugin.image.contents import read_contents
from csf_backup_plugin.image.location import locate_image
from csf_backup_plugin.image.receipt_file import read_receipt
from csf_backup_plugin.image.run_record import is_at_work, read_record
from csf_backup_plugin.image.verification import presence_findings
from csf_backup_plugin.names import command, shown
from csf_backup_plugin.objectstore import commands
from csf_backup_plugin.operations.aftermath import Left, on_failure
from csf_backup_plugin.operations.prove.conditions import imported, measured, unproven
from csf_backup_plugin.operations.prove.which_backup import origin_of
from csf_backup_plugin.operations.quiet.debt import settle_debt
from csf_backup_plugin.operations.recovery_card import write_cards
from csf_backup_plugin.repository.lock_warnings import unlocked_warnings
from csf_backup_plugin.repository.model import Repository
from csf_backup_plugin.system_errors import from_os_error, reason, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Machine
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.receipt import Receipt
    from csf_backup_plugin.image.run_record import RunRecord
    from csf_backup_plugin.operations.prove.request import ProveRequest
    from csf_backup_plugin.progress_listener import Listener

_NO_NUMBER = (
    "the manifest does not say which number this backup has, so its image is never the latest one"
)


class Proof(NamedTuple):
    """An image that has a receipt now.

    Attributes:
        image: the image.
        receipt: its receipt.
        written: whether this run wrote the receipt; if not, it existed, and nothing was changed.
        warnings: what the user should know although the image is proven.
        seconds: how long it took.
    """

    image: ImagePath
    receipt: Receipt
    written: bool
    warnings: tuple[str, ...]
    seconds: float = 0.0


def prove(request: ProveRequest, host: Host, listener: Listener) -> Proof:
    """Prove an image whose csf was killed, and write its receipt, under the repository's lock.

    Args:
        request: which image to prove.
        host: the host to work on.
        listener: gets the progress.

    Raises:
        CannotBeProven: the message names every reason; nothing was changed.
        FaultFound: there is no image, or its receipt cannot be used.
        LockBusy: osbackup, or another command on the repository, is still running.
    """
    began = time.monotonic()
    with translated(host.name):
        machine, (at,) = host.together(host.machine, lambda: host.look([request.image.directory]))
        image = locate_image(request.image, at, listener.note)
        proof = _existing(image, host) or _prove(image, request.wait, machine, host, listener)
        cards = write_cards([image], host) if proof.written else []
    warnings = (*proof.warnings, *cards)
    return proof._replace(warnings=warnings, seconds=time.monotonic() - began)


def _existing(image: ImagePath, host: Host) -> Proof | None:
    """Return the proof by an existing receipt; None if there is no receipt.

    Raises:
        FaultFound: the receipt cannot be used, or does not fit the image; it is never overwritten.
    """
    if host.stat([image.receipt])[0].kind == "missing":
        return None
    made = read_receipt(read_contents(image, host), host)
    at_image, at_record = host.stat([image.path, image.run])
    found = presence_findings(image, at_image)
    if not found and at_image.size != made.size:
        found = [f"the image holds {at_image.size:,} bytes; its receipt says {made.size:,}"]
    if found:
        raise FaultFound(
            f"{image} has a receipt, and is not what that says:",
            f"Find out more: {verify_command(image.name)}",
            found,
        )
    typed = command("rm", "-r", image.run)
    left = [f"{shown(image.run)} is not needed any more: {typed}"]
    return Proof(image, made, written=False, warnings=tuple(left * (at_record.kind != "missing")))


def _prove(
    image: ImagePath, wait: float, machine: Machine, host: Host, listener: Listener
) -> Proof:
    databases = imported(image, host)
    with _locked(Repository(databases[0]), image, wait, host, listener) as warnings:
        # It may have been proven during the wait for the lock.
        proof = _existing(image, host) or prove_locked(image, databases, machine, host, listener)
        return proof._replace(warnings=(*warnings, *proof.warnings))


def prove_locked(
    image: ImagePath,
    databases: list[str],
    machine: Machine,
    host: Host,
    listener: Listener,
    judged: Callable[[Receipt], Receipt] = lambda made: made,
) -> Proof:
    """Prove an image that has no receipt, of a repository whose lock is held.

    Args:
        image: the image.
        databases: the databases that it should hold, as `conditions.imported` returns them.
        machine: the host, and its clock.
        host: the host to work on.
        listener: gets the progress.
        judged: returns a receipt with suspicions added.

    Raises:
        BackupError: as for `prove`.
    """
    repository = Repository(databases[0])
    osrestore = host.find(commands.OSRESTORE, commands.VARIABLES[commands.OSRESTORE])
    record = read_record(image, host)
    if is_at_work(record, host):
        raise _busy(record, image, host)
    (before,) = host.stat([image.path])
    made, warnings = measured(image, databases, record, osrestore, host, listener)
    placement = run_note.read(image, host).placement
    origin = origin_of(image, repository, machine, host)
    made = judged(made._replace(origin=origin, placement=placement))
    host.cancellation.check()
    if not _publish(image, made, before.stamp, host):
        if proof := _existing(image, host):
            return proof
        if not _publish(image, made, before.stamp, host):  # such as a link to nothing
            raise unproven(image, [f"{shown(image.receipt)} is there, and leads nowhere"])
    warnings += [] if made.origin.number else [_NO_NUMBER]
    warnings += clean_up_record(image.run, host)
    return Proof(image, made, written=True, warnings=tuple(warnings))


@contextlib.contextmanager
def _locked(
    repository: Repository, image: ImagePath, wait: float, host: Host, listener: Listener
) -> Iterator[list[str]]:
    """Hold the repository's lock; as long as osbackup still runs, osbackup holds it.

    Yields:
        Warnings: that the file system has no locks; about an `end` that a killed run owed.
    """
    record = read_record(image, host)
    holder = record.running if is_at_work(record, host) else ""

    def waiting(text: str) -> None:
        listener.note(f"waiting up to {wait:g} s for {holder}" if holder else text)

    with contextlib.ExitStack() as stack:
        lock = None
        try:
            held = host.lock(repository.lock, PROVE, wait, waiting, create=False)
            lock = stack.enter_context(held)
        except (FileNotFoundError, PermissionError):
            # The repository may be lost, or belong to another user. If there is no lock file, no
            # command holds the lock.
            if host.stat([repository.lock])[0].kind != "missing":
                raise
        except LockBusy:
            record = read_record(image, host)
            if is_at_work(record, host):
                raise _busy(record, image, host) from None
            raise
        yield unlocked_warnings(lock, repository) + settle_debt(repository, lock, host)


def _busy(record: RunRecord, image: ImagePath, host: Host) -> LockBusy:
    return LockBusy(
        f"{record.running} is still running on {host.name}, and writes {image}.",
        "Wait until it has ended, and run the same command again; with -wait SECONDS it waits for "
        "that.",
    )


def _publish(image: ImagePath, made: Receipt, stamp: str, host: Host) -> bool:
    """Write the receipt; return False if another command has written one.

    Raises:
        CannotBeProven: the image has changed since its stamp was taken.
    """
    data = receipt_format.encode(
        made,
        finished=host.machine().now,
        osbackup=None,
        shared_disk="unknown",
        proven_by=PROVE,
    )
    lost = Left(  # for a lost connection: the host may have written it
        f"{shown(image.receipt)} may have been written; nothing else was changed.",
        f"Then: {prove_command(image.name)}",
    )
    try:
        with on_failure(lambda _: lost):
            host.publish(image.receipt, data)
            changed = _changed(image, stamp, host)
    except FileExistsError:
        return False
    except OSError as error:
        room = "Make room there and run the same command again."
        what = f"The receipt of {image} could not be written. "
        raise from_os_error(error, host.name, room, what) from None
    if changed:
        stays = clean_up([image.receipt], host)
        raise unproven(image, [changed], f"{stays[0]}." if stays else NOTHING_LEFT)
    return True


def _changed(image: ImagePath, stamp: str, host: Host) -> str:
    """Return why an image may have changed since its stamp was taken; empty if it has not."""
    try:
        (now,) = host.stat([image.path])
    except OSError as error:
        return f"whether it was changed while it was proven cannot be seen: {reason(error)}"
    return "" if now.stamp == stamp else "it was changed or removed while it was proven"
