"""One backup, from the lock to the receipt; the steps are in order."""

from __future__ import annotations

import contextlib
import functools
import time
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin import timestamps
from csf_backup_plugin.advised_commands import prove_command
from csf_backup_plugin.command_names import BACKUP
from csf_backup_plugin.errors import ImageExists, LockBusy
from csf_backup_plugin.image import receipt_format, run_note, sealed_json
from csf_backup_plugin.image.receipt import Origin, Receipt
from csf_backup_plugin.names import listed
from csf_backup_plugin.objectstore.room_and_time import default_timeout
from csf_backup_plugin.operations.backup import database_sizes
from csf_backup_plugin.operations.backup.completion import complete
from csf_backup_plugin.operations.backup.dry_run import foretell
from csf_backup_plugin.operations.backup.located import lock_and_look
from csf_backup_plugin.operations.backup.number import begin
from csf_backup_plugin.operations.backup.osbackup import run_osbackup
from csf_backup_plugin.operations.backup.preflight import prepare
from csf_backup_plugin.operations.backup.proof import prove
from csf_backup_plugin.operations.backup.rollback import rollback
from csf_backup_plugin.operations.backup.site import look_at_site
from csf_backup_plugin.operations.quiet.aftermath import report_end_call
from csf_backup_plugin.operations.quiet.debt import settle_debt
from csf_backup_plugin.operations.recovery_card import write_cards
from csf_backup_plugin.operations.sync_warnings import unsynced_warnings
from csf_backup_plugin.system_errors import translated

if TYPE_CHECKING:
    from collections.abc import Callable

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.backup.preflight import Plan
    from csf_backup_plugin.operations.backup.proof import Proof
    from csf_backup_plugin.operations.backup.request import BackupRequest, Turn
    from csf_backup_plugin.operations.backup.rollback import Created
    from csf_backup_plugin.operations.backup.site import Site
    from csf_backup_plugin.progress_listener import Listener


_ROOM = "Make room there, or name an image on another file system."


class Backup(NamedTuple):
    """A backup that was made, or that a dry run predicts.

    Attributes:
        request: the validated options, with resolved paths.
        plan: what was backed up, and with what.
        origin: which backup of which repository it is.
        proof: what identifies the image; None in a dry run.
        warnings: what the user should know although the backup succeeded.
        seconds: how long it took.
    """

    request: BackupRequest
    plan: Plan
    origin: Origin
    proof: Proof | None
    warnings: tuple[str, ...]
    seconds: float


def back_up(request: BackupRequest, host: Host, listener: Listener) -> Backup:
    """Back up a whole repository in one osbackup run, and prove the image.

    Args:
        request: what to back up, and where to.
        host: the machine that holds the databases and will hold the image.
        listener: gets the progress.

    Raises:
        BackupError: the backup failed. Everything that this run had created was removed, or the
            message names what is left.
    """
    began = time.monotonic()
    with translated(host.name):
        with contextlib.ExitStack() as stack:
            request, lock, debt, site, unlocked = lock_and_look(request, stack, host, listener)
            settled = settle_debt(request.repository, lock, host, debt, dry_run=request.dry_run)
            if settled:  # the program that was called may have taken long
                site = functools.partial(look_at_site, request, None, host)
            made = back_up_locked(request, lock, None, host, listener, site)
        cards = [] if request.dry_run else write_cards([request.image], host)
    warnings = (*unlocked, *settled, *made.warnings, *cards)
    return made._replace(warnings=warnings, seconds=time.monotonic() - began)


def back_up_locked(
    request: BackupRequest,
    lock: Lock | None,
    turn: Turn | None,
    host: Host,
    listener: Listener,
    look: Callable[[], Site] | None = None,
) -> Backup:
    """Back up a repository whose lock is held; release the lock once the image is proven.

    Args:
        request: what to back up, where to, with resolved paths.
        lock: the repository's lock; None if no lock file can be created.
        turn: what a rotation adds; None if the backup is not part of one.
        host: the host to work on.
        listener: gets the progress.
        look: returns what was found under the lock, or raises the error; None to look now.

    Raises:
        BackupError: as for `back_up`.
    """
    began = time.monotonic()
    with translated(host.name):
        if turn:
            look = functools.partial(look_at_site, request, turn.catalog, host)
        plan, proof = prepare(request, host, listener, look), None
        if request.dry_run:
            origin, more = foretell(request, plan, host)
        else:
            origin, proof, more = _carry_out(request, plan, lock, turn, host, listener)
    warnings = (*plan.warnings, *more)
    return Backup(request, plan, origin, proof, warnings, time.monotonic() - began)


def _carry_out(
    request: BackupRequest,
    plan: Plan,
    lock: Lock | None,
    turn: Turn | None,
    host: Host,
    listener: Listener,
) -> tuple[Origin, Proof, list[str]]:
    """Make and prove the image.

    Returns:
        Which backup it is, what identifies the image, and warnings.
    """
    image, began = request.image, time.monotonic()
    timeout = request.timeout or default_timeout(plan.found.coverage.bytes)
    with rollback(host) as created, translated(host.name, _ROOM):
        host.cancellation.check()
        (origin, warnings), before = host.together(
            lambda: begin(request, plan, created, lock, host),
            lambda: database_sizes.look(plan.found.coverage.paths, host),
        )
        note = run_note.encode(origin, turn.placement if turn else None)
        try:
            with report_end_call(plan.quiesce, request.repository, image.run, lock, host) as ended:
                written = run_osbackup(image, plan, timeout, lock, note, host, listener)
            warnings += ended
        except ImageExists:  # the record belongs to another run
            created.record = ""
            raise
        except LockBusy as busy:
            kept = _kept(created, image, busy)
            created.clear()
            created.record = ""
            raise kept from None
        proof = prove(request, plan, before, written, timeout, host, listener)
        warnings += unsynced_warnings(proof.unsynced, "the backup", host)
        warnings += proof.sizes.doubts
        host.cancellation.check()
        made = _receipt(request, plan, origin, proof)
        if turn:
            made = turn.completed(made, plan.found.recorded)
        data = _encoded(made, plan, time.monotonic() - began)
        warnings += complete(image, data, plan.found, created, host)
    return origin, proof, warnings


def _kept(created: Created, image: ImagePath, busy: LockBusy) -> LockBusy:
    """Return the error: all is kept, since the lock's new holder may prove the image."""
    return LockBusy(
        f"The lock was lost while the connection was cut. {busy.what}",
        "Wait until the holder of the lock has ended. Then, if osbackup has succeeded, this gives "
        f"the image its receipt: {prove_command(image.name)}",
        busy.facts,
        f"osbackup has ended; what this run had created is kept: {listed(created.all)}.",
    )


def _receipt(request: BackupRequest, plan: Plan, origin: Origin, proof: Proof) -> Receipt:
    """Return the receipt of a proven image."""
    return Receipt(
        request.repository.master,
        proof.sizes.before_bytes,
        proof.size,
        proof.sha256,
        sealed_json.sha256(plan.import_file),
        plan.machine.now,
        request.image,
        origin,
        proof.sizes.after_bytes,
        proof.sizes.changed,
    )


def _encoded(made: Receipt, plan: Plan, seconds: float) -> bytes:
    """Return the receipt's bytes."""
    return receipt_format.encode(
        made,
        finished=timestamps.later(plan.machine.now, seconds),
        osbackup=plan.argv[0],
        shared_disk=plan.shared_disk,
        proven_by=BACKUP,
    )
