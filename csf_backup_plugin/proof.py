"""The proof of an image: nothing counts as a backup before it has passed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import ImageUnproven, TimedOut
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore import list_databases, listed_databases
from csf_backup_plugin.survey import survey

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Completed, Host
    from csf_backup_plugin.preflight import Plan
    from csf_backup_plugin.request import BackupRequest
    from csf_backup_plugin.watcher import Watcher

_AGAIN = "Run the same command again; if it fails again, look into osbackup and the disk."


class Proof(NamedTuple):
    """What a proven image is known by.

    Attributes:
        size: the image's bytes.
        sha256: its SHA-256 in hexadecimal, or None if none was asked for.
    """

    size: int
    sha256: str | None


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
    host.sync([image.path])
    if host.read(image.import_file) != plan.import_file:
        raise _unproven(request, f"its import file {shown(image.import_file)} has changed.")
    completed = _list(request, plan, timeout, host)
    if completed.status:
        raise _unproven(request, f"osrestore -t cannot read it: {described(completed)}")
    _compare_sets(request, plan, listed_databases(completed.output), "image")
    _compare_sets(request, plan, set(survey(request.repository, host).coverage.paths), "directory")
    if not request.checksum:
        return Proof(facts.size, None)
    size, sha256 = host.digest(
        image.path, lambda done: watcher.advance("checking", done, facts.size)
    )
    if size != facts.size:
        raise _unproven(request, "it is still being written, although osbackup has ended.")
    return Proof(size, sha256)


def described(completed: Completed) -> str:
    """Return how a program ended and the last it said, fit for a message."""
    ending = f"signal {-completed.status}" if completed.status < 0 else f"exit {completed.status}"
    lines = completed.output.decode("utf-8", "surrogateescape").splitlines()
    said = "\n".join(f"    {shown(line)[:500]}" for line in lines[-10:] if line.strip())
    return f"{ending}, and it said:\n{said}" if said else f"{ending}, and it said nothing."


def differences(expected: set[str], found: set[str], where: str) -> list[str]:
    """Return in words which databases are missing from somewhere, and which should not be there."""
    absent, extra = sorted(expected - found), sorted(found - expected)
    words = [f"missing from the {where}: {shown(path)}" for path in absent]
    return words + [f"not expected in the {where}: {shown(path)}" for path in extra]


def _list(request: BackupRequest, plan: Plan, timeout: float, host: Host) -> Completed:
    try:
        return host.run(list_databases(plan.osrestore, request.image), timeout)
    except TimeoutError:
        raise TimedOut(
            f"osrestore -t did not list {request.image} within {timeout:,.0f} s.",
            "Look at the image's disk; give it longer with -timeout SECONDS.",
        ) from None


def _compare_sets(request: BackupRequest, plan: Plan, found: set[str], where: str) -> None:
    """Refuse if what is in the image, or now in the directory, is not what was to be backed up."""
    expected = set(plan.found.coverage.paths)
    if words := differences(expected, found, where):
        raise _unproven(request, "; ".join(words) + ".")


def _unproven(request: BackupRequest, problem: str) -> ImageUnproven:
    return ImageUnproven(f"The image {request.image} failed its proof: {problem}", _AGAIN)
