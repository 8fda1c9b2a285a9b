"""The proof of an image; only an image that has passed it counts as a backup."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import ImageUnproven
from csf_backup_plugin.hosts.long_step import Long
from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.image.listed_databases import differences, list_findings
from csf_backup_plugin.names import first, shown
from csf_backup_plugin.operations.backup.database_sizes import Sizes, is_too_small
from csf_backup_plugin.repository.inventory import read_inventory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Stat
    from csf_backup_plugin.operations.backup.preflight import Plan
    from csf_backup_plugin.operations.backup.request import BackupRequest
    from csf_backup_plugin.progress_listener import Listener

_AGAIN = "Run the same command again; if it fails again, look into osbackup and the disk."
_ACCEPT = (
    "Look into osbackup. If its images are always as small as that, since it compresses or leaves "
    "out what is empty, add -accept-small."
)


class Proof(NamedTuple):
    """What identifies a proven image.

    Attributes:
        size: the image's size in bytes.
        sha256: its SHA-256 in hexadecimal, or None if none was asked for.
        sizes: the databases' sizes, before and after.
        unsynced: the image's directory, if its file system cannot flush names to the disk.
    """

    size: int
    sha256: str | None
    sizes: Sizes
    unsynced: tuple[str, ...] = ()


def prove(
    request: BackupRequest,
    plan: Plan,
    before: Mapping[str, Stat],
    written: int,
    timeout: float,
    host: Host,
    listener: Listener,
) -> Proof:
    """Prove that the image holds exactly the databases it should.

    Args:
        request: the command's validated options.
        plan: what was backed up.
        before: what was at the path of each database before osbackup was started.
        written: the image's size in bytes when osbackup had ended.
        timeout: how long osrestore may take to list the image, in seconds.
        host: where the image is.
        listener: gets the progress of the checksum.

    Raises:
        ImageUnproven: a check failed; the message says which.
        TimedOut: osrestore did not end in time.
    """
    expected = {*plan.found.coverage.paths}
    # Steps that run a program come last: after one, a remote host answers nothing else in the same
    # exchange. Errors are reported in this order, those of `postponed` steps after the others.
    # osbackup has ended, so the image does not change while it is flushed to the disk.
    size, unsynced, _, directory, held, _, read = host.together(
        lambda: _size(request, host),
        Long(lambda: tuple(host.sync([request.image.path]))),
        lambda: _check_import_file(request, plan, host),
        postponed(lambda: _check_directory(request, plan, expected, host)),
        postponed(lambda: _sizes(request, before, host)),
        Long(lambda: _check_list(request, plan, expected, timeout, host)),
        Long(postponed(lambda: _digest(request, written, host, listener))),
    )
    directory()
    sizes, digest = held(), read()
    if digest is None:
        return Proof(size, None, sizes, unsynced)
    # The image's size was taken before its checksum: if it has changed, something still writes it.
    if not digest[0] == size == written:
        raise _unproven(request, "it is still being written, although osbackup has ended.")
    return Proof(*digest, sizes, unsynced)


def _size(request: BackupRequest, host: Host) -> int:
    """Return the image's size in bytes; refuse a missing or an empty image."""
    (at,) = host.stat([request.image.path])
    if at.kind != "file" or not at.size:
        raise _unproven(request, "osbackup reported success and left no image, or an empty one.")
    return at.size


def _check_import_file(request: BackupRequest, plan: Plan, host: Host) -> None:
    path = request.image.import_file
    if host.read(path) != plan.import_file:
        raise _unproven(request, f"its import file {shown(path)} has changed.")


def _check_list(
    request: BackupRequest, plan: Plan, expected: set[str], timeout: float, host: Host
) -> None:
    """Refuse an image if osrestore does not list exactly the expected databases."""
    if problems := list_findings(request.image, plan.osrestore, expected, host, timeout):
        raise _unproven(request, "; ".join(first(problems)), problems)


def _check_directory(request: BackupRequest, plan: Plan, expected: set[str], host: Host) -> None:
    """Refuse an image if the repository's set of databases has changed since."""
    now = read_inventory(request.repository, host, plan.standing.adopted)
    # While a class is created in another repository of this directory, its database is not in that
    # repository's manifest yet. So files that may be such databases do not count.
    there = {*now.coverage.paths}.difference(now.ambiguous)
    if problems := differences(expected, there, "directory"):
        raise _unproven(request, "; ".join(first(problems)), problems)


def _sizes(request: BackupRequest, before: Mapping[str, Stat], host: Host) -> Sizes:
    """Return the databases' sizes; refuse an image that is far too small for them."""
    at_image, *after = host.stat([request.image.path, *before])
    sizes = Sizes(before, dict(zip(before, after, strict=True)))
    if is_too_small(at_image.size, sizes.held) and not request.accept_small:
        raise ImageUnproven(
            f"The image {request.image} failed its proof: it has {at_image.size:,} bytes, far too "
            f"few for databases that take up {sizes.held:,} on the disk.",
            _ACCEPT,
        )
    return sizes


def _digest(
    request: BackupRequest, size: int, host: Host, listener: Listener
) -> tuple[int, str] | None:
    """Return the image's size in bytes, and its SHA-256 or None if none was asked for."""
    if not request.checksum:
        return None
    return host.digest(request.image.path, lambda done: listener.advance("checking", done, size))


def _unproven(request: BackupRequest, problem: str, problems: Sequence[str] = ()) -> ImageUnproven:
    what = f"The image {request.image} failed its proof: {problem}"
    facts = {"findings": [*problems] or [problem]}
    return ImageUnproven(what if "\n" in problem else what.removesuffix(".") + ".", _AGAIN, facts)
