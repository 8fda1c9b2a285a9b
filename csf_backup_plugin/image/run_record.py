"""How osbackup ran, from the directory PATH.run beside its image, also if csf was killed.

The host keeps that record (see `hosts.guardian`). Nothing in it is changed here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin import timestamps
from csf_backup_plugin.hosts import guardian
from csf_backup_plugin.hosts.common import as_wait_status
from csf_backup_plugin.hosts.protocol.values import Completed
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore.program_end import described
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.path import ImagePath

_BOOT = "/proc/sys/kernel/random/boot_id"
_ENDED_WELL = "0"
_LONGEST = 200  # bytes that are read of each file
_STATUS, _PROCESS = re.compile("[0-9]{1,3}"), re.compile("[0-9]{1,9}")


# If csf was killed, the image may never have been flushed to the disk.
_REBOOTED = (
    "osbackup succeeded, and the machine was rebooted since: whether the whole image had reached "
    "the disk by then is not known"
)


class RunRecord(NamedTuple):
    """What a run record says about osbackup.

    Attributes:
        problem: why it is not known to have succeeded; empty if it has succeeded, or may be
            running.
        running: the recorded process group, in words, while no end is recorded; empty otherwise.
        leaders: osbackup's process and that of its guardian, which records the end; empty if they
            are not known.
        started: when osbackup was started, in ISO 8601; None if that is not recorded.
        is_there: whether anything exists at the record's path.
    """

    problem: str = ""
    running: str = ""
    leaders: tuple[str, ...] = ()
    started: str | None = None
    is_there: bool = True


def read_record(image: ImagePath, host: Host) -> RunRecord:
    """Return what the run record beside an image says."""
    return read_run(image.run, host)


def read_run(path: str, host: Host) -> RunRecord:
    """Return what a run record says about osbackup."""
    (at,) = host.stat([path])
    if at.kind == "missing":
        problem = f"how osbackup ended was not recorded: there is no {shown(path)}"
        return RunRecord(problem, is_there=False)
    if at.kind != "directory" or at.link:
        return RunRecord(f"how osbackup ended is not known: {shown(path)} is not a directory")
    names = ("status", "started", "pid", "output")
    found = host.read_each([*(f"{path}/{name}" for name in names), _BOOT])
    if isinstance(error := found[0], OSError):
        status = f"{shown(path)}/status"
        return RunRecord(f"how osbackup ended is not known: {status}: {reason(error)}")
    status, started, pid, _, boot = map(_text, found)
    record = RunRecord(started=timestamps.read(started))
    if status == _ENDED_WELL:
        return record._replace(problem=_REBOOTED) if _is_of_another_boot(pid, boot) else record
    if status == guardian.RUNNING:
        return _while_running(record, path, pid, boot)
    if status == guardian.NOT_QUIET:
        return record._replace(problem="osbackup was not run: the repository was not quiet")
    if status == guardian.UNRUN:
        return record._replace(problem="osbackup could not be executed")
    if not _STATUS.fullmatch(status):
        return record._replace(problem=_did_not_live(path))
    return record._replace(problem=_failed(status, found[3]))


def _while_running(record: RunRecord, path: str, pid: str, boot: str) -> RunRecord:
    """Return what is known of an osbackup without a recorded end."""
    leader, _booted, *other = [*pid.split(), "", ""][:3]
    if not _PROCESS.fullmatch(leader):
        return record._replace(problem=_did_not_live(path))
    if _is_of_another_boot(pid, boot):
        return record._replace(problem=f"{_did_not_live(path)}: the machine was rebooted meanwhile")
    since = f", started {record.started}" if record.started else ""
    running = f"osbackup (process group {leader}{since})"
    return record._replace(running=running, leaders=(leader, *filter(_PROCESS.fullmatch, other)))


def _is_of_another_boot(pid: str, boot: str) -> bool:
    """Tell whether the machine is known to have been rebooted since."""
    booted = [*pid.split(), "", ""][1]
    return bool(booted and boot) and booted != boot


def is_at_work(record: RunRecord, host: Host) -> bool:
    """Tell whether osbackup runs, or the guardian that is to record its end.

    Each leads a session of its own. Another process that has the same number by chance hardly ever
    does.
    """
    if not record.leaders:
        return False
    stats = host.read_each(f"/proc/{leader}/stat" for leader in record.leaders)
    return any(map(_leads, record.leaders, map(_text, stats)))


def _leads(leader: str, stat: str) -> bool:
    state, *numbers = stat.rpartition(")")[2].split()[:4] or [""]
    return numbers[1:] == [leader] * 2 and state != "Z"


def problem_if_ended(record: RunRecord, image: ImagePath) -> str:
    """Return why osbackup, which no longer runs, is not known to have succeeded."""
    return _did_not_live(image.run) if record.running else record.problem


def _did_not_live(path: str) -> str:
    return f"osbackup ended without recording its exit status in {shown(path)}"


def _failed(status: str, output: bytes | OSError | None) -> str:
    said = output.rstrip(b"\0") if isinstance(output, bytes) else b""  # reserved space
    return f"osbackup failed: {described(Completed(as_wait_status(int(status)), said))}"


def _text(found: bytes | OSError | None) -> str:
    return found[:_LONGEST].decode(errors="replace").strip() if isinstance(found, bytes) else ""
