"""One backup, from the lock to the receipt: everything happens in the order it stands here."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import time
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin import timestamps
from csf_backup_plugin.advice import prove_command
from csf_backup_plugin.command_names import BACKUP
from csf_backup_plugin.errors import (
    BackupError,
    HalfDone,
    ImageExists,
    LockBusy,
    OsbackupFailed,
    reason,
    translated,
)
from csf_backup_plugin.hosts.cleanup import clean_up_record
from csf_backup_plugin.image import receipt_format, sealed_json
from csf_backup_plugin.image.located import locate_image
from csf_backup_plugin.image.receipt import Origin, Receipt
from csf_backup_plugin.names import listed, shown
from csf_backup_plugin.objectstore.commands import OSBACKUP
from csf_backup_plugin.objectstore.limits import default_timeout
from csf_backup_plugin.objectstore.runner import Utility, run_to_success
from csf_backup_plugin.operations.backup import sizes
from csf_backup_plugin.operations.backup.preflight import check_absent, prepare
from csf_backup_plugin.operations.backup.proof import prove
from csf_backup_plugin.operations.backup.rollback import rollback
from csf_backup_plugin.operations.unsynced import unsynced_warnings
from csf_backup_plugin.repository import store
from csf_backup_plugin.repository.located import locate
from csf_backup_plugin.repository.unlocked import unguarded_warnings, unlocked_warnings

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Completed, Host, Lock
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.listener import Listener
    from csf_backup_plugin.operations.backup.preflight import Plan
    from csf_backup_plugin.operations.backup.proof import Proof
    from csf_backup_plugin.operations.backup.request import BackupRequest
    from csf_backup_plugin.operations.backup.rollback import Created


_NOT_ALLOWED = (errno.EACCES, errno.EPERM, errno.EROFS)
_DENIED = PermissionError(errno.EACCES, "")  # what a dry run foretells; its words are the system's
_ROOM = "Make room there, or name an image on another file system."
_IF_LATE = "Look at the disks of databases and image; give it longer with -timeout SECONDS."


class Backup(NamedTuple):
    """A backup that was made, or in a dry run one that could be.

    Attributes:
        request: what was asked for, by resolved paths.
        plan: what was backed up, and with what.
        origin: which backup of which repository it is.
        proof: what the image is known by; None in a dry run.
        warnings: what the user should know although it went well.
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
        request: what to back up, where to.
        host: the machine that holds the databases and will hold the image.
        listener: told how far it is.

    Raises:
        BackupError: nothing that this run created is left, or the message names it.
    """
    began = time.monotonic()
    with translated(host.name):
        request = dataclasses.replace(
            request,
            repository=locate(request.repository, host, listener.note),
            image=locate_image(request.image, host, listener.note),
        )
        with contextlib.ExitStack() as stack:
            lock, warnings = _locked(request, stack, host, listener)
            plan = prepare(request, host, listener)
            origin = _origin(plan)
            warnings += plan.warnings
            proof = None
            if request.dry_run:
                _check_readable(plan, host)
                origin = _foretold(request, plan, warnings, host)
            else:
                origin, proof = _carry_out(request, plan, warnings, lock, host, listener)
                warnings += clean_up_record(request.image.run, host)
                warnings += store.record(plan.found, host)
    return Backup(request, plan, origin, proof, tuple(warnings), time.monotonic() - began)


def _locked(
    request: BackupRequest, stack: contextlib.ExitStack, host: Host, listener: Listener
) -> tuple[Lock | None, list[str]]:
    """Hold the repository's lock until the stack is left; where no lock file can be, warn.

    Returns:
        The lock, if there is one, and the warning.
    """
    path, create = request.repository.lock, not request.dry_run
    try:
        held = host.lock(path, BACKUP, request.wait, listener.note, create=create)
        lock = stack.enter_context(held)
    except OSError as error:
        if error.errno not in _NOT_ALLOWED or host.stat([path])[0].kind != "missing":
            raise
        return None, [_not_kept_out(path, error)]
    if lock is None and not host.look([request.repository.directory])[0].writable:
        return None, [_not_kept_out(path, _DENIED)]
    warnings = unlocked_warnings(lock, request.repository)
    return lock, warnings + unguarded_warnings(lock, OSBACKUP)


def _not_kept_out(path: str, error: OSError) -> str:
    return (
        f"the lock file {shown(path)} cannot be made ({reason(error)}): a class_create of another "
        "user during this backup cannot be kept out"
    )


def _origin(plan: Plan) -> Origin:
    """Return which backup of which repository it would be."""
    standing, machine = plan.standing, plan.machine
    return Origin(
        standing.identity.id,
        standing.number + 1,
        machine.id,
        machine.name,
        not standing.changes,
        plan.mounts,
    )


def _carry_out(
    request: BackupRequest,
    plan: Plan,
    warnings: list[str],
    lock: Lock | None,
    host: Host,
    listener: Listener,
) -> tuple[Origin, Proof]:
    """Make and prove the image; add to the warnings what is to be told of that."""
    image, began = request.image, time.monotonic()
    timeout = request.timeout or default_timeout(plan.found.coverage.bytes)
    with rollback(host) as created, translated(host.name, _ROOM):
        host.cancellation.check()
        _claim(image, plan.import_file, host)
        created.append(image.import_file)
        # Nobody came before the claim.
        check_absent(image, [image.path, image.receipt, image.run], host)
        created.append(image.path)
        created.record, created.receipt = image.run, image.receipt
        created.if_lost = (
            "osbackup may still run there. Once the host can be reached, and if it has succeeded, "
            f"this gives the image its receipt: {prove_command(image.name)}"
        )
        origin = _number(request, plan, created, warnings, host)
        before = sizes.look(plan.found.coverage.paths, host)
        try:
            _run_osbackup(request, plan, timeout, lock, host, listener)
        except ImageExists:  # the record is somebody else's
            created.record = ""
            raise
        except LockBusy as busy:
            kept = _kept(created, image, busy)
            created.clear()
            created.record = ""
            raise kept from None
        proof = prove(request, plan, before, timeout, host, listener)
        warnings += unsynced_warnings(proof.unsynced, "the backup", host)
        warnings += proof.sizes.doubts
        host.cancellation.check()
        made = Receipt(
            request.repository.master,
            proof.sizes.before_bytes,
            proof.size,
            proof.sha256,
            sealed_json.sha256(plan.import_file),
            plan.machine.now,
            image,
            origin,
            proof.sizes.after_bytes,
            proof.sizes.changed,
        )
        data = receipt_format.encode(
            made,
            finished=timestamps.later(plan.machine.now, time.monotonic() - began),
            osbackup=plan.argv[0],
            shared_disk=plan.shared_disk,
            proven_by=BACKUP,
        )
        try:
            host.publish(image.receipt, data)
        except (BackupError, HalfDone):  # it may be there
            created.append(image.receipt)
            raise
    return origin, proof


def _kept(created: Created, image: ImagePath, busy: LockBusy) -> LockBusy:
    """Say that all is kept: osbackup has ended, and the lock's holder may prove its image."""
    return LockBusy(
        f"The lock was lost while the connection was cut. {busy.what}",
        "Let the holder of the lock end. Then, if osbackup has succeeded, this gives the image "
        f"its receipt: {prove_command(image.name)}",
        busy.facts,
        f"osbackup has ended; what this run had created is kept: {listed(created.all)}.",
    )


def _check_readable(plan: Plan, host: Host) -> None:
    """Fail a dry run as osbackup would, where a database cannot be read; only that is sure to know.

    Raises:
        OsbackupFailed: it names the databases.
    """
    paths = plan.found.coverage.paths
    looked = zip(paths, host.stat(paths), strict=True)
    if unreadable := [path for path, at in looked if not at.readable]:
        raise OsbackupFailed(
            f"Dry run: osbackup would fail on {host.name}, since this user may not read "
            f"{listed(unreadable)}.",
            "Run the command as a user who may read them.",
        )


def _foretold(request: BackupRequest, plan: Plan, warnings: list[str], host: Host) -> Origin:
    """Return which backup it would be; add to the warnings what its real run would."""
    repository = request.repository
    written = repository.directory if plan.found.recorded is None else repository.manifest
    if host.look([written])[0].writable:
        return _origin(plan)
    return _unnumbered(repository.manifest, plan, _DENIED, warnings)


def _number(
    request: BackupRequest, plan: Plan, created: Created, warnings: list[str], host: Host
) -> Origin:
    """Take the backup's number in the manifest; return which backup it is.

    Where the manifest cannot be written, an id that nothing else tells would be lost at once: then
    the image has neither id nor number, and is never the newest.
    """
    origin, manifest = _origin(plan), request.repository.manifest
    is_made = plan.found.recorded is None
    used_up = f"The number {origin.number} is used up in {shown(manifest)}."
    created.remains = "" if is_made else used_up
    entry = plan.standing.entry(request.image)
    if is_made:
        first = store.first(plan.found, entry)
        created.manifest, created.manifest_data, created.if_appended = manifest, first, used_up
    try:
        warnings += store.begin(plan.found, entry, host)
        created += [manifest] * is_made
    except BackupError:  # the host is gone, and may have done it
        created += [manifest] * is_made
        raise
    except OSError as error:
        created.remains = error.left if isinstance(error, HalfDone) else ""
        return _unnumbered(manifest, plan, error, warnings)
    return origin


def _unnumbered(manifest: str, plan: Plan, error: OSError, warnings: list[str]) -> Origin:
    """Return which backup it is where the manifest cannot be written; warn of it."""
    origin = _origin(plan)
    if plan.standing.is_new:
        origin = origin._replace(id=None, number=None)
        what = "this image has no number, and so is never the latest one"
    else:
        what = f"that {origin.number} is used up is not on record there, and may be forgotten"
    warnings.append(f"the manifest {shown(manifest)} cannot be written ({reason(error)}): {what}")
    return origin


def _claim(image: ImagePath, names: bytes, host: Host) -> None:
    """Make the import file: whoever makes it owns the image's name."""
    try:
        host.create(image.import_file, names)
    except FileExistsError:
        raise ImageExists(
            f"{image.host}:{shown(image.import_file)} appeared just now: "
            "another backup is writing that image.",
            "Let it end, or name another image.",
        ) from None


def _run_osbackup(
    request: BackupRequest,
    plan: Plan,
    timeout: float,
    lock: Lock | None,
    host: Host,
    listener: Listener,
) -> None:
    """Run osbackup to its end; meanwhile the image's growth shows how far it is."""
    image = request.image
    osbackup = Utility(OSBACKUP, plan.argv, image.path, lock, image.run, timeout, _IF_LATE)

    def show(_completed: Completed | None, size: int) -> None:
        listener.advance("backing up", size, plan.found.coverage.bytes)

    run_to_success(
        osbackup,
        host,
        lambda: show,
        OsbackupFailed,
        f"writing {image}",
        ImageExists(
            f"{image.host}:{shown(image.run)} appeared just now: something else uses that name.",
            "Name another image.",
        ),
    )
