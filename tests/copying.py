"""Copies of a set from one host in memory to another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sets_in_memory import host_with

from csf_backup_plugin.hosts.protocol.values import Machine
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.receipt_format import decode
from csf_backup_plugin.operations.copy import copy
from csf_backup_plugin.operations.copy.request import CopyRequest
from doubles import Memory, MemoryHost

if TYPE_CHECKING:
    from csf_backup_plugin.image.receipt import Receipt
    from csf_backup_plugin.operations.copy import Copy

NOW = "2026-11-25T12:00:00+00:00"
ORIGINAL, COPY = ImagePath("db1", "/b/1.img"), ImagePath("db2", "/c/1.img")


def target(kind: type[MemoryHost] = MemoryHost) -> MemoryHost:
    """Return another host with an empty directory ``/c``."""
    host = kind({}, ["/c"])
    host.name, host.itself = "db2", Machine("b" * 32, "db2", NOW)
    host.listing = host_with().listing
    return host


def hosts(
    *numbers: int, kind: type[MemoryHost] = MemoryHost, to: type[MemoryHost] = MemoryHost
) -> tuple[MemoryHost, MemoryHost]:
    """Return a host with the sets ``db1:/b/N.img``, and the host they are copied to."""
    return host_with(*(numbers or (1,)), kind=kind), target(to)


def copied(
    source: MemoryHost,
    host: MemoryHost,
    image: str = "db1:/b/1.img",
    listener: Memory | None = None,
    **asked: Any,
) -> Copy:
    """Copy a set to ``db2:/c``.

    Args:
        source: the host of the set.
        host: the one it is copied to.
        image: the set.
        listener: told how far it is.
        asked: of `CopyRequest.parse`.
    """
    request = CopyRequest.parse(image, asked.pop("to", "db2:/c"), **asked)
    return copy(request, source, host, listener or Memory())


def receipt_at(host: MemoryHost, image: ImagePath = COPY) -> Receipt:
    """Return the contents of an image's receipt."""
    return decode(host.files[image.receipt])
