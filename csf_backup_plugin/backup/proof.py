"""The proof of an image: nothing counts as a backup before it has passed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import ImageUnproven
from csf_backup_plugin.listing import differences, list_findings
from csf_backup_plugin.names import shown
from csf_backup_plugin.survey import survey

if TYPE_CHECKING:
    from csf_backup_plugin.backup.preflight import Plan
    from csf_backup_plugin.backup.request import BackupRequest
    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.watcher import Watcher

_AGAIN = "Run the same command again; if it fails again, look into osbackup and the disk."


class Proof(NamedTuple):
    """What a proven image is known by.

    Attributes:
        size: the image's bytes.
        sha256: its SHA-256 in hexadecimal, or None if none was asked for.
        unsynced: its directory, if the file system of that cannot bring names to the disk.
    """

    size: int
    sha256: str | None
    unsynced: tuple[str, ...] = ()


def prove(
    request: BackupRequest, plan: Plan, timeout: float, host: Host, watcher: Watcher
) -> Proof:
    """Prove that the image holds exactly the databases it should.

    Args:
        request: what was asked for.
        plan: what was backed up.
        timeout: how long osrestore may take to list the image, in seconds.
        host: where the image is.
        watcher: told how far the checksum is.

    Raises:
        ImageUnproven: something does not agree; the message says what.
        TimedOut: osrestore did not end.
    """
    image = request.image
    (facts,) = host.look([image.path])
    if facts.kind != "file" or not facts.size:
        raise _unproven(request, "osbackup reported success and left no image, or an empty one.")
    unsynced = tuple(host.sync([image.path]))
    if host.read(image.import_file) != plan.import_file:
        raise _unproven(request, f"its import file {shown(image.import_file)} has changed.")
    expected = {*plan.found.coverage.paths}
    if problems := list_findings(image, plan.osrestore, expected, host, timeout):
        raise _unproven(request, "; ".join(problems))
    now = survey(request.repository, host, plan.standing.adopted)
    # A class that is being created in another repository of the directory is not listed yet.
    there = {*now.coverage.paths}.difference(now.ambiguous)
    if problems := differences(expected, there, "directory"):
        raise _unproven(request, "; ".join(problems))
    if not request.checksum:
        return Proof(facts.size, None, unsynced)
    size, sha256 = host.digest(
        image.path, lambda done: watcher.advance("checking", done, facts.size)
    )
    if size != facts.size:
        raise _unproven(request, "it is still being written, although osbackup has ended.")
    return Proof(size, sha256, unsynced)


def _unproven(request: BackupRequest, problem: str) -> ImageUnproven:
    what = f"The image {request.image} failed its proof: {problem}"
    return ImageUnproven(what if "\n" in problem else what.removesuffix(".") + ".", _AGAIN)
