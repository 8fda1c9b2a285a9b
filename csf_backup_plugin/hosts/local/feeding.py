"""A program that gets a text on its standard input, and prints on csf's standard error."""

from __future__ import annotations

import os
import subprocess
import time
from typing import IO, TYPE_CHECKING

from csf_backup_plugin.hosts.local.process_group import Group

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from csf_backup_plugin.cancellation import Cancellation

_POLL = 0.1  # seconds
_STANDARD_ERROR = 2


def feed(
    argv: Sequence[str],
    data: bytes,
    environ: Mapping[str, str],
    timeout: float,
    cancellation: Cancellation,
) -> int:
    """Run a program to its end; processes that it leaves behind go on.

    Args:
        argv: the command.
        data: what is on its standard input; it need not read that.
        environ: its environment. All that it prints goes to our standard error.
        timeout: how long it may take, in seconds.
        cancellation: stops it earlier.

    Returns:
        Its status, as `subprocess` gives it, or `protocol.UNKNOWN`.

    Raises:
        Interrupted: a signal came, and it was stopped with all in its process group.
        TimeoutError: it was still running then, and was stopped in the same way.
        OSError: it cannot be run.
    """
    deadline, rest = time.monotonic() + timeout, memoryview(data)
    popen = subprocess.Popen(
        argv,
        bufsize=0,
        stdin=subprocess.PIPE,
        stdout=_STANDARD_ERROR,
        env=environ,
        start_new_session=True,
    )
    program = Group.of(popen)
    assert popen.stdin is not None
    with popen.stdin as pipe:
        os.set_blocking(pipe.fileno(), False)
        try:
            while time.monotonic() < deadline:
                cancellation.check()
                rest = _given(pipe, rest)
                if (status := program.wait(_POLL)) is not None:
                    return status
            raise TimeoutError
        except BaseException:
            program.close()
            raise


def _given(pipe: IO[bytes], rest: memoryview) -> memoryview:
    """Write what a pipe takes now; close it after the last byte; return what is left to write."""
    if pipe.closed:
        return rest
    try:
        rest = rest[os.write(pipe.fileno(), rest) :]
    except BlockingIOError:
        return rest
    except BrokenPipeError:  # it reads no more
        rest = rest[:0]
    if not rest:
        pipe.close()
    return rest
