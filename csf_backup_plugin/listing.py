"""Which databases osrestore finds in an image, and how a program's end is told."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import TimedOut
from csf_backup_plugin.hosts.protocol import ENDLESS, UNKNOWN
from csf_backup_plugin.listed import listed_databases
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore import list_databases
from csf_backup_plugin.request import default_timeout

_LINES = 10  # of what a program said, in a message
_SHOWN = 100_000  # bytes of it that are looked at for them

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Completed, Host
    from csf_backup_plugin.image_path import ImagePath


def list_findings(
    image: ImagePath, osrestore: str, expected: set[str], host: Host, timeout: float | None = None
) -> list[str]:
    """Return what is wrong with the list of databases that osrestore finds in an image.

    Only standard output is the list. What is said on standard error is told where anything is
    wrong; shells and libraries may say things there that have nothing to do with the image.

    Args:
        image: which.
        osrestore: the program.
        expected: the databases that should be on the list; none where nothing tells, so that there
            only has to be one.
        host: where it is.
        timeout: how long osrestore may take, in seconds; by default according to the image's size.

    Raises:
        TimedOut: osrestore did not end.
    """
    timeout = timeout or default_timeout(host.look([image.path])[0].size)
    completed = _list_image(image, osrestore, timeout, host)
    if completed.status:
        return [f"osrestore -t cannot read the image: {described(completed)}"]
    listed = listed_databases(completed.output, expected, image.path)
    found = differences(expected or listed, listed, "image")
    if not listed:
        found = [f"the list that osrestore -t prints names no database: {_first(completed.output)}"]
    elif expected and expected.isdisjoint(listed):
        found.append(f"the list may be of a form that is not known: {_first(completed.output)}")
    if found and completed.errors.strip():
        found.append(f"osrestore -t said on standard error:\n{_quoted(completed.errors)}")
    return found


def _list_image(image: ImagePath, osrestore: str, timeout: float, host: Host) -> Completed:
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
        ending = "nobody knows its exit status: what waited for it was killed, or did not get it"
    elif completed.status == ENDLESS:
        ending = "it printed without end, and was stopped"
    output, errors = _quoted(completed.output), _quoted(completed.errors)
    if output and errors:
        return f"{ending}, and it said:\n{errors}\n  and on standard output:\n{output}"
    said = errors or output
    return f"{ending}, and it said:\n{said}" if said else f"{ending}, and it said nothing."


def _first(output: bytes) -> str:
    """Return how a list begins, fit for a message."""
    words = _quoted(output[:_SHOWN], last=False)
    return f"it begins:\n{words}" if words else "it is empty"


def _quoted(data: bytes, *, last: bool = True) -> str:
    """Return the last lines that a program said, or the first, fit for a message."""
    said = data[-_SHOWN:].splitlines()
    lines = [f"    {shown(os.fsdecode(line))[:500]}" for line in said if line.strip()]
    return "\n".join(lines[-_LINES:] if last else lines[:_LINES])
