"""Which databases osrestore finds in an image, and how a program's end is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.errors import TimedOut
from csf_backup_plugin.hosts.protocol import UNKNOWN
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore import list_databases

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Completed, Host
    from csf_backup_plugin.image_path import ImagePath


def list_image(image: ImagePath, osrestore: str, timeout: float, host: Host) -> Completed:
    """Let osrestore list what is in an image.

    Args:
        image: the image.
        osrestore: the program.
        timeout: how long it may take, in seconds.
        host: where both are.

    Raises:
        TimedOut: it did not end.
    """
    try:
        return host.run(list_databases(osrestore, image), timeout)
    except TimeoutError:
        raise TimedOut(
            f"osrestore -t did not list {image} within {timeout:,.0f} s.",
            "Look at the image's disk, and run the same command again.",
        ) from None


def differences(expected: set[str], found: set[str], where: str) -> list[str]:
    """Return in words which databases are missing from somewhere, and which should not be there."""
    absent, extra = sorted(expected - found), sorted(found - expected)
    words = [f"missing from the {where}: {shown(path)}" for path in absent]
    return words + [f"not expected in the {where}: {shown(path)}" for path in extra]


def described(completed: Completed) -> str:
    """Return how a program ended and the last it said, fit for a message."""
    ending = f"signal {-completed.status}" if completed.status < 0 else f"exit {completed.status}"
    if completed.status == UNKNOWN:
        ending = "nobody knows its exit status: something else in this process took it"
    lines = completed.output.decode("utf-8", "surrogateescape").splitlines()
    said = "\n".join(f"    {shown(line)[:500]}" for line in lines[-10:] if line.strip())
    return f"{ending}, and it said:\n{said}" if said else f"{ending}, and it said nothing."
