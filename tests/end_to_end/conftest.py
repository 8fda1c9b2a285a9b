"""A simulator for each test, and the main job as a csf administrator types it."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from csf_simulator.simulator import Result, Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Site:
    """A simulated site: a repository of two classes, and an empty directory for images.

    Args:
        sim: the simulator it lives in.
        root: where the images go.
    """

    def __init__(self, sim: Simulator, root: Path) -> None:
        self.sim = sim
        self.master = sim.repository(classes=2)
        self.repository = os.path.dirname(self.master)
        self.images = root / "images"
        self.images.mkdir()
        self.image = str(self.images / "a.img")

    def command(self, *options: str) -> list[str]:
        """Return the backup's command line."""
        image = f"localhost:{self.image}"
        return [
            *("csf", "admin_database_backup", "-database", self.master, "-image-file", image),
            *options,
        ]

    def backup(self, *options: str, **variables: str) -> Result:
        """Back the repository up, with variables set in the environment besides."""
        return self.sim.run(self.command(*options), env=variables)

    def listing(self) -> dict[str, tuple[int, bytes]]:
        """Return every file of repository and images, with its time of change and contents.

        The lock file is a name only: it says who held it last.
        """
        found = {}
        for top in (self.repository, str(self.images)):
            for at, directories, names in os.walk(top):
                for path in (os.path.join(at, name) for name in (*names, *directories)):
                    found[path] = (0, b"")
                    if os.path.isfile(path) and not path.endswith(".lock"):
                        with open(path, "rb") as file:
                            found[path] = (os.lstat(path).st_mtime_ns, file.read())
        return found

    def restored(self, scratch: Path) -> str:
        """Restore the image into a directory; return the master database there."""
        scratch.mkdir()
        pair = [self.repository, str(scratch)]
        result = self.sim.run(["osrestore", "-f", self.image, *pair])
        assert result.exit_code == 0, result.stderr
        return str(scratch / os.path.basename(self.master))


@pytest.fixture(scope="session")
def namespace() -> list[str]:
    """Return a command prefix that runs a shell script in a mount namespace of its own."""
    prefix = ["unshare", "-rm", "sh", "-euc"]
    try:
        subprocess.run([*prefix, "mount -t tmpfs none /mnt"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        needed = f"mount namespaces are needed: {error}"
        pytest.fail(needed) if os.environ.get("CI") else pytest.skip(needed)
    return prefix


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Return a simulated site."""
    for name in ("CSF_BACKUP_OSBACKUP", "CSF_BACKUP_OSRESTORE", "CSF_BACKUP_LOCK_WAIT"):
        monkeypatch.delenv(name, raising=False)
    with Simulator(str(tmp_path / "home")) as sim:
        yield Site(sim, tmp_path)
