"""Transfer an image's bytes from one host through this one to another, and check them there."""

from __future__ import annotations

import hashlib
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.advised_commands import verify_command
from csf_backup_plugin.errors import FaultFound, ImageUnproven, TimedOut
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore.room_and_time import default_timeout
from csf_backup_plugin.system_errors import translated

if TYPE_CHECKING:
    from collections.abc import Callable

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.streaming import Sink, Source
    from csf_backup_plugin.operations.copy.original import Original
    from csf_backup_plugin.operations.copy.target import Target
    from csf_backup_plugin.progress_listener import Listener


class Deadline:
    """The time limit of a copy.

    Args:
        original: the set to copy.
        seconds: how long the copy may take; None for a limit that depends on its size.
        host: the host whose cancellation also ends the copy.
    """

    def __init__(self, original: Original, seconds: float | None, host: Host) -> None:
        self._limit = seconds or default_timeout(original.receipt.size)
        self._until = time.monotonic() + self._limit
        self._original = original
        self._host = host

    def check(self) -> None:
        """End the copy here if its time is over or a signal has come.

        Raises:
            TimedOut: its time is over.
            Interrupted: a signal has come.
        """
        self._host.cancellation.check_start()
        if time.monotonic() >= self._until:
            raise TimedOut(
                f"The copy of {self._original.image} had not ended after {self._limit:g} s.",
                "See whether a disk or the network is slow; give it longer with -timeout SECONDS.",
            )


def transfer(
    original: Original,
    target: Target,
    source: Host,
    host: Host,
    deadline: Deadline,
    listener: Listener,
) -> tuple[str, list[str]]:
    """Transfer the image's bytes to the copy's temporary name, and check their SHA-256 there.

    Args:
        original: the set to copy.
        target: the copy's path and directory.
        source: the host of the set.
        host: the host of the copy.
        deadline: the time limit of the copy.
        listener: gets the progress.

    Returns:
        The copy's SHA-256; and its directory, if its file system cannot flush names to the disk.

    Raises:
        FaultFound: the original has changed.
        ImageUnproven: the bytes on the target host are not those of the original.
    """
    size = original.receipt.size
    sent, streamed = _stream(original, target, source, host, deadline, listener)
    if sent != size:
        raise FaultFound(
            f"{original.image} has changed: {sent:,} bytes of it were read, and its receipt says "
            f"{size:,}.",
            f"Find out more: {verify_command(original.image.name)}",
        )

    def progress(done: int) -> None:
        deadline.check()
        listener.advance("checking", done, size)

    with translated(host.name):
        unsynced = host.sync([target.image.arriving])
        arrived = host.digest(target.image.arriving, progress)
    wanted = original.receipt.sha256 or streamed
    if arrived != (size, wanted):
        raise _damaged(original, target, arrived, wanted)
    return arrived[1], unsynced


def _stream(
    original: Original,
    target: Target,
    source: Host,
    host: Host,
    deadline: Deadline,
    listener: Listener,
) -> tuple[int, str]:
    """Pass all bytes on; return their number, and their SHA-256 if the receipt has none."""
    with (
        translated(source.name),
        source.sending(original.image.path) as outgoing,
        translated(host.name),
        host.receiving(target.image.arriving) as incoming,
    ):
        take = _translating(outgoing, source)
        return _pump(take, incoming, original, deadline, listener)


def _translating(outgoing: Source, source: Host) -> Callable[[], bytes | None]:
    """Return a function that takes bytes; its errors name the source host."""

    def take() -> bytes | None:
        with translated(source.name):
            return outgoing.take()

    return take


def _pump(
    take: Callable[[], bytes | None],
    incoming: Sink,
    original: Original,
    deadline: Deadline,
    listener: Listener,
) -> tuple[int, str]:
    size, done = original.receipt.size, 0
    algorithm = None if original.receipt.sha256 else hashlib.sha256()
    while (data := take()) != b"":
        if algorithm and data:
            algorithm.update(data)
        rest = memoryview(data or b"")
        deadline.check()
        while rest:
            given = incoming.give(rest)
            rest, done = rest[given:], done + given
            deadline.check()
        listener.advance("copying", done, size)
    while not incoming.end():
        deadline.check()
    return done, algorithm.hexdigest() if algorithm else ""


def _damaged(
    original: Original, target: Target, arrived: tuple[int, str], wanted: str
) -> ImageUnproven:
    size, sha256 = arrived
    return ImageUnproven(
        f"What has arrived at {target.image.host}:{shown(target.image.directory)} is not "
        f"{original.image}: {size:,} bytes with the SHA-256 {sha256}; it should be "
        f"{original.receipt.size:,} with {wanted}.",
        f"See whether the original is sound: {verify_command(original.image.name)}\n"
        f"If it is, look at the network, and at the disk and memory of {target.image.host}.",
    )
