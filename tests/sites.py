"""A simulated site: a repository, a directory for images, and the main job as users type it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from cards import is_of_a_card

if TYPE_CHECKING:
    from pathlib import Path

    from csf_simulator.simulator import Result, Simulator

#: root without its capabilities, so that permissions hold as for any other user.
PLAIN = ("setpriv", "--bounding-set=-all", "--inh-caps=-all", "--") if os.geteuid() == 0 else ()


def let_read(directory: str) -> None:
    """Remove everybody's write permission for a directory and its files."""
    for name in os.listdir(directory):
        os.chmod(os.path.join(directory, name), 0o444)
    os.chmod(directory, 0o555)


class Site:
    """A simulated site: a repository of two classes, and an empty directory for images.

    Args:
        sim: the simulator it lives in.
        root: where the images go.
        host: what the machine they are on is called.
    """

    def __init__(self, sim: Simulator, root: Path, host: str = "localhost") -> None:
        self.sim = sim
        self.host = host
        self.master = sim.repository(classes=2)
        self.repository = os.path.dirname(self.master)
        self.images = root / "images"
        self.images.mkdir()
        self.image = str(self.images / "a.img")

    def command(self, *options: str) -> list[str]:
        """Return the backup's command line."""
        image = f"{self.host}:{self.image}"
        return [
            *("csf", "admin_database_backup", "-database", self.master, "-image-file", image),
            *options,
        ]

    def backup(self, *options: str, **variables: str) -> Result:
        """Back the repository up, with some more environment variables."""
        return self.sim.run(self.command(*options), env=variables)

    def restore_command(self, *options: str) -> list[str]:
        """Return the restore's command line."""
        image = f"{self.host}:{self.image}"
        return [
            *("csf", "admin_database_restore", "-database", self.master, "-image-file", image),
            *options,
        ]

    def restore(self, *options: str, **variables: str) -> Result:
        """Restore the repository, with some more environment variables."""
        return self.sim.run(self.restore_command(*options), env=variables)

    def create(self, name: str) -> str:
        """Create a class; return its database's path."""
        made = self.sim.csf("class_create", "-database", self.master, f"-class={name}")
        assert made.exit_code == 0, made.stderr
        return made.stdout.rstrip("\n")

    def databases(self) -> dict[str, bytes]:
        """Return the databases in the repository's directory, by path."""
        found = {}
        for name in os.listdir(self.repository):
            if name.endswith(".db"):
                with open(os.path.join(self.repository, name), "rb") as file:
                    found[os.path.join(self.repository, name)] = file.read()
        return found

    def refused_by_a_utility(self, command: list[str]) -> Result:
        """Run a command that does not wait for the lock, once a killed csf has lost it.

        The shell on another host needs a moment to notice that its csf is gone.
        """
        while True:
            refused = self.sim.run(command, env={"CSF_BACKUP_LOCK_WAIT": "0"})
            if self.host == "localhost" or " is held by csf " not in refused.stderr:
                return refused

    def on_image(self, command: str, *options: str, **variables: str) -> Result:
        """Run another command on the image, with some more environment variables."""
        image = f"{self.host}:{self.image}"
        return self.sim.run(["csf", command, "-image-file", image, *options], env=variables)

    def listing(self) -> dict[str, tuple[int, bytes]]:
        """Return every file of repository and images, with its timestamp and contents.

        Of the lock file only the name counts, as it names its last holder. Recovery cards are left
        out.
        """
        found = {}
        for top in (self.repository, str(self.images)):
            for at, directories, names in os.walk(top):
                for path in (os.path.join(at, name) for name in (*names, *directories)):
                    if is_of_a_card(path):
                        continue
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
