"""A drill: restore an image to a scratch directory, to show that it can be restored.

The repository is neither locked nor touched: osrestore gets pairs of pathnames, and restores every
database to another place.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.advised_commands import verify_command
from csf_backup_plugin.errors import BackupError, FaultFound
from csf_backup_plugin.image.latest import check_clock
from csf_backup_plugin.image.meant import look, meant
from csf_backup_plugin.image.read_lock import not_removed
from csf_backup_plugin.image.receipt_file import read_receipt
from csf_backup_plugin.image.verification import findings
from csf_backup_plugin.image.wanted_repository import check_image_of
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore import commands
from csf_backup_plugin.operations import database_directories
from csf_backup_plugin.operations.aftermath import Left, on_failure
from csf_backup_plugin.operations.drill.leftovers import Leftovers
from csf_backup_plugin.operations.drill.preflight import (
    Plan,
    check_room,
    look_at_places,
    prepare,
)
from csf_backup_plugin.operations.drill.record import Record
from csf_backup_plugin.operations.drill.scratch import scratch
from csf_backup_plugin.operations.drill.trial import Trial, restore_for_trial
from csf_backup_plugin.operations.recovery_card import write_cards
from csf_backup_plugin.system_errors import translated

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.drill.request import DrillRequest
    from csf_backup_plugin.progress_listener import Listener


class Drill(NamedTuple):
    """A drill that succeeded.

    Attributes:
        plan: what was restored, and with what.
        trial: the size of the restored databases, and osrestore's time.
        warnings: what the user should know although the drill succeeded.
        seconds: how long it took.
    """

    plan: Plan
    trial: Trial
    warnings: tuple[str, ...]
    seconds: float


def drill(request: DrillRequest, host: Host, listener: Listener) -> Drill:
    """Restore an image to a scratch directory, check the result, and record it.

    Args:
        request: which image to restore, and where to.
        host: the host of the image and of the scratch directory.
        listener: gets the progress.

    Raises:
        FaultFound: something is wrong with the image or with the restored databases; the message
            lists everything that was found.
        BackupError: the drill could not be carried out.
    """
    began = time.monotonic()
    with translated(host.name):
        looked, find_osrestore, find_osverifydb = host.together(
            lambda: look(request.image, request.repository, host),
            commands.finding(commands.OSRESTORE, host),
            commands.finding(commands.OSVERIFYDB, host),
        )
        chosen, contents = meant(looked, host, listener.note)
    image, machine = chosen.image, looked.machine
    leftovers = Leftovers(request.directory, machine.name, host)
    earlier = on_failure(lambda so_far: _naming_earlier_record(so_far, image, host))
    kept = not_removed(contents, host)
    with earlier, on_failure(leftovers.left), translated(host.name), kept:
        stamp = contents.at().stamp
        receipt = read_receipt(contents, host)
        check_image_of(looked.wanted, image, receipt)
        if not request.is_one_of_many:
            chosen = check_clock(chosen, receipt, machine, host)
        at_scratch, entries = look_at_places(image, receipt, request.directory, host)
        plan = prepare(image, receipt, find_osrestore, find_osverifydb)
        leftovers.clear(entries())
        if leftovers.changed:
            (at_scratch,) = host.look([request.directory])
        check_room(plan, request.directory, at_scratch)
        more = f"Find out more: {verify_command(request.image.name, receipt.master)}"
        problems = findings(contents, receipt, None, host, listener)
        if chosen.findings and not problems:
            what = f"Whether {image} is the newest image is not certain:"
            raise FaultFound(what, more, chosen.findings)
        record = Record(plan, machine.now, host)
        with record.of_failure():
            if problems:
                found = [*problems, *chosen.findings]
                raise FaultFound(f"{image} is not as its backup left it:", more, found)
            host.cancellation.check()
            homes = database_directories.directories(receipt.databases)
            with scratch(request.directory, image, homes, machine.name, host) as place:
                trial = restore_for_trial(plan, place, at_scratch.free, host, listener)
        with on_failure(place.left), translated(host.name):
            if host.stat([image.path])[0].stamp != stamp:
                raise FaultFound(
                    f"{image} was changed or replaced during the drill.",
                    "Run the same command again.",
                )
            record.success(trial, place.path)
        cards = write_cards([image], host)
    left = [place.kept] if place.kept else []
    warnings = (*chosen.warnings, *plan.warnings, *leftovers.warnings, *left, *cards)
    return Drill(plan, trial, warnings, time.monotonic() - began)


def _naming_earlier_record(so_far: str, image: ImagePath, host: Host) -> Left:
    """Return what a failed drill has left; name the record of an earlier drill, which is kept."""
    if shown(image.drill) in so_far:  # this drill's record has replaced it
        return Left(so_far)
    with contextlib.suppress(OSError, BackupError):
        if host.stat([image.drill])[0].kind == "file":
            return Left(f"{so_far} {shown(image.drill)}, of an earlier drill, is as it was.")
    return Left(so_far)
