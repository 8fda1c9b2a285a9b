"""Programs below the shell on a host: the parts of program.sh by themselves."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

import csf_backup_plugin.hosts.ssh

SCRIPT = Path(csf_backup_plugin.hosts.ssh.__file__).with_name("program.sh")


@pytest.mark.parametrize("shell", ["bash", "dash"])
def test_the_end_of_a_stream_is_told_in_one_piece(shell: str) -> None:
    """The end mark is one write (here: one packet), so no part of it counts as output."""
    path = shutil.which(shell)
    assert path
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        script = f"""
            . {SCRIPT}; csf_mark=MARK csf_signals=
            exec 5<&0 6</dev/null 7>&1 8>/dev/null
            csf_supervise 'printf data >&2'
        """
        subprocess.run(
            [path, "-c", script],
            stdin=theirs.fileno(),
            stdout=theirs.fileno(),
            timeout=60,
            check=True,
        )
        theirs.close()
        packets = [*iter(lambda: ours.recv(1000), b"")]
    assert [packet for packet in packets if not packet.strip().isdigit()] == [
        *[b"data", b"MARK\n", b"MARK\n"]
    ]
