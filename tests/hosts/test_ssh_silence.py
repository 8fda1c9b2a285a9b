"""A host that becomes silent: it neither refuses nor closes the connection."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from sshd import Sshd, reached

from csf_backup_plugin.errors import HostUnreachable, TimedOut
from csf_backup_plugin.hosts.ssh import link, waiting

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.remote

SOON = " -o ConnectTimeout=3 -o ServerAliveInterval=1 -o ServerAliveCountMax=4"


def ip(*words: str) -> None:
    """Run ip, of iproute2."""
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Far:
    """A host in a network namespace, at the other end of a virtual cable."""

    def __init__(self, directory: Path) -> None:
        number = os.getpid()  # one process runs one test at a time
        self._name, self._cable = f"csf{number}", f"csf{number}a"
        third, fourth = divmod(number % (253 * 64) * 4 + 256, 256)
        near, far = f"169.254.{third}.{fourth + 1}", f"169.254.{third}.{fourth + 2}"
        ip("netns", "add", self._name)
        ip("link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", self._name)
        ip("addr", "add", f"{near}/30", "dev", self._cable)
        ip("link", "set", self._cable, "up")
        for words in (f"addr add {far}/30 dev eth0", "link set eth0 up", "link set lo up"):
            ip("-n", self._name, *words.split())
        environment = {"HOME": str(directory), "PATH": os.environ["PATH"]}
        below = ["ip", "netns", "exec", self._name]
        self.sshd = Sshd(directory, environment, below=below, address=far)
        self.sshd.command += SOON

    def cable(self, state: str) -> None:
        """Plug the cable in (up), or pull it at the far end, which is not noticed here (down)."""
        ip("-n", self._name, "link", "set", "eth0", state)

    def remove(self) -> None:
        """Remove everything; a session without its cable would take long to notice."""
        self.sshd.cut()
        self.sshd.stop()
        ip("link", "delete", self._cable)
        ip("netns", "delete", self._name)


@pytest.fixture
def far(tmp_path: Path) -> Iterator[Far]:
    """Yield a host whose cable can be pulled."""
    if os.geteuid() != 0:
        pytest.skip("network namespaces with a cable between them are root's")
    directory = tmp_path / "sshd"
    directory.mkdir()
    host = Far(directory)
    host.sshd.start()
    yield host
    host.remove()


def test_a_silence_is_waited_for_to_end(far: Far, tmp_path: Path) -> None:
    """If the host answers again, the true exit status of osbackup is returned."""
    go = tmp_path / "go"
    script = 'while [ ! -e "$1" ]; do sleep 0.02; done; exit 4'
    argv = ["sh", "-c", script, "sh", str(go)]
    with reached(far.sshd) as host, host.start(argv, "/no", None, str(tmp_path / "run")) as running:
        running.poll()
        far.cable("down")
        go.touch()
        logins = far.sshd.logins()
        assert running.poll() == (None, 0)
        far.cable("up")
        while not (ended := running.poll()[0]):
            pass
        assert ended.status == 4
    assert far.sshd.logins() <= logins + 1


def test_a_silence_that_does_not_end_is_no_hang(
    far: Far, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If the host stays silent, calls end, and the error says what may still be running."""
    with reached(far.sshd) as host:
        with (
            pytest.raises(TimedOut, match="may still be running"),
            host.start(["sleep", "20"], "/no", None, str(tmp_path / "run")) as running,
        ):
            far.cable("down")
            monkeypatch.setattr(link, "PATIENCE", 0.5)
            monkeypatch.setattr(waiting, "SILENCE", 0.5)
            assert running.poll() == (None, 0)
            raise TimedOut("It took too long.", "Look.")
        with pytest.raises(HostUnreachable, match="timed out|No route|not responding"):
            host.read("/no")
