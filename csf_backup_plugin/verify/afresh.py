"""Proving an image that has no receipt: the csf that had it made was killed, osbackup was not.

How osbackup ended was written down beside such an image, in the directory PATH.run, if csf had it
run on another host. Without that record nothing can say that the image is complete.
"""

from __future__ import annotations

import contextlib
import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin import manifest, moments, objectstore, proven, receipt
from csf_backup_plugin.agreement import import_file_findings, presence_findings
from csf_backup_plugin.errors import FaultFound
from csf_backup_plugin.hosts.protocol import Completed
from csf_backup_plugin.listing import described, list_findings
from csf_backup_plugin.names import command, shown
from csf_backup_plugin.proven import Origin, Proven
from csf_backup_plugin.repository import Repository
from csf_backup_plugin.tidying import tidy
from csf_backup_plugin.wanted import check_image_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.hosts.protocol import Host, Machine
    from csf_backup_plugin.image_path import ImagePath
    from csf_backup_plugin.wanted import Wanted
    from csf_backup_plugin.watcher import Watcher

PURPOSE = "admin_database_verify"
_ENDED_WELL = "0"
_NO_NUMBER = (
    "the manifest does not tell which number this backup has, so its image is never the latest one"
)
#: Prints when a file was changed last; of coreutils, as what a host has to have.
_CHANGED = ("date", "-u", "+%Y-%m-%dT%H:%M:%SZ", "-r")
_SECONDS = 60.0  # that this may take


def prove_afresh(
    image: ImagePath,
    wanted: Wanted | None,
    osrestore: str,
    wait: float,
    machine: Machine,
    host: Host,
    watcher: Watcher,
) -> tuple[Proven, tuple[str, ...]] | None:
    """Prove an image and write its receipt, if all that a proof needs is there.

    Args:
        image: which.
        wanted: the repository whose image it is to be; None for any's.
        osrestore: the program that lists what is in it.
        wait: how long to wait for the repository's lock, in seconds.
        machine: the host.
        host: the same.
        watcher: told how far it is.

    Returns:
        What the receipt says, and warnings; None if there is a receipt now, of a backup that ended
        while it was waited for.

    Raises:
        FaultFound: it cannot be proven; the message names every reason.
        WrongRepository: it is another repository's image.
        LockBusy: osbackup is still at work, or another command on the repository.
    """
    findings, databases = import_file_findings(image, None, host)
    findings = findings or _master_findings(databases, host)
    if findings:
        raise _unlisted(image, findings, host)
    with _locked(Repository(databases[0]), wait, host, watcher):
        if host.read(image.receipt) is not None:
            return None
        origin = _origin(image, Repository(databases[0]), machine, host)
        nothing = Proven(databases[0], {}, 0, None, "", machine.now, image, origin)
        check_image_of(wanted, image, nothing)
        made = _prove(image, databases, osrestore, host, watcher)._replace(origin=origin)
        finished = host.machine().now
        host.publish(
            image.receipt,
            proven.encode(
                made,
                finished=finished,
                osbackup=None,
                shared_disk="unknown",
                proven_by=PURPOSE,
            ),
        )
        warnings = [] if made.origin.number else [_NO_NUMBER]
        return made, (*warnings, *tidy(reversed(image.record), host))


def _origin(image: ImagePath, repository: Repository, machine: Machine, host: Host) -> Origin:
    """Return which backup an image is, as the manifest noted when that was begun."""
    try:
        data = host.read(repository.manifest)
    except PermissionError:  # the repository may be another user's
        data = None
    recorded = manifest.salvage(data) if data else manifest.Manifest()
    identity, number = recorded.identity, recorded.backups.get(image.path)
    if identity is None or number is None or recorded.damaged:  # it may have had another since
        return Origin(None, None, machine.id, machine.name)
    settled = not identity.changes(machine, repository.master)
    return Origin(identity.id, number, machine.id, machine.name, settled)


def _master_findings(databases: list[str], host: Host) -> list[str]:
    """Return what speaks against the first database's being the master database.

    A backup lists it first, the others by name, and leaves its lock file beside it.
    """
    master, *others = databases
    at_directory, at_lock = host.look([posixpath.dirname(master), Repository(master).lock])
    lost = at_directory.kind == "missing"
    if others == sorted({*others} - {master}) and (lost or at_lock.kind != "missing"):
        return []
    return [f"the import file's first database, {shown(master)}, is not known to be a master"]


@contextlib.contextmanager
def _locked(repository: Repository, wait: float, host: Host, watcher: Watcher) -> Iterator[None]:
    """Hold the repository's lock, which an osbackup that still runs holds, if there is one."""
    with contextlib.ExitStack() as stack:
        try:
            held = host.lock(repository.lock, PURPOSE, wait, watcher.note, create=False)
            stack.enter_context(held)
        except (FileNotFoundError, PermissionError):
            # The repository may be lost, or be another user's. Where no lock is, nobody holds it.
            if host.look([repository.lock])[0].kind != "missing":
                raise
        yield


def _prove(
    image: ImagePath, databases: list[str], osrestore: str, host: Host, watcher: Watcher
) -> Proven:
    absent = presence_findings(image, host)
    listed = absent or list_findings(image, osrestore, {*databases}, host)
    if findings := [*_ending(image, host), *listed]:
        raise _unproven(image, findings)
    began = _began(image, host)
    if began is None:
        raise _unproven(image, ["when its backup began is not known"])
    host.sync([image.path, image.import_file])
    (facts,) = host.look([image.path])
    size, sha256 = host.digest(
        image.path, lambda done: watcher.advance("checking", done, facts.size)
    )
    if size != facts.size:
        raise _unproven(image, ["it is still being written"])
    sizes = dict.fromkeys(databases)
    names = objectstore.import_file(databases)
    return Proven(databases[0], sizes, size, sha256, receipt.sha256(names), began, image)


def _ending(image: ImagePath, host: Host) -> list[str]:
    """Return what speaks against it that osbackup succeeded."""
    if host.look([image.run])[0].kind != "directory":
        return [f"how osbackup ended was not recorded: there is no {shown(image.run)}"]
    status = (host.read(f"{image.run}/status") or b"").decode(errors="replace").strip()
    if status == _ENDED_WELL:
        return []
    if not status.isdecimal():
        return [f"osbackup did not live to record its end in {shown(image.run)}"]
    output = (host.read(f"{image.run}/output") or b"").rstrip(b"\0")  # its room on the disk
    return [f"osbackup failed: {described(Completed(int(status), output))}"]


def _began(image: ImagePath, host: Host) -> str | None:
    """Return when the backup began: as recorded, or when its import file was made just before."""
    recorded = host.read(f"{image.run}/started") or b""
    if moment := moments.read(recorded.decode(errors="replace")):
        return moment
    changed = host.run([*_CHANGED, image.import_file], _SECONDS).output
    return moments.read(changed.decode(errors="replace"))


def _unlisted(image: ImagePath, findings: list[str], host: Host) -> FaultFound:
    """Return what to say of an image of which nothing tells what it should hold."""
    if {facts.kind for facts in host.look([image.path, image.import_file])} == {"missing"}:
        return FaultFound(
            f"There is no image {image}.", "Check -image-file; see what is there with ls."
        )
    return _unproven(image, [*findings, *presence_findings(image, host)])


def _unproven(image: ImagePath, findings: list[str]) -> FaultFound:
    return FaultFound(
        f"{image} has no receipt, and cannot be proven:",
        "Check that -image-file names an image. If it does, make a new backup, under another name. "
        "If this is all that is left of the databases, keep it, and try to restore it by hand: "
        f"{command('osrestore', '-t', '-f', image.path)} shows what is in it.",
        findings,
    )
