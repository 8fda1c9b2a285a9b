"""A schedule: what cron or systemd is to run so that there are backups; nothing is installed.

The host of the images may be another one: csf runs here, and so does the schedule.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.hosts import is_this_machine
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.rotate.site import look_at_site
from csf_backup_plugin.operations.schedule import when
from csf_backup_plugin.operations.schedule.cron import crontab
from csf_backup_plugin.operations.schedule.naming import digest_of, name_of
from csf_backup_plugin.operations.schedule.request import CRON, SYSTEMD
from csf_backup_plugin.operations.schedule.systemd import units
from csf_backup_plugin.operations.schedule.timetable import timetable
from csf_backup_plugin.system_errors import translated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.operations.rotate.request import RotateRequest
    from csf_backup_plugin.operations.rotate.site import Site
    from csf_backup_plugin.operations.schedule.request import ScheduleRequest
    from csf_backup_plugin.operations.schedule.surroundings import Surroundings
    from csf_backup_plugin.operations.schedule.timetable import Timetable
    from csf_backup_plugin.operations.schedule.when import Time
    from csf_backup_plugin.progress_listener import Listener

_NO_DRILL = (
    "no drill is scheduled, and only a drill shows that an image can be restored: give "
    "-drill-every 7d -scratch-dir DIR"
)


class File(NamedTuple):
    """A file of a schedule.

    Attributes:
        path: where it belongs; empty for lines of a user's own crontab.
        text: its contents.
    """

    path: str
    text: str


class Schedule(NamedTuple):
    """A schedule, to be installed by who has asked for it.

    Attributes:
        files: what it consists of.
        at: when the rotation begins.
        warnings: what the user should know.
        next_step: how to install it.
    """

    files: Sequence[File]
    at: Time
    warnings: Sequence[str]
    next_step: str


def schedule(
    request: ScheduleRequest, host: Host, here: Surroundings, listener: Listener
) -> Schedule:
    """Return a schedule, and change nothing.

    Args:
        request: what it is to hold.
        host: the machine that holds the databases and all images.
        here: what csf finds where it is called, and where the schedule is to run.
        listener: told of a path that is another one than was named.

    Raises:
        RepositoryNotFound: there is no such master database.
        UsageError: the schedule cannot be written in this form.
    """
    with translated(host.name):
        site = look_at_site(request.rotation, host, listener)
        on_mounts, unmounted = _mounts(request, site, host)
    digest = digest_of(site.request, here.machine)
    at = when.Time(*request.at) if request.at else when.chosen(digest)
    name = name_of(site.request.repository, digest)
    plan = timetable(request, name, at, require_mount=on_mounts)
    files, unread = _files(request, plan, here)
    warnings = [*_warnings(request, site, here), *unmounted, *when.warnings(at), *unread]
    return Schedule(files, at, warnings, _next_step(files))


def _mounts(request: ScheduleRequest, site: Site, host: Host) -> tuple[bool, list[str]]:
    """Return whether to require mounts, as rotate would see it now; warn of what would not pass."""
    (at_root,) = host.look(["/"])
    on_root = [top for top, at in site.at.items() if at.device == at_root.device]
    is_asked = request.rotation.options.get("require_mount", False)
    without = "would be refused now" if is_asked else "the schedule is without -require-mount"
    told = [
        f"{top.host}:{shown(top.directory)} is on the file system of /: {without}"
        for top in on_root
    ]
    return is_asked or not (on_root or site.problems), told


def _files(
    request: ScheduleRequest, plan: Timetable, here: Surroundings
) -> tuple[list[File], list[str]]:
    """Return the files, and warnings of what cron may not read."""
    if request.form == SYSTEMD:
        return [File(*unit) for unit in units(plan, here, _written(request.rotation))], []
    path = "" if request.form == CRON else f"/etc/cron.d/{plan.name}"
    text, warnings = crontab(plan, here, path)
    return [File(path, text)], warnings


def _written(rotation: RotateRequest) -> list[str]:
    """Return the directories of this machine that a rotation writes to, as far as is known."""
    if not is_this_machine(rotation.host):
        return []
    own = [rotation.repository.directory, *(top.directory for top in rotation.tops)]
    return [*own, rotation.scratch] if rotation.scratch else own


def _next_step(files: Sequence[File]) -> str:
    """Return how to install a schedule."""
    timers = [posixpath.basename(one.path) for one in files if one.path.endswith(".timer")]
    if timers:
        return (
            "save each part as the file that its first line names, then: systemctl daemon-reload "
            f"&& systemctl enable --now {' '.join(timers)}"
        )
    path = files[0].path
    return f"save it as {path}, owned by root" if path else "add the lines with: crontab -e"


def _warnings(request: ScheduleRequest, site: Site, here: Surroundings) -> list[str]:
    """Return what is not as it should be when the schedule runs."""
    told = [f"{top.host}:{shown(top.directory)} {why}" for top, why in site.problems.items()]
    if request.rotation.drill_every is None:
        told.append(_NO_DRILL)
    if not here.mailer:
        told.append(
            "no mail would be sent: there is no sendmail in /usr/sbin, in /usr/lib, or on PATH"
        )
    return told
