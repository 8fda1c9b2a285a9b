"""Programs, run to their end."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import time
from typing import IO, TYPE_CHECKING

from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.local.process_group import Group
from csf_backup_plugin.hosts.protocol.values import ENDLESS, Completed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.cancellation import Cancellation

_POLL = 0.1  # seconds
_CHUNK = 1 << 16  # bytes


class Stream:
    """What a program prints on a stream, read into memory up to a limit.

    Args:
        pipe: the end to read from.
        room: how many bytes are read at most.

    Attributes:
        taken: what was read.
        is_open: whether more may follow.
    """

    def __init__(self, pipe: IO[bytes], room: int) -> None:
        self.pipe = pipe
        self._room = room
        self.taken = bytearray()
        self.is_open = True
        os.set_blocking(pipe.fileno(), False)

    @property
    def is_endless(self) -> bool:
        """Whether more was printed than the limit allows."""
        return len(self.taken) > self._room

    def take(self) -> None:
        """Read what is available."""
        with contextlib.suppress(BlockingIOError):
            while self.is_open and not self.is_endless:
                more = os.read(self.pipe.fileno(), _CHUNK)
                self.taken += more
                self.is_open = bool(more)


def run(
    argv: Sequence[str],
    timeout: float,
    cancellation: Cancellation,
    *,
    room: int = common.OUTPUT,
    merged: bool = False,
) -> Completed:
    """Run a program to its end; its standard input is empty.

    Args:
        argv: the command.
        timeout: how long it may take, in seconds.
        cancellation: stops it earlier.
        room: how many bytes it may print on a stream; one that prints more is stopped.
        merged: whether standard error goes to the same stream as standard output.

    Raises:
        Interrupted: a signal came, and it was stopped.
        TimeoutError: it was still running then, and was stopped.
    """
    deadline = time.monotonic() + timeout
    with contextlib.ExitStack() as stack:
        popen = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT if merged else subprocess.PIPE,
            start_new_session=True,
        )
        pipes = [stack.enter_context(pipe) for pipe in (popen.stdout, popen.stderr) if pipe]
        program, streams = Group.of(popen), [Stream(pipe, room) for pipe in pipes]
        stack.callback(program.close)
        while time.monotonic() < deadline:
            cancellation.check_start()
            if completed := _completed(program, streams):
                return completed
    raise TimeoutError


def _completed(program: Group, streams: Sequence[Stream]) -> Completed | None:
    """Wait a little; return how a program ended, once it has, and what it has printed."""
    status = program.wait(0)
    for stream in streams:
        stream.take()
    if any(stream.is_endless for stream in streams):
        status = ENDLESS
    if status is not None:
        return Completed(status, *(bytes(stream.taken) for stream in streams))
    if pipes := [stream.pipe for stream in streams if stream.is_open]:
        select.select(pipes, [], [], _POLL)
    else:
        program.wait(_POLL)
    return None
