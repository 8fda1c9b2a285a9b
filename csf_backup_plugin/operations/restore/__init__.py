"""One restore, from the lock to the manifest; the steps are in order."""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import time
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.command_names import RESTORE
from csf_backup_plugin.errors import BackupError, Declined, FaultFound, LockBusy, OsrestoreFailed
from csf_backup_plugin.hosts.cleanup import clean_up, clean_up_record
from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.image.latest import check_clock
from csf_backup_plugin.image.meant import look, meant
from csf_backup_plugin.image.read_lock import not_removed
from csf_backup_plugin.image.receipt_file import read_receipt
from csf_backup_plugin.image.run_record import is_at_work, read_run
from csf_backup_plugin.names import first, shown
from csf_backup_plugin.objectstore import commands
from csf_backup_plugin.operations import restored_databases
from csf_backup_plugin.operations.aftermath import Left, on_failure
from csf_backup_plugin.operations.quiet.aftermath import report_end_call
from csf_backup_plugin.operations.quiet.debt import finding_debt
from csf_backup_plugin.operations.restore import quarantine
from csf_backup_plugin.operations.restore.completion import STOPS_BACKUPS, complete
from csf_backup_plugin.operations.restore.extra_databases import refused
from csf_backup_plugin.operations.restore.osrestore import free_space, run_osrestore
from csf_backup_plugin.operations.restore.plan import look_at_tools, prepare_restore, target_sizes
from csf_backup_plugin.operations.restore.preflight import check_writable
from csf_backup_plugin.operations.restore.state_after_failure import compare, look_at, state_left
from csf_backup_plugin.operations.sync_warnings import unsynced_warnings
from csf_backup_plugin.repository.location import locate_place, look_at_repository
from csf_backup_plugin.repository.lock_warnings import unguarded_warnings, unlocked_warnings
from csf_backup_plugin.system_errors import HalfDone, translated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.hosts.protocol.values import Stat
    from csf_backup_plugin.image.latest import Newest
    from csf_backup_plugin.image.run_record import RunRecord
    from csf_backup_plugin.operations.restore.plan import RestorePlan
    from csf_backup_plugin.operations.restore.quarantine import Quarantine
    from csf_backup_plugin.operations.restore.request import RestoreRequest
    from csf_backup_plugin.progress_listener import Listener
    from csf_backup_plugin.repository.model import Repository


class Restored(NamedTuple):
    """A restore that was done, or that a dry run predicts.

    Attributes:
        plan: the plan that was carried out.
        place: where extra databases are now, or after a dry run would be; None if there are none.
        refusal: after a dry run, why a real run would be refused; None if it would be done.
        warnings: what the user should know although the restore succeeded.
        seconds: how long it took.
    """

    plan: RestorePlan
    place: Quarantine | None
    refusal: BackupError | None
    warnings: tuple[str, ...]
    seconds: float


def restore(
    request: RestoreRequest, host: Host, listener: Listener, agreed: Callable[[RestorePlan], bool]
) -> Restored:
    """Restore a whole repository in one osrestore run, and check the restored databases.

    Args:
        request: what to restore, and where from.
        host: the machine that holds the image and will hold the databases.
        listener: gets the progress.
        agreed: called with the plan while the lock is held; returns whether the user agrees.

    Raises:
        BackupError: the restore failed; the message gives the state of everything that may have
            changed.
    """
    began = time.monotonic()
    with translated(host.name), contextlib.ExitStack() as stack:
        places, look_for_image = host.together(
            lambda: look_at_repository(request.repository, host),
            postponed(lambda: look(request.image, request.repository, host)),
        )
        repository = locate_place(request.repository, places, host, listener.note)
        looked = look_for_image()
        chosen, contents = meant(looked, host, listener.note)
        image, machine = chosen.image, looked.machine
        _check_newest(request, chosen)
        request = request.at(repository, image)
        stack.enter_context(not_removed(contents, host))
        receipt = read_receipt(contents, host)
        request.check_image_of(receipt, looked.wanted)
        chosen = check_clock(chosen, receipt, machine, host)
        check_writable({repository.directory: places[0]}, host)
        with host.lock_and_look(
            *(repository.lock, RESTORE, request.wait, listener.note),
            postponed(functools.partial(look_at_tools, request, host)),
            create=not request.dry_run,
        ) as (lock, tools):
            plan = prepare_restore(request, chosen, receipt, machine, tools(), host, listener)
            place = quarantine.quarantine_for(repository, plan.extra, host) if plan.extra else None
            refusal = refused(request, plan, place) if place else None
            texts = [*plan.warnings, *unlocked_warnings(lock, repository)]
            texts += unguarded_warnings(lock, commands.OSRESTORE)
            plan = plan._replace(warnings=tuple(texts))
            warnings = plan.warnings
            if request.dry_run:
                return Restored(plan, place, refusal, warnings, time.monotonic() - began)
            if refusal:
                raise refusal
            if not agreed(plan):
                raise Declined("The restore was not confirmed.", "Run the same command again.")
            host.cancellation.check()
            place, debt, texts = _carry_out(request, plan, place, lock, host, listener)
            warnings += (*texts, *complete(request, plan, lock, debt, host))
    return Restored(plan, place, None, warnings, time.monotonic() - began)


def _check_newest(request: RestoreRequest, chosen: Newest) -> None:
    """Refuse a ``latest`` that may not be the newest image.

    A later image without a receipt may still be proven, and hold later work. If a start in the
    future is the only doubt, a user who is asked may go on.

    Raises:
        FaultFound: the message says why.
    """
    if chosen.doubts or chosen.unproven or (chosen.future and request.unattended):
        raise FaultFound(
            f"Whether {chosen.image} is the newest image is not certain:",
            "Name the image that you want: "
            f"{request.at(request.repository, chosen.image).command()}",
            [*chosen.findings, *chosen.unproven],
        )


def _carry_out(
    request: RestoreRequest,
    plan: RestorePlan,
    place: Quarantine | None,
    lock: Lock | None,
    host: Host,
    listener: Listener,
) -> tuple[Quarantine | None, Callable[[], bytes | None], list[str]]:
    """Restore; if that fails, add the state of the databases to the error.

    Returns:
        Where extra databases are now, the `end` that a killed run owes, and warnings.
    """
    record, mark = request.repository.restore_run, request.repository.unfinished_restore
    (at_image,), earlier_run, look_before, read_mark, debt, free = host.together(
        lambda: host.stat([request.image.path]),
        postponed(lambda: read_run(record, host)),
        postponed(lambda: look_at(plan.targets, host)),
        postponed(lambda: host.read(mark)),
        finding_debt(request.repository, host),
        lambda: free_space(plan, host),
    )
    if at_image.stamp != plan.image_stamp:
        raise FaultFound(
            f"{request.image} was changed or replaced since it was checked.",
            "Find out by whom, and run the same command again.",
        )
    earlier = earlier_run()
    _check_none_at_work(request.repository, earlier, host)
    # An earlier osrestore may have ended since the databases were looked at.
    before = look_at(plan.targets, host) if earlier.is_there else look_before()
    first = is_lost = False

    def after_failure(_so_far: str) -> Left:
        unknown = _unknown(lock, host, is_lost=is_lost)
        warnings = [] if unknown else clean_up_record(record, host)
        left, untouched = state_left(before, place, host, unknown)
        if untouched and first:
            warnings += clean_up([mark], host, STOPS_BACKUPS)
        return left._replace(text="\n".join([left.text, *(f"{one}." for one in warnings)]))

    with on_failure(after_failure), translated(host.name):
        host.cancellation.check()
        if earlier.is_there:  # of a restore whose csf was killed; its osrestore has ended
            host.remove_trees([record], mine=False)
        first = read_mark() is None
        try:
            host.replace(mark, os.fsencode(request.command("-quarantine")) + b"\n")
        except OSError as error:
            first = first and isinstance(error, HalfDone)
            raise
        if place:
            # Show the directory first, so that the user can find the databases if csf is killed.
            listener.note(f"extra databases go to {shown(place.directory)}")
            try:
                quarantine.fill(place, host)
            except OSError as error:
                if error.errno != errno.EXDEV:
                    raise
                place = quarantine.inside(place, host)
                listener.note(f"extra databases go to {shown(place.directory)}")
                quarantine.fill(place, host)
        host.cancellation.check()
        try:
            with report_end_call(plan.quiesce, request.repository, record, lock, host) as ended:
                run_osrestore(request, plan, free, lock, host, listener)
        except LockBusy:
            is_lost = True
            raise
        unsynced = unsynced_warnings(_check(request, plan, before, host), "the restore", host)
    return place, debt, [*ended, *unsynced]


def _unknown(lock: Lock | None, host: Host, *, is_lost: bool) -> str:
    """Return why it is not known what was restored; empty if it is known.

    Args:
        lock: the repository's lock.
        host: the host to work on.
        is_lost: whether another command has taken the lock since the connection was cut.
    """
    if is_lost:
        return (
            "Another command has taken the repository's lock since: nothing was cleaned up, and "
            "what is in the databases now is not known. Wait until it has ended, and run the same "
            "command again."
        )
    if lock and lock.is_left:
        return (
            f"osrestore could not be ended on {host.name}, and may still run there: what it "
            "restores is not known. Wait until it has ended, or end it, and run the same command "
            "again."
        )
    return ""


def _check_none_at_work(repository: Repository, record: RunRecord, host: Host) -> None:
    """Refuse while an earlier osrestore is running; without working locks it may be.

    Args:
        repository: the repository that is to be restored.
        record: the run record of the earlier osrestore.
        host: the host to work on.

    Raises:
        LockBusy: the message says how to end it.
    """
    if is_at_work(record, host):
        group = record.leaders[0]
        raise LockBusy(
            f"An earlier osrestore (process group {group}) is still running on {host.name}, and "
            f"restores {shown(repository.master)}.",
            f"Wait until it has ended, or end it, on {host.name}: kill -- -{group}\n"
            "Then run the same command again.",
        )


def _check(
    request: RestoreRequest, plan: RestorePlan, before: Mapping[str, Stat], host: Host
) -> list[str]:
    """Fail if a database is missing, unchanged or too small after osrestore; then fsync.

    Returns:
        The directories whose file systems cannot flush names to the disk.
    """

    def check_databases() -> None:
        after, sizes = look_at(before, host), target_sizes(request, plan.receipt)
        states = compare(before, after)
        problems = restored_databases.findings(sizes, (after[path] for path in sizes))
        problems += [f"{shown(p)} was not written" for p, s in states.items() if s == "unchanged"]
        if problems:
            raise OsrestoreFailed(
                f"osrestore reported success on {host.name}, restoring {request.image}, and "
                f"{'; '.join(first(problems))}.",
                "Look into osrestore and the disk, and run the same command again.",
                {"findings": problems},
            )

    _, unsynced = host.together(check_databases, lambda: host.sync(plan.targets))
    return unsynced
