"""The proof of an image: nothing counts as a backup before it has passed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import ImageUnproven
from csf_backup_plugin.image.listed_databases import differences, list_findings
from csf_backup_plugin.names import first, shown
from csf_backup_plugin.operations.backup.database_sizes import Sizes, is_too_small, look
from csf_backup_plugin.repository.inventory import read_inventory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from csf_backup_plugin.hosts.protocol import Host, Stat
    from csf_backup_plugin.operations.backup.preflight import Plan
    from csf_backup_plugin.operations.backup.request import BackupRequest
    from csf_backup_plugin.progress_listener import Listener

_AGAIN = "Run the same command again; if it fails again, look into osbackup and the disk."
_ACCEPT = (
    "Look into osbackup. If its images are always as small as that, since it compresses or leaves "
    "out what is empty, add -accept-small."
)


class Proof(NamedTuple):
    """What a proven image is known by.

    Attributes:
        size: the image's bytes.
        sha256: its SHA-256 in hexadecimal, or None if none was asked for.
        sizes: the databases', before and after.
        unsynced: its directory, if the file system of that cannot bring names to the disk.
    """

    size: int
    sha256: str | None
    sizes: Sizes
    unsynced: tuple[str, ...] = ()


def prove(
    request: BackupRequest,
    plan: Plan,
    before: Mapping[str, Stat],
    timeout: float,
    host: Host,
    listener: Listener,
) -> Proof:
    """Prove that the image holds exactly the databases it should.

    Args:
        request: what was asked for.
        plan: what was backed up.
        before: what stood at the path of each database before osbackup was started.
        timeout: how long osrestore may take to list the image, in seconds.
        host: where the image is.
        listener: told how far the checksum is.

    Raises:
        ImageUnproven: something does not agree; the message says what.
        TimedOut: osrestore did not end.
    """
    image = request.image
    (at,) = host.stat([image.path])
    if at.kind != "file" or not at.size:
        raise _unproven(request, "osbackup reported success and left no image, or an empty one.")
    unsynced = tuple(host.sync([image.path]))
    if host.read(image.import_file) != plan.import_file:
        raise _unproven(request, f"its import file {shown(image.import_file)} has changed.")
    expected = {*plan.found.coverage.paths}
    if problems := list_findings(image, plan.osrestore, expected, host, timeout):
        raise _unproven(request, "; ".join(first(problems)), problems)
    now = read_inventory(request.repository, host, plan.standing.adopted)
    # A class that is being created in another repository of the directory is not listed yet.
    there = {*now.coverage.paths}.difference(now.ambiguous)
    if problems := differences(expected, there, "directory"):
        raise _unproven(request, "; ".join(first(problems)), problems)
    sizes = Sizes(before, look(before, host))
    if is_too_small(at.size, sizes.held) and not request.accept_small:
        raise ImageUnproven(
            f"The image {request.image} failed its proof: it has {at.size:,} bytes, far too few "
            f"for databases that take up {sizes.held:,} on the disk.",
            _ACCEPT,
        )
    if not request.checksum:
        return Proof(at.size, None, sizes, unsynced)
    size, sha256 = host.digest(image.path, lambda done: listener.advance("checking", done, at.size))
    if size != at.size:
        raise _unproven(request, "it is still being written, although osbackup has ended.")
    return Proof(size, sha256, sizes, unsynced)


def _unproven(request: BackupRequest, problem: str, problems: Sequence[str] = ()) -> ImageUnproven:
    what = f"The image {request.image} failed its proof: {problem}"
    facts = {"findings": [*problems] or [problem]}
    return ImageUnproven(what if "\n" in problem else what.removesuffix(".") + ".", _AGAIN, facts)
