"""The sshd of the tests ends with them."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import needed
from waiting import wait_for

if TYPE_CHECKING:
    from pathlib import Path

SCRIPT = """
import pathlib, sys
from sshd import Sshd
server = Sshd(pathlib.Path(sys.argv[1]), {"HOME": sys.argv[1]})
server.start()
print(server._process.pid, flush=True)
sys.stdin.read()
"""


def test_a_server_ends_with_the_tests_that_are_killed(tmp_path: Path) -> None:
    """Otherwise each killed run would leave a server that listens for ever."""
    needed.program("sshd", "openssh-server")
    with subprocess.Popen(
        [sys.executable, "-c", SCRIPT, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as tests:
        assert tests.stdout
        server = int(tests.stdout.readline())
        assert _name(server) == "sshd"
        tests.kill()
    wait_for(lambda: _name(server) != "sshd")


def _name(pid: int) -> str:
    """Return the name of a process; empty if it has ended."""
    try:
        with open(f"/proc/{pid}/stat") as file:
            name, _, rest = file.read().partition(")")
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if rest.split()[0] == "Z" else name.partition("(")[2]
