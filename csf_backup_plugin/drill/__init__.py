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
from csf_backup_plugin.drill.check import Plan, prepare
from csf_backup_plugin.drill.scratch import scratch
from csf_backup_plugin.drill.trial import Trial, restore_for_trial
from csf_backup_plugin.errors import BackupError, FaultFound, translated
from csf_backup_plugin.latest import resolve
from csf_backup_plugin.names import shown
from csf_backup_plugin.proven import read_receipt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.drill.request import DrillRequest
    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.image_path import ImagePath
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
    began, started = time.monotonic(), moments.now()
    with translated(host.name):
        image = resolve(request.image, host, watcher.note)
    with _earlier_record_told(image, host), translated(host.name):
        stamp = host.look([image.path])[0].stamp
        plan = prepare(image, read_receipt(image, host), request.directory, host)
        if found := findings(image, plan.proven, None, host, watcher):
            raise FaultFound(
                f"{image} is not as its backup left it:",
                f"Find out more: {image.command('admin_database_verify')}",
                found,
            )
        interrupts.check()
        with scratch(request.directory, image, host) as place:
            trial = restore_for_trial(plan, place, host, watcher)
        if host.look([image.path])[0].stamp != stamp:
            raise FaultFound(
                f"{image} was changed or replaced during the drill.", "Run the same command again."
            )
        host.replace(image.drill, receipt.encode(_facts(plan, trial, place.path, started)))
    warnings = (*plan.warnings, *([place.left] if place.left else []))
    return Drill(plan, trial, warnings, time.monotonic() - began)


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


def _facts(plan: Plan, trial: Trial, place: str, started: str) -> dict[str, object]:
    """Return what the record says; `backup_started` ties it to one image, whatever its name."""
    return {
        "producer": f"csf-backup-plugin {__version__}",
        "host": plan.image.host,
        "image": plan.image.path,
        "image_bytes": plan.proven.size,
        "image_sha256": plan.proven.sha256,
        "backup_started": plan.proven.started,
        "scratch": posixpath.dirname(place),
        "databases": len(plan.proven.databases),
        "bytes": trial.size,
        "seconds": round(trial.seconds, 3),
        "osverifydb": plan.osverifydb,
        "started": started,
        "finished": moments.now(),
    }
