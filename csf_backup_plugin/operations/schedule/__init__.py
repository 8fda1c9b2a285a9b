"""Print a schedule of backups for cron or systemd; it is not installed.

The schedule runs csf on this machine, even if the databases and images are on another host.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.hosts.connect import is_this_machine
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

    from csf_backup_plugin.hosts.protocol.host import Host
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
_NO_MAILER = "no mail would be sent: there is no sendmail in /usr/sbin, in /usr/lib, or on PATH"


class File(NamedTuple):
    """A file of a schedule.

    Attributes:
        path: where to install it; empty for lines of a user's own crontab.
        text: its contents.
    """

    path: str
    text: str


class Schedule(NamedTuple):
    """A schedule, to be installed by the user.

    Attributes:
        files: the files of the schedule.
        at: when the rotation begins; None if there are several rotations.
        warnings: what the user should know.
        next_step: how to install it.
    """

    files: Sequence[File]
    at: Time | None
    warnings: Sequence[str]
    next_step: str


class Planned(NamedTuple):
    """A schedule before it is written as files.

    Attributes:
        plan: what runs when.
        warnings: what the user should know about the schedule.
        written: the known directories of this machine that a rotation writes to.
    """

    plan: Timetable
    warnings: Sequence[str]
    written: Sequence[str] = ()


def schedule(
    request: ScheduleRequest, host: Host, here: Surroundings, listener: Listener
) -> Schedule:
    """Return a schedule, and change nothing.

    Args:
        request: what the schedule contains.
        host: the machine that holds the databases and all images.
        here: the surroundings of csf, in which the schedule runs, too.
        listener: gets a note if a path resolves to another one.

    Raises:
        RepositoryNotFound: there is no such master database.
        UsageError: the schedule cannot be written in this form.
    """
    return written([planned(request, host, here, listener)], request.form, here)


def planned(
    request: ScheduleRequest, host: Host, here: Surroundings, listener: Listener
) -> Planned:
    """Return what runs when; arguments and errors are those of `schedule`."""
    with translated(host.name):
        site = look_at_site(request.rotation, host, listener)
        on_mounts, unmounted = _mounts(request, site, host)
    master = site.request.repository.master
    digest = digest_of(f"{request.rotation.host}:{master}", here.machine)
    at = when.Time(*request.at) if request.at else when.chosen(digest)
    plan = timetable(request, name_of(master, digest), at, require_mount=on_mounts)
    warnings = [*_warnings(request, site), *unmounted, *when.warnings(at)]
    return Planned(plan, warnings, _written(request.rotation))


def written(several: Sequence[Planned], form: str, here: Surroundings) -> Schedule:
    """Write schedules as files; for a user's own crontab, all in one file.

    Args:
        several: the schedules, at least one.
        form: the form, as in a request.
        here: as for `schedule`.

    Raises:
        UsageError: a schedule cannot be written in this form.
    """
    files, unread = _files(several, form, here)
    warnings = [] if here.mailer else [_NO_MAILER]
    warnings += [text for one in several for text in one.warnings]
    at = several[0].plan.rotate.at if len(several) == 1 else None
    return Schedule(files, at, [*warnings, *unread], _next_step(files))


def _mounts(request: ScheduleRequest, site: Site, host: Host) -> tuple[bool, list[str]]:
    """Return whether a rotation would accept -require-mount now, and warnings if it would not."""
    (at_root,) = host.look(["/"])
    on_root = [top for top, at in site.at.items() if at.device == at_root.device]
    is_asked = request.rotation.options.get("require_mount", False)
    without = "would be refused now" if is_asked else "the schedule is without -require-mount"
    warnings = [
        f"{top.host}:{shown(top.directory)} is on the file system of /: {without}"
        for top in on_root
    ]
    return is_asked or not (on_root or site.problems), warnings


def _files(
    several: Sequence[Planned], form: str, here: Surroundings
) -> tuple[list[File], list[str]]:
    """Return the files, and warnings about lines that cron may not read."""
    if form == SYSTEMD:
        found = (unit for one in several for unit in units(one.plan, here, one.written))
        return [File(*unit) for unit in dict(found).items()], []
    if form == CRON:
        text, unread = crontab([one.plan for one in several], here)
        return [File("", text)], unread
    files, unread = list[File](), list[str]()
    for one in several:
        path = f"/etc/cron.d/{one.plan.name}"
        text, warnings = crontab([one.plan], here, path)
        files.append(File(path, text))
        unread += warnings
    return files, unread


def _written(rotation: RotateRequest) -> list[str]:
    """Return the known directories of this machine that a rotation writes to."""
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
    if len(files) > 1:
        return "save each part as the file that its first line names, owned by root"
    path = files[0].path
    return f"save it as {path}, owned by root" if path else "add the lines with: crontab -e"


def _warnings(request: ScheduleRequest, site: Site) -> list[str]:
    """Return the warnings about directories that cannot be used, and about missing drills."""
    warnings = [f"{top.host}:{shown(top.directory)} {why}" for top, why in site.problems.items()]
    if request.rotation.drill_every is None:
        warnings.append(_NO_DRILL)
    return warnings
