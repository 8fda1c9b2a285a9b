"""A drill: an image restored to a scratch directory, to see that it can be.

The repository is neither locked nor touched: osrestore is told, by pairs of pathnames, to put every
database elsewhere.
"""

from __future__ import annotations

import contextlib
import posixpath
import time
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin import __version__, interrupts, moments, receipt
from csf_backup_plugin.agreement import findings
from csf_backup_plugin.drill.check import Plan, check_room, prepare
from csf_backup_plugin.drill.leftovers import Leftovers
from csf_backup_plugin.drill.scratch import scratch
from csf_backup_plugin.drill.trial import Trial, restore_for_trial
from csf_backup_plugin.errors import BackupError, FaultFound, translated
from csf_backup_plugin.names import command, shown
from csf_backup_plugin.newest import check_clock, choose
from csf_backup_plugin.proven import read_receipt
from csf_backup_plugin.wanted import check_image_of, wanted_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.drill.request import DrillRequest
    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.image_path import ImagePath
    from csf_backup_plugin.proven import Proven
    from csf_backup_plugin.watcher import Watcher


class Drill(NamedTuple):
    """A drill that went well.

    Attributes:
        plan: what was restored, and with what.
        trial: what came of it.
        warnings: what the user should know all the same.
        seconds: how long all of it took.
    """

    plan: Plan
    trial: Trial
    warnings: tuple[str, ...]
    seconds: float


def drill(request: DrillRequest, host: Host, watcher: Watcher) -> Drill:
    """Restore an image to a directory of the drill's own, check what came, and record it.

    Args:
        request: which image, and where to.
        host: where both are.
        watcher: told how far it is.

    Raises:
        FaultFound: the image, or what was restored of it, is at fault; it names all that was found.
        BackupError: the drill could not be made.
    """
    began = time.monotonic()
    with translated(host.name):
        machine = host.machine()
        wanted = wanted_at(request.repository, host) if request.repository else None
        chosen = choose(request.image, wanted, machine, host, watcher.note)
    image = chosen.image
    leftovers = Leftovers(request.directory, machine.name, host)
    with _earlier_record_told(image, host), leftovers.told(), translated(host.name):
        stamp = host.look([image.path])[0].stamp
        proven = read_receipt(image, host)
        check_image_of(wanted, image, proven)
        chosen = check_clock(chosen, proven, machine, host)
        plan = prepare(image, proven, request.directory, host)
        leftovers.clear()
        check_room(plan, request.directory, host)
        problems = findings(image, proven, None, host, watcher)
        if problems or chosen.findings:
            raise FaultFound(
                f"{image} is not as its backup left it:"
                if problems
                else f"Whether {image} is the newest image is not certain:",
                f"Find out more: {_verify_command(request, proven)}",
                [*problems, *chosen.findings],
            )
        interrupts.check()
        with scratch(request.directory, image, machine.name, host) as place:
            trial = restore_for_trial(plan, place, host, watcher)
        with place.told(), translated(host.name):
            if host.look([image.path])[0].stamp != stamp:
                raise FaultFound(
                    f"{image} was changed or replaced during the drill.",
                    "Run the same command again.",
                )
            facts = _facts(plan, trial, place.path, machine.now, time.monotonic() - began)
            host.replace(image.drill, receipt.encode(facts, receipt.DRILL))
    left = [place.left] if place.left else []
    warnings = (*chosen.warnings, *plan.warnings, *leftovers.warnings, *left)
    return Drill(plan, trial, warnings, time.monotonic() - began)


def _verify_command(request: DrillRequest, proven: Proven) -> str:
    """Return the command that verifies the image that was named, be it ``latest``."""
    words = ("-image-file", request.image.name, "-database", proven.master)
    return command("csf", "admin_database_verify", *words)


@contextlib.contextmanager
def _earlier_record_told(image: ImagePath, host: Host) -> Iterator[None]:
    """Say, if the block fails, that the record of an earlier drill is as it was."""
    try:
        yield
    except BackupError as error:
        with contextlib.suppress(OSError, BackupError):
            if host.look([image.drill])[0].kind == "file":
                error.left += f" {shown(image.drill)}, of an earlier drill, is as it was."
        raise


def _facts(plan: Plan, trial: Trial, place: str, started: str, seconds: float) -> dict[str, object]:
    """Return what the record says; `backup_started` ties it to one image, whatever its name."""
    return {
        "producer": f"csf-backup-plugin {__version__}",
        "host": plan.image.host,
        "image": plan.image.path,
        "image_bytes": plan.proven.size,
        "image_sha256": plan.proven.sha256,
        "backup_started": plan.proven.started,
        "repository_id": plan.proven.origin.id,
        "number": plan.proven.origin.number,
        "scratch": posixpath.dirname(place),
        "databases": len(plan.proven.databases),
        "bytes": trial.size,
        "seconds": round(trial.seconds, 3),
        "osverifydb": plan.osverifydb,
        "started": started,
        "finished": moments.later(started, seconds),
    }
