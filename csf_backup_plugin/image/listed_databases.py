"""Which databases osrestore finds in an image."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.errors import TimedOut
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore.commands import list_databases
from csf_backup_plugin.objectstore.osrestore_list import listed_databases
from csf_backup_plugin.objectstore.program_end import beginning, described, quoted

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Completed
    from csf_backup_plugin.image.path import ImagePath


def list_findings(
    image: ImagePath, osrestore: str, expected: set[str], host: Host, timeout: float
) -> list[str]:
    """Return what is wrong with the list of databases that osrestore finds in an image.

    The list is what osrestore prints on standard output. Standard error is shown only if something
    is wrong: shells and libraries may print messages there that have nothing to do with the image.

    Args:
        image: the image.
        osrestore: the program.
        expected: the databases that should be on the list; empty: only check that osrestore can
            list the image.
        host: where it is.
        timeout: how long osrestore may take, in seconds.

    Raises:
        TimedOut: osrestore did not end.
    """
    completed = _list_image(image, osrestore, timeout, host)
    if completed.status:
        return [f"osrestore -t cannot read the image: {described(completed)}"]
    listed = listed_databases(completed.output, expected, image.path)
    found = differences(expected or listed, listed, "image")
    begins = beginning(completed.output)
    if not listed:
        found = [f"the list that osrestore -t prints names no database: {begins}"]
    elif expected and expected.isdisjoint(listed):
        found.append(f"the list may have an unknown form: {begins}")
    if found and completed.errors.strip():
        found.append(f"osrestore -t said on standard error:\n{quoted(completed.errors)}")
    return found


def _list_image(image: ImagePath, osrestore: str, timeout: float, host: Host) -> Completed:
    try:
        return host.run(list_databases(osrestore, image.path), timeout)
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
