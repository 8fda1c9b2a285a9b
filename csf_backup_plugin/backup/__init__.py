"""One backup, from the lock to the receipt: everything happens in the order it stands here."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin import interrupts, journal, moments, objectstore, proven, receipt
from csf_backup_plugin.backup.preflight import check_absent, prepare
from csf_backup_plugin.backup.proof import prove
from csf_backup_plugin.backup.rollback import rollback
from csf_backup_plugin.errors import (
    NO_ROOM,
    BackupError,
    ImageExists,
    OsbackupFailed,
    TimedOut,
    translated,
)
from csf_backup_plugin.listing import described
from csf_backup_plugin.names import shown
from csf_backup_plugin.proven import Proven
from csf_backup_plugin.request import default_timeout
from csf_backup_plugin.survey import check_master
from csf_backup_plugin.tidying import tidy

if TYPE_CHECKING:
    from csf_backup_plugin.backup.preflight import Plan
    from csf_backup_plugin.backup.proof import Proof
    from csf_backup_plugin.backup.request import BackupRequest
    from csf_backup_plugin.hosts.protocol import Completed, Host, Lock, Running
    from csf_backup_plugin.image_path import ImagePath
    from csf_backup_plugin.watcher import Watcher


PURPOSE = "admin_database_backup"


class Backup(NamedTuple):
    """A backup that was made, or in a dry run one that could be.

    Attributes:
        plan: what was backed up, and with what.
        proof: what the image is known by; None in a dry run.
        warnings: what the user should know although it went well.
        seconds: how long it took.
    """

    plan: Plan
    proof: Proof | None
    warnings: tuple[str, ...]
    seconds: float


def back_up(request: BackupRequest, host: Host, watcher: Watcher) -> Backup:
    """Back up a whole repository in one osbackup run, and prove the image.

    Args:
        request: what to back up, where to.
        host: the machine that holds the databases and will hold the image.
        watcher: told how far it is.

    Raises:
        BackupError: nothing that this run created is left, or the message names it.
    """
    began, repository = time.monotonic(), request.repository
    with translated(host.name):
        check_master(repository, host)
        with host.lock(
            repository.lock,
            PURPOSE,
            request.wait,
            watcher.note,
            create=not request.dry_run,
        ) as lock:
            plan = prepare(request, host)
            if request.dry_run:
                return Backup(plan, None, plan.warnings, time.monotonic() - began)
            proof = _carry_out(request, plan, lock, host, watcher)
            warnings = (
                *plan.warnings,
                *tidy(reversed(request.image.record), host),
                *journal.record(plan.found, host),
            )
    return Backup(plan, proof, warnings, time.monotonic() - began)


def _carry_out(
    request: BackupRequest, plan: Plan, lock: Lock | None, host: Host, watcher: Watcher
) -> Proof:
    image, started = request.image, moments.now()
    timeout = request.timeout or default_timeout(plan.found.coverage.bytes)
    with rollback(host) as created, translated(host.name):
        interrupts.check()
        _claim(image, plan.import_file, host)
        created.append(image.import_file)
        # Nobody came before the claim.
        check_absent(image, [image.path, image.receipt, image.run], host)
        created += [image.path, *image.record]
        _run_osbackup(request, plan, timeout, lock, host, watcher)
        proof = prove(request, plan, timeout, host, watcher)
        interrupts.check()
        try:
            host.publish(image.receipt, _receipt(request, plan, proof, started))
        except BackupError:  # the host is gone, and may have done it
            created.append(image.receipt)
            raise
    return proof


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
    watcher: Watcher,
) -> None:
    image = request.image
    argv = objectstore.osbackup(plan.osbackup, image)
    try:
        with host.start(argv, image.path, lock, image.run) as running:
            completed = _wait(running, request, plan, timeout, watcher)
    except OSError as error:
        if error.errno in NO_ROOM:
            raise
        raise OsbackupFailed(
            f"{argv[0]} could not be run on {host.name}: {error.strerror} "
            f"({shown(str(error.filename))}).",
            "See that it is a program this user may run.",
        ) from None
    if completed.status:
        raise OsbackupFailed(
            f"osbackup failed on {host.name}, writing {image}: {described(completed)}",
            "Put right what it names and run the same command again.",
        )


def _wait(
    running: Running, request: BackupRequest, plan: Plan, timeout: float, watcher: Watcher
) -> Completed:
    """Return how osbackup ended; meanwhile the image's growth shows how far it is."""
    deadline = time.monotonic() + timeout
    while time.monotonic() < deadline:
        completed, size = running.poll()
        watcher.advance("backing up", size, plan.found.coverage.bytes)
        if completed:
            return completed
    raise TimedOut(
        f"osbackup did not end within {timeout:,.0f} s on {request.image.host}.",
        "Look at the disks of databases and image; give it longer with -timeout SECONDS.",
    )


def _receipt(request: BackupRequest, plan: Plan, proof: Proof, started: str) -> bytes:
    made = Proven(
        request.repository.master,
        dict(plan.found.coverage.databases),
        proof.size,
        proof.sha256,
        receipt.sha256(plan.import_file),
        started,
        request.image,
    )
    return proven.encode(
        made, osbackup=plan.osbackup, shared_disk=plan.shared_disk, proven_by=PURPOSE
    )
