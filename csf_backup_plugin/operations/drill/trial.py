"""Restore an image to a scratch directory, and check the result."""

from __future__ import annotations

import contextlib
import functools
import posixpath
import time
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.advised_commands import verify_command
from csf_backup_plugin.errors import HostUnreachable, NotRestorable, TimedOut
from csf_backup_plugin.names import is_inside, listed, shown
from csf_backup_plugin.objectstore import commands
from csf_backup_plugin.objectstore.program_end import described
from csf_backup_plugin.objectstore.room_and_time import default_timeout
from csf_backup_plugin.objectstore.runner import Utility, run
from csf_backup_plugin.operations import database_directories, restored_databases

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Completed, Facts, Stat
    from csf_backup_plugin.objectstore.runner import Watch
    from csf_backup_plugin.operations.drill.preflight import Plan
    from csf_backup_plugin.operations.drill.scratch import Scratch
    from csf_backup_plugin.progress_listener import Listener


class Trial(NamedTuple):
    """A successful trial restore.

    Attributes:
        size: the databases' size in bytes.
        seconds: how long osrestore took.
    """

    size: int
    seconds: float


def restore_for_trial(
    plan: Plan, place: Scratch, free: int, host: Host, listener: Listener
) -> Trial:
    """Restore all databases of an image to a scratch directory, and check each.

    Args:
        plan: what to restore, and with what.
        place: the scratch directory, with subdirectories for the databases.
        free: the bytes that were free there before osrestore.
        host: the host to work on.
        listener: gets the progress.

    Raises:
        NotRestorable: osrestore failed, or the restored databases differ from the receipt.
        TimedOut: a utility did not end in time.
    """
    databases = plan.receipt.databases
    began = time.monotonic()
    completed = _run_osrestore(plan, place, free, host, listener)
    seconds = time.monotonic() - began
    if completed.status:
        raise _failed(plan, [f"osrestore failed: {described(completed)}"])
    targets = {place.place(path): size for path, size in plan.receipt.sizes.items()}
    sizes, led, looked = host.together(
        lambda: _sizes(plan, place, host),
        lambda: host.look([place.path, *_homes(plan, place)]),
        lambda: host.stat([*databases, *targets]),
    )
    originals, copies = looked[: len(databases)], looked[len(databases) :]
    pairs = zip(databases, originals, targets, copies, strict=True)
    findings = [*_outside_scratch(led), *(text for pair in pairs if (text := _why_no_copy(*pair)))]
    findings = findings or restored_databases.findings(targets, copies)
    if findings:
        raise _failed(plan, findings)  # osverifydb must not open databases outside the directory
    findings = [f"{shown(path)} was not to be restored" for path in sorted({*sizes} - {*targets})]
    there = {path: size for path, size in sizes.items() if path in targets}
    findings += _verify_each(plan, there, host, listener)
    if findings:
        raise _failed(plan, findings)
    return Trial(sum(sizes.values()), seconds)


def _homes(plan: Plan, place: Scratch) -> list[str]:
    """Return the directories that databases are restored to."""
    return [place.place(path) for path in database_directories.directories(plan.receipt.databases)]


def _outside_scratch(led: Sequence[Facts]) -> list[str]:
    """Return faults: directories outside the scratch directory, where live databases may be.

    Args:
        led: the facts on the scratch directory, and on the directories that databases were restored
            to.
    """
    top, *homes = led
    return [
        f"{shown(at.resolved)}, where databases were restored to, is not in the scratch directory"
        for at in homes
        if not is_inside(at.resolved, top.resolved)
    ]


def _why_no_copy(source: str, at: Stat, target: str, copy: Stat) -> str:
    """Return why a restored database is not a separate file; empty if it is."""
    if copy.link:
        return f"{shown(target)} is a symbolic link, and no database"
    if copy.stamp and (copy.device, copy.stamp) == (at.device, at.stamp):
        return f"{shown(target)} is {shown(source)} itself, by a hard link"
    return ""


def _run_osrestore(
    plan: Plan, place: Scratch, free: int, host: Host, listener: Listener
) -> Completed:
    pairs = [
        (source, place.place(source.rstrip("/")))
        for source in database_directories.outermost(plan.receipt.databases)
    ]
    osrestore = Utility(
        commands.OSRESTORE,
        commands.restore(plan.osrestore, plan.image.path, pairs),
        place.path,
        place.lock,
        place.record,
        default_timeout(plan.size),
        "Look at the disks of image and scratch directory, and run the same command again.",
    )
    return run(osrestore, host, lambda: _watch(plan, place, free, host, listener))


def _watch(plan: Plan, place: Scratch, free: int, host: Host, listener: Listener) -> Watch:
    """Return a function that shows osrestore's progress by the disk space that it has used."""

    def show(completed: Completed | None, _size: int) -> None:
        if completed is None:
            with contextlib.suppress(HostUnreachable):  # the next look may succeed
                gone = free - host.look([place.path])[0].free
                listener.advance("restoring", max(gone, 0), plan.size)
        elif completed.status == 0:
            listener.advance("restoring", plan.size, plan.size)

    return show


def _sizes(plan: Plan, place: Scratch, host: Host) -> dict[str, int]:
    """Return the size of every file in the directories that databases were restored to."""
    homes = _homes(plan, place)
    found = host.together(*(functools.partial(host.list_directory, path) for path in homes))
    return {
        posixpath.join(directory, entry.name): entry.size
        for directory, entries in zip(homes, found, strict=True)
        for entry in entries
        if entry.kind != "directory"
    }


def _verify_each(plan: Plan, sizes: Mapping[str, int], host: Host, listener: Listener) -> list[str]:
    """Return what osverifydb finds in restored databases; nothing if there is no osverifydb."""
    if plan.osverifydb is None:
        return []
    timeout, total = default_timeout(plan.size), sum(sizes.values())
    argv, findings, done = commands.verify_database(plan.osverifydb), [], 0
    try:
        ended = host.run_each(argv, sizes, timeout)
        for (path, size), completed in zip(sizes.items(), ended, strict=True):
            done += size
            listener.advance("verifying", done, total)
            if completed.status:
                findings.append(f"osverifydb {shown(path)}: {described(completed)}")
            elif faults := commands.faults(completed.output):
                findings.append(f"osverifydb {shown(path)}: exit 0, and printed: {listed(faults)}")
    except TimeoutError:
        raise TimedOut(
            f"osverifydb did not end within {timeout:,.0f} s on {host.name}.",
            "Look at the scratch directory's disk, and run the same command again.",
        ) from None
    return findings


def _failed(plan: Plan, findings: list[str]) -> NotRestorable:
    return NotRestorable(
        f"{plan.image} could not be restored whole:",
        "If the scratch directory is to blame, fix that, and run the same command again. "
        "Otherwise make a new backup, and drill an older image too. Whether the image has changed: "
        + verify_command(plan.image.name),
        findings,
    )
