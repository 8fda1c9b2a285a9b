"""Whether an image, its import file and its receipt agree; all that does not is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin import objectstore, receipt
from csf_backup_plugin.errors import TimedOut
from csf_backup_plugin.names import shown
from csf_backup_plugin.proof import described, differences
from csf_backup_plugin.request import default_timeout

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.image_path import ImagePath
    from csf_backup_plugin.proven import Proven
    from csf_backup_plugin.watcher import Watcher


def presence_findings(image: ImagePath, host: Host) -> list[str]:
    """Return what is wrong if there is no image at all, or nothing in it."""
    (facts,) = host.look([image.path])
    if facts.kind == "file" and facts.size:
        return []
    problem = {"missing": "is missing", "file": "is empty"}.get(facts.kind, "is not a file")
    return [f"the image {shown(image.path)} {problem}"]


def content_findings(image: ImagePath, proven: Proven, host: Host, watcher: Watcher) -> list[str]:
    """Return how the image's bytes, which are all read, differ from what its receipt says.

    Args:
        image: which.
        proven: what the receipt says; if it has no SHA-256, only the size is compared.
        host: where it is.
        watcher: told how far the checksum is.
    """
    (facts,) = host.look([image.path])
    if facts.size != proven.size:
        return [f"the image holds {facts.size:,} bytes; its receipt says {proven.size:,}"]
    if proven.sha256 is None:
        return []
    try:
        _, sha256 = host.digest(
            image.path, lambda done: watcher.advance("checking", done, proven.size)
        )
    except OSError as error:  # a disk that fails is what this is to find
        return [f"the image cannot be read: {error.strerror}"]
    if sha256 != proven.sha256:
        return [f"the image's SHA-256 is {sha256}; its receipt says {proven.sha256}"]
    return []


def import_file_findings(
    image: ImagePath, proven: Proven | None, host: Host
) -> tuple[list[str], list[str]]:
    """Return what is wrong with the import file, and the databases it names.

    Args:
        image: whose import file.
        proven: what the receipt says; without one, it only has to be a list.
        host: where it is.
    """
    name = f"the import file {shown(image.import_file)}"
    try:
        contents = host.read(image.import_file)
    except OSError as error:
        return [f"{name} cannot be read: {error.strerror}"], []
    if contents is None:
        return [f"{name} is missing"], []
    databases = objectstore.imported_databases(contents)
    findings = [] if databases else [f"{name} is no list of databases, one absolute path a line"]
    if proven and receipt.sha256(contents) != proven.import_file_sha256:
        findings.append(f"{name} was changed since the backup")
        findings += differences({*proven.databases}, {*databases}, "import file")
    return findings, databases


def list_findings(image: ImagePath, osrestore: str, expected: set[str], host: Host) -> list[str]:
    """Return what is wrong with the list that osrestore finds in the image.

    Args:
        image: which.
        osrestore: the program.
        expected: the databases that should be on the list; none where nothing tells, so that there
            only has to be one.
        host: where it is.

    Raises:
        TimedOut: osrestore did not end.
    """
    timeout = default_timeout(host.look([image.path])[0].size)
    try:
        completed = host.run(objectstore.list_databases(osrestore, image), timeout)
    except TimeoutError:
        raise TimedOut(
            f"osrestore -t did not list {image} within {timeout:,.0f} s; it was stopped.",
            "Look at the image's disk, and run the same command again.",
        ) from None
    if completed.status:
        return [f"osrestore -t cannot read the image: {described(completed)}"]
    listed = objectstore.listed_databases(completed.output)
    return differences(expected or listed, listed, "image")
