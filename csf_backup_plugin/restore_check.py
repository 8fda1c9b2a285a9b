"""The last look at an image before databases are overwritten with what is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin import receipt
from csf_backup_plugin.errors import FaultFound
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore import listed_databases
from csf_backup_plugin.proof import described, list_image

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.image_path import ImagePath
    from csf_backup_plugin.proven import Proven
    from csf_backup_plugin.watcher import Watcher


def check_image(
    image: ImagePath,
    proven: Proven,
    osrestore: str,
    timeout: float,
    host: Host,
    watcher: Watcher,
) -> None:
    """Refuse an image that is not what its receipt says; the cheap looks come first.

    Args:
        image: the image.
        proven: its receipt.
        osrestore: the program that lists it.
        timeout: how long that may take, in seconds.
        host: where all of it is.
        watcher: told how far the checksum is.

    Raises:
        FaultFound: the message says what does not agree.
        TimedOut: osrestore did not end.
    """
    (facts,) = host.look([image.path])
    if facts.kind != "file":
        raise _fault(image, "there is no such file")
    if facts.size != proven.size:
        raise _fault(image, f"it has {facts.size:,} bytes, and had {proven.size:,}")
    names = host.read(image.import_file)
    if names is None or receipt.sha256(names) != proven.import_file_sha256:
        problem = "is missing" if names is None else "has changed"
        raise _fault(image, f"its import file {shown(image.import_file)} {problem}")
    completed = list_image(image, osrestore, timeout, host)
    if completed.status:
        raise _fault(image, f"osrestore -t cannot read it: {described(completed)}")
    if differing := sorted(listed_databases(completed.output) ^ proven.databases.keys()):
        names_of = ", ".join(map(shown, differing))
        raise _fault(image, f"osrestore -t and the receipt do not agree on {names_of}")
    if proven.sha256 is None:
        return
    _, sha256 = host.digest(image.path, lambda done: watcher.advance("checking", done, facts.size))
    if sha256 != proven.sha256:
        raise _fault(image, f"its SHA-256 is {sha256}, and was {proven.sha256}")


def _fault(image: ImagePath, problem: str) -> FaultFound:
    return FaultFound(
        f"The image {image} is not what its receipt says: {problem}.",
        "Restore from another image. If this one was moved here, move its .dbn and .receipt.json "
        "with it.",
    )
