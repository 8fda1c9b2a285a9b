"""The one place where programs are started."""

from __future__ import annotations

import contextlib
import os
import select
import subprocess
import time
from typing import IO, TYPE_CHECKING

from csf_backup_plugin import interrupts
from csf_backup_plugin.hosts import shared
from csf_backup_plugin.hosts.local.group import Group
from csf_backup_plugin.hosts.local.reading import kind_of
from csf_backup_plugin.hosts.protocol import ENDLESS, Completed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_POLL = 0.1  # seconds
_LAST_WORDS = 1.0  # seconds in which what an ended program has printed reaches its keeper
_CHUNK = 1 << 16  # bytes


class Process:
    """A utility at work.

    Args:
        utility: the program.
        keeper: another, which keeps what it prints.
        kept: the file the keeper writes that to.
        watched: the file whose growth `poll` reports.
    """

    def __init__(self, utility: Group, keeper: Group, kept: int, watched: str) -> None:
        self._utility = utility
        self._keeper = keeper
        self._kept = kept
        self._watched = watched

    def poll(self) -> tuple[Completed | None, int]:
        """Wait a moment; return how it ended, once it has, and the watched file's size so far."""
        interrupts.check()
        status = self._utility.wait(_POLL)
        return (None if status is None else self._completed(status)), kind_of(self._watched)[1]

    def _completed(self, status: int) -> Completed:
        self._keeper.wait(_LAST_WORDS)  # in vain, where the utility has left something behind
        start = max(0, os.fstat(self._kept).st_size - shared.LAST_SAID)
        return Completed(status, os.pread(self._kept, shared.LAST_SAID, start))


class Stream:
    """What a program prints on a stream, taken into memory as far as there is room.

    Args:
        pipe: its other end.
        room: how many bytes may come.

    Attributes:
        taken: what has come.
        is_open: whether more may come.
    """

    def __init__(self, pipe: IO[bytes], room: int) -> None:
        self.pipe = pipe
        self._room = room
        self.taken = bytearray()
        self.is_open = True
        os.set_blocking(pipe.fileno(), False)

    @property
    def is_endless(self) -> bool:
        """Whether more has come than there is room for."""
        return len(self.taken) > self._room

    def take(self) -> None:
        """Take what is there."""
        with contextlib.suppress(BlockingIOError):
            while self.is_open and not self.is_endless:
                more = os.read(self.pipe.fileno(), _CHUNK)
                self.taken += more
                self.is_open = bool(more)


@contextlib.contextmanager
def started(argv: Sequence[str], watched: str, inherited: Sequence[int]) -> Iterator[Process]:
    """Run a utility while the block runs; whatever of it still runs at the end is stopped.

    It writes to a pipe, whose other end outlives us: a utility that could not print any more after
    we were killed would end in the middle of its work. What is kept is kept in memory.

    Raises:
        Interrupted: a signal came before the utility was started.
    """
    with contextlib.ExitStack() as stack:
        kept = os.memfd_create("output")
        stack.callback(os.close, kept)
        keep = subprocess.Popen(
            ["sh", "-c", shared.KEEP],
            stdin=subprocess.PIPE,
            stdout=kept,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        keeper = Group(keep)
        stack.callback(keeper.kill)
        assert keep.stdin is not None
        with keep.stdin as pipe:
            interrupts.check()
            popen = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL,
                stdout=pipe,
                stderr=subprocess.STDOUT,
                pass_fds=inherited,
                start_new_session=True,
            )
        utility = Group(popen)
        stack.callback(utility.close)
        yield Process(utility, keeper, kept, watched)


def run(
    argv: Sequence[str], timeout: float, *, room: int = shared.OUTPUT, merged: bool = False
) -> Completed:
    """Run a program to its end, nothing on its standard input.

    Args:
        argv: the command.
        timeout: in seconds.
        room: how many bytes it may print on a stream; one that prints more is stopped.
        merged: let standard error be the same stream as standard output.

    Raises:
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
        program, streams = Group(popen), [Stream(pipe, room) for pipe in pipes]
        stack.callback(program.close)
        while time.monotonic() < deadline:
            interrupts.check()
            if completed := _completed(program, streams):
                return completed
    raise TimeoutError


def _completed(program: Group, streams: Sequence[Stream]) -> Completed | None:
    """Wait a moment; return how a program ended, once it has, and what it has printed."""
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
