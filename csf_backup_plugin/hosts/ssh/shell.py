"""The ssh that runs a shell on the host: bytes go to it and come from it, and answers are found.

Answers stand on its standard output. What ssh says itself is on its standard error, with the lines
by which a program on the host tells how far it is.
"""

from __future__ import annotations

import contextlib
import os
import re
import select
import subprocess
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.ssh.calls import STOP, Answer, Call

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import IO

_CHUNK = 1 << 20  # bytes
_SAID = 1 << 16  # bytes of standard error that are kept, its last
_PARTING = 0.5  # seconds in which ssh may end by itself
# What is none of ssh's reasons: what it says with -v, and how far a program is.
_CHATTER = re.compile(rb"debug\d: .*|OpenSSH_.*|[0-9a-f]{32} .*")


class Shell:
    """A shell on the host, or at least the ssh that is to lead there.

    Args:
        argv: the ssh command.

    Attributes:
        is_over: whether nothing more will come.
        abandoned: the monotonic time since when nobody waits for an answer that is still to come.
    """

    def __init__(self, argv: Sequence[str]) -> None:
        pipe = subprocess.PIPE
        # A terminal's Ctrl-C does not reach it: our clean-up still needs it.
        self._process = subprocess.Popen(
            argv, bufsize=0, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
        process = self._process
        assert process.stdin
        assert process.stdout
        assert process.stderr
        self._input, self._output, self._errors = process.stdin, process.stdout, process.stderr
        self._poll = select.poll()
        for stream in (self._input, self._output, self._errors):
            os.set_blocking(stream.fileno(), False)
        for stream in (self._output, self._errors):
            self._poll.register(stream, select.POLLIN)
        self._unsent = memoryview(b"")
        self._came, self._said = bytearray(), bytearray()
        self._call: Call | None = None
        self._ends: list[int] = []  # where the marks of the answer end
        self._looked = 0  # up to where they have been looked for
        self.is_over = False
        self.abandoned: float | None = None

    @property
    def came(self) -> bytes:
        """What has come on standard output, before the first call."""
        return bytes(self._came)

    @property
    def size(self) -> int:
        """The bytes of what is coming: of standard output, and then of standard error."""
        return len(self._came) - (self._ends[-1] if self._ends else 0)

    @property
    def begun(self) -> bytes:
        """What is coming, as far as it has come."""
        return bytes(self._came[self._ends[-1] if self._ends else 0 :])

    @property
    def progress(self) -> int:
        """The last number by which the program has told how far it is; 0 before there is one."""
        assert self._call
        mark = self._call.mark.encode()
        told = re.findall(rb"^%s (\d+)$" % mark, self._said, re.MULTILINE)
        return int(told[-1]) if told else 0

    def said(self) -> bytes:
        """Return ssh's own last words."""
        lines = (line.strip() for line in self._said.splitlines())
        return b"\n".join(line for line in lines if line and not _CHATTER.fullmatch(line))

    def call(self, call: Call) -> None:
        """Say what is to be run; no answer is still to come."""
        self._call = call
        self._came.clear()
        self._ends.clear()
        self._looked = 0
        self.send(call.sent)

    def send(self, data: bytes) -> None:
        """Write something, as soon as it can be."""
        self._unsent = memoryview(bytes(self._unsent) + data)
        self._poll.register(self._input, select.POLLOUT)
        self.step(0)

    def abandon(self) -> None:
        """Wait no more for the answer; a program is told to end."""
        self.abandoned = time.monotonic()
        self.send(STOP)

    def step(self, wait: float) -> None:
        """Let bytes pass in each direction, as soon as they can, for at most so many seconds."""
        ready = self._poll.poll(wait * 1000)
        for descriptor, _ in ready:
            if descriptor == self._input.fileno():
                self._write()
            elif descriptor == self._output.fileno():
                self.is_over = not _take(self._output, self._came)
            elif _take(self._errors, self._said):
                del self._said[:-_SAID]
            else:
                self._poll.unregister(self._errors)
        if self.is_over or (not ready and wait and self._process.poll() is not None):
            self._end()

    def answer(self) -> Answer | None:
        """Return the answer to the call, once it has come whole."""
        assert self._call
        mark = f"\n{self._call.mark}\n".encode()
        while len(self._ends) < 3 and (at := self._came.find(mark, self._looked)) >= 0:
            self._looked = at + len(mark)
            self._ends.append(self._looked)
        if len(self._ends) < 3:
            self._looked = max(self._looked, len(self._came) - len(mark))
            return None
        begin, middle, end = self._ends
        output = bytes(self._came[begin : middle - len(mark)])
        errors, _, status = self._came[middle : end - len(mark)].rpartition(b"\n")
        self._came.clear()
        self._ends.clear()
        self.abandoned = None
        return Answer(int(status), output, bytes(errors))

    def forget(self) -> None:
        """Drop what has come of an answer that nobody waits for."""
        if self._ends and self._looked > self._ends[-1]:
            del self._came[self._ends[-1] : self._looked]
            self._looked = self._ends[-1]

    def close(self) -> None:
        """End the ssh; the shell reads the end of its input, and goes."""
        process = self._process
        with process:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(_PARTING)
            process.kill()

    def _write(self) -> None:
        with contextlib.suppress(BlockingIOError):
            try:
                self._unsent = self._unsent[os.write(self._input.fileno(), self._unsent) :]
            except BrokenPipeError:  # its end is noticed when it is to answer
                self._unsent = memoryview(b"")
        if not self._unsent:
            self._poll.unregister(self._input)

    def _end(self) -> None:
        """Let ssh come to its end, and take what it says of that."""
        self.is_over = True
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(_PARTING)
        _take(self._errors, self._said)


def _take(stream: IO[bytes], into: bytearray) -> bool:
    """Take what is there; return false at its end."""
    with contextlib.suppress(BlockingIOError):
        more = os.read(stream.fileno(), _CHUNK)
        into += more
        return bool(more)
    return True
