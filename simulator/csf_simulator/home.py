"""The home directory of a simulator: its server, and a private folder with the executables."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping

from csf_simulator.faults.script import Faults
from csf_simulator.server.server import Server
from csf_simulator.system.environment import without_foreign
from csf_simulator.system.executables import write_executable

HOME_VARIABLE = "CSF_SIM_HOME"
STATE_VARIABLE = "CSF_BACKUP_STATE_DIR"  # where csf-backup-plugin keeps its ledger and records
EXECUTABLES = {
    "csf": "csf_simulator.csf.main",
    "osbackup": "csf_simulator.utilities.osbackup",
    "osrestore": "csf_simulator.utilities.osrestore",
    "ossvrstat": "csf_simulator.utilities.ossvrstat",
    "osverifydb": "csf_simulator.utilities.osverifydb",
}


class HomeError(ValueError):
    """A directory cannot be a simulator's home; the message says why."""


class Home:
    """The directory that `CSF_SIM_HOME` names.

    The names csf, osbackup and so on exist in its `bin` only, which comes first on the PATH of
    commands that must see the simulator: no other command runs a fake by accident.

    Args:
        path: the directory; `create` makes it.

    Attributes:
        variables: more variables for commands, such as `CSF_BACKUP_LOCK_WAIT`; empty at first.

    Raises:
        HomeError: the path holds a colon, so that PATH could not name what is below.
    """

    def __init__(self, path: str) -> None:
        self.path = os.path.abspath(path)
        self.bin = os.path.join(self.path, "bin")
        self.variables: dict[str, str] = {}
        self.faults = Faults(os.path.join(self.path, "faults"))
        self.server = Server(os.path.join(self.path, "server"))
        if os.pathsep in self.path:
            raise HomeError(f"{self.path} holds a colon, which PATH does not allow for")

    def create(self) -> None:
        """Make what is missing, for this Python; several processes may do so at once."""
        os.makedirs(self.bin, exist_ok=True)
        self.server.create()
        for name, module in EXECUTABLES.items():
            write_executable(os.path.join(self.bin, name), _script(module))

    def environment(self, base: Mapping[str, str]) -> dict[str, str]:
        """Return the environment in which a command sees this simulator and nothing real.

        OS_ROOTDIR and CSF_BACKUP_* of the base are left out; set them in `variables` or in the
        result. What csf-backup-plugin records of its commands stays in the simulator's home.

        Args:
            base: the environment to start from, such as `os.environ`.
        """
        places = base.get("PATH", os.defpath).split(os.pathsep)
        others = [place for place in places if place != self.bin]
        path = os.pathsep.join([self.bin, *others])
        own = {HOME_VARIABLE: self.path, "PATH": path}
        own[STATE_VARIABLE] = os.path.join(self.path, "state")
        return {**without_foreign(base), **own, **self.variables}


def require_home() -> str:
    """Return the absolute path of the simulator's home directory; it need not exist.

    Raises:
        SystemExit: with a message and status 1: the variable is not set. So a fake that is on a
            PATH by accident never passes for the real utility.
    """
    home = os.environ.get(HOME_VARIABLE, "")
    if not home:
        sys.exit(
            f"{HOME_VARIABLE} is not set: this is a simulated ObjectStore, which runs only inside "
            'a simulator\'s home.\nUse `csf-sim run -- COMMAND ...` or `eval "$(csf-sim env)"`.'
        )
    return os.path.abspath(home)


def _script(module: str) -> bytes:
    """Return an executable that runs `main` of a module, isolated from the user's Python."""
    code = f"from {module} import main; main()"
    python = shlex.quote(sys.executable)
    return os.fsencode(f'#!/bin/sh\nexec {python} -I -c {shlex.quote(code)} "$@"\n')
