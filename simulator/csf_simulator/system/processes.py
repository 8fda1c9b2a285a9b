"""Run a command to its end, and return what it wrote."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple


class Result(NamedTuple):
    """How a command ended: exit code (-N: by signal N), and all it wrote."""

    exit_code: int
    stdout: str
    stderr: str


def run_to_end(
    command: Sequence[str], *, env: Mapping[str, str], cwd: str | None, timeout: float
) -> Result:
    """Run a command in a session of its own, with nothing on its standard input.

    Args:
        command: program and arguments.
        env: its whole environment.
        cwd: directory to run in.
        timeout: seconds until it is killed, with all processes of its session.

    Raises:
        subprocess.TimeoutExpired: it was killed.
    """
    process = subprocess.Popen(
        command,
        env=env,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    with process:
        try:
            stdout, stderr = process.communicate(timeout=timeout)
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    return Result(process.returncode, os.fsdecode(stdout), os.fsdecode(stderr))
