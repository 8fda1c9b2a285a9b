"""The main job with the lowest versions that the metadata allows, in an environment without pytest.

``python tests/packaging/lowest.py``. pytest needs a newer pluggy than the plugin does: in an
environment that has both, the plugin is tested with the newer one, whatever was asked for.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import re
import sys
import tempfile

from csf_simulator.simulator import Simulator

HELP = "admin_database_"
CHECKLIST = ("-m", "csf_backup_plugin.contract", "csf_simulator.csf.main:make_plugin_manager")


def main() -> None:
    """Check the versions, and do everything that a user does first."""
    check_versions()
    with Simulator() as sim, tempfile.TemporaryDirectory() as images:
        names = re.findall(rf"^  ({HELP}\w+)", said(sim, "csf", "-help"), re.MULTILINE)
        assert len(names) > 1, names
        for name in names:
            assert "-json" in said(sim, "csf", name, "-help")
        fits = said(sim, sys.executable, *CHECKLIST, "-try", sim.repository())
        assert "does not fit" not in fits, fits
        check_main_job(sim, f"localhost:{images}/a.img")


def check_versions() -> None:
    """The lowest versions are installed, and nothing that would need newer ones."""
    assert importlib.util.find_spec("pytest") is None
    needed = importlib.metadata.requires("csf-backup-plugin") or []
    lowest = dict(line.split(">=") for line in needed if ";" not in line)
    assert {*lowest} == {"click", "pluggy"}
    for name, version in lowest.items():
        installed = importlib.metadata.version(name)
        print(f"{name} {installed}")
        assert installed.removesuffix(".0") == version.removesuffix(".0"), (name, version)


def check_main_job(sim: Simulator, image: str) -> None:
    """A class is created; the repository is backed up, verified, and restored as it was."""
    master = sim.repository(classes=1)
    made = said(sim, "csf", "class_create", "-database", master, "-class", "Book").rstrip("\n")
    with open(f"{master}.manifest") as file:
        assert os.path.basename(made) in file.read()
    where = ("-database", master, "-image-file", image)
    said(sim, "csf", "admin_database_backup", *where)
    said(sim, "csf", "admin_database_verify", "-image-file", image)
    with open(made, "r+b") as file:
        file.write(b"\0" * 512)
    assert sim.check(master)
    said(sim, "csf", "admin_database_restore", *where, "-yes")
    assert sim.check(master) == []


def said(sim: Simulator, *command: str) -> str:
    """Run a command that succeeds; return what it prints."""
    code, out, err = sim.run(command)
    assert code == 0, (command, out, err)
    return out


if __name__ == "__main__":
    main()
