"""The ssh process that leads to a shell on the host: it carries calls and answers.

Answers come on its standard output. On its standard error come ssh's own messages, and the lines in
which the shell on the host reports the progress of a call. Each stream has a thread of its own, so
no pipe can fill up, and each wait has a time limit that its caller chooses.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import os
import queue
import re
import subprocess
import threading
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.ssh.command_line import READY
from csf_backup_plugin.hosts.ssh.errors import Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import IO

_CHUNK = 1 << 20  # bytes
_SAID = 1 << 16  # bytes at the end of standard error that are kept
_NOISE = 1 << 24  # bytes that may come outside answers
_HEAD = 100  # bytes; the head of an answer is not longer
_PARTING = 0.5  # seconds in which ssh may end by itself
_CHATTER = re.compile(rb"debug\d: .*|OpenSSH_.*")  # messages of ssh -v, which are not errors
GARBLED = b"an answer is damaged; what a login shell there has left behind may write into them"
ENDLESS = b"a login shell there prints without end: "


class Shell:
    """A shell on the host, and the ssh process that leads there.

    Args:
        argv: the ssh command.
        mark: see `library.library`.

    Attributes:
        is_over: whether nothing more will come.
        heard, ticked: the monotonic times of the last bytes, and of the last progress or answer.
        progress: the progress that a call has reported last.
        last: the number of the call that was answered last; the next one is running.
    """

    def __init__(self, argv: Sequence[str], mark: str) -> None:
        pipe = subprocess.PIPE
        # A terminal's Ctrl-C must not reach it: our cleanup still needs it.
        self._process = subprocess.Popen(
            argv, bufsize=0, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
        )
        assert self._process.stdin
        assert self._process.stdout
        assert self._process.stderr
        self._streams = (self._process.stdin, self._process.stdout, self._process.stderr)
        self._head = re.compile(rb"\n%s (\d+) (\d+) " % mark.encode())
        self._tick = re.compile(rb"%s \d+ (\d*)" % mark.encode())
        self._changed = threading.Condition()
        self._unsent: queue.SimpleQueue[bytes] = queue.SimpleQueue()
        self._came, self._said = bytearray(), bytearray()
        self._seen = 0  # bytes already searched for an answer's head
        self._has_begun = False
        self._answers: dict[int, Answer] = {}
        self._numbers = 0
        self._due = 0  # the number of the next answer: each call is answered, in order
        self.is_over = False
        self.heard = self.ticked = time.monotonic()
        self.last = self.progress = 0
        work: list[Callable[[], None]] = [self._write, self._read_answers, self._read_words]
        self._threads = [threading.Thread(target=one, daemon=True) for one in work]
        for thread in self._threads:
            thread.start()

    @property
    def is_ready(self) -> bool:
        """Whether the host has started our shell; the login shell may print something first."""
        return READY in self._came

    def begin(self, library: bytes) -> None:
        """Make the shell read calls; it reports its own start as the answer to call 0."""
        with self._changed:
            self._came.clear()
            self._seen, self._has_begun = 0, True
        self.send(library)

    def next_number(self) -> int:
        """Return the number of the next call."""
        self._numbers += 1
        return self._numbers

    def send(self, data: bytes) -> None:
        """Write data as soon as possible, without waiting for that."""
        self._unsent.put(data)

    def wait(self, done: Callable[[], object], seconds: float) -> None:
        """Wait up to `seconds` until `done` returns something true, or nothing more will come."""
        with self._changed:
            self._changed.wait_for(lambda: done() or self.is_over, seconds)

    def has_answer(self, number: int) -> bool:
        """Return whether a call is answered."""
        return number in self._answers

    def take(self, number: int) -> Answer | None:
        """Return the answer to a call, once, if it has come."""
        with self._changed:
            return self._answers.pop(number, None)

    def said(self) -> bytes:
        """Return the last messages on standard error, or else the output of the login shell."""
        if self.is_over:
            self._threads[2].join(_PARTING)
        with self._changed:
            lines = [line.strip() for line in self._said.splitlines()]
            reasons = [line for line in lines if line and not _CHATTER.fullmatch(line)]
            came = b"" if self._has_begun else bytes(self._came[-1000:])
            return b"\n".join(reasons) or came.strip()

    def close(self) -> None:
        """End the ssh process; the shell then reads the end of its input, and ends."""
        process = self._process
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_PARTING)
        process.kill()
        process.wait()
        self._unsent.put(b"")
        for thread in self._threads:
            thread.join(_PARTING)
        for stream in self._streams:
            stream.close()

    def _write(self) -> None:
        while data := memoryview(self._unsent.get()):
            while data:
                try:
                    data = data[os.write(self._streams[0].fileno(), data) :]
                except (OSError, ValueError):  # that it has ended is noticed when an answer is due
                    return

    def _read_answers(self) -> None:
        while more := _read(self._streams[1]):
            with self._changed:
                self._came += more.replace(b"\0", b"")  # the sign that the shell still runs
                self.heard = time.monotonic()
                is_sound = self._find_answers()
                self._changed.notify_all()
                if not is_sound:
                    self._said = bytearray(self._unsound())
                    break
        with self._changed:
            self.is_over = True
            self._changed.notify_all()

    def _find_answers(self) -> bool:
        """Take whole answers from what has come; return whether all of it is valid."""
        while head := self._head.search(self._came, self._seen):
            end = head.end() + int(head[2])
            if len(self._came) <= end:
                return True
            try:
                if self._came[end] != ord("\n") or int(head[1]) != self._due:
                    return False
                whole = base64.b64decode(self._came[head.end() : end], validate=True)
                output, status, errors = whole.rsplit(b"\0", 2)
                self._answers[int(head[1])] = Answer(int(status), output, errors)
                self.last, self.ticked = int(head[1]), self.heard
                self._due += 1
            except (binascii.Error, ValueError):
                return False
            del self._came[:end]
            self._seen = 0
        self._seen = max(0, len(self._came) - _HEAD)
        return len(self._came) < _NOISE

    def _unsound(self) -> bytes:
        """Return why what has come is not valid."""
        if self._has_begun:
            return GARBLED
        return ENDLESS + self._came[-1000:].splitlines()[-2:][0]  # a whole line, if there are two

    def _read_words(self) -> None:
        while more := _read(self._streams[2]):
            with self._changed:
                self.heard = time.monotonic()
                lines = (self._said + more).split(b"\n")
                ticks = [tick for line in lines[:-1] if (tick := self._tick.fullmatch(line))]
                if ticks:
                    self.ticked = self.heard
                    self.progress = max(self.progress, *(int(tick[1] or 0) for tick in ticks))
                kept = [line for line in lines if not self._tick.fullmatch(line)]
                self._said = bytearray(b"\n".join(kept)[-_SAID:])
                self._changed.notify_all()


def _read(stream: IO[bytes]) -> bytes:
    with contextlib.suppress(OSError, ValueError):  # another thread has closed it meanwhile
        return os.read(stream.fileno(), _CHUNK)
    return b""
