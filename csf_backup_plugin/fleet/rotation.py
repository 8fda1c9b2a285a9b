"""The rotation of a repository of a fleet, as a request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.operations.quiet.request import Quiescing
from csf_backup_plugin.operations.rotate.plan import Retention
from csf_backup_plugin.operations.rotate.request import BackupOptions, RotateRequest
from csf_backup_plugin.operations.schedule.request import EVERY

if TYPE_CHECKING:
    from csf_backup_plugin.fleet.repository import FleetRepository


def rotation_of(one: FleetRepository, host: str) -> RotateRequest:
    """Return the request for the rotation of a repository.

    Args:
        one: the repository. If its section has no `every`, a set is promised each day.
        host: the host's name on the machine that runs the rotation, such as ``localhost``.
    """
    options = BackupOptions(
        timeout=one.timeout,
        checksum=not one.no_checksum,
        require_mount=one.require_mount,
        accept_small=one.accept_small,
        quiescing=Quiescing(one.quiesce or "", is_required=one.require_quiet),
    )
    if one.wait is not None:
        options["wait"] = one.wait
    return RotateRequest(
        one.repository,
        tuple(ImagePath(host, top.path) for top in one.image_dirs),
        options,
        one.dated_day,
        retention=Retention(one.keep_dated, one.keep_monthly, one.keep_yearly),
        drill_every=one.drill_every,
        scratch=None if one.drill_every is None else one.scratch_dir,
        every=one.every or EVERY,
    )
