"""The main job with the lowest versions of the metadata, in an environment without pytest.

``python tests/packaging/lowest.py``. pytest needs a newer pluggy than the plugin: in an environment
with both, the plugin would be tested with the newer one.
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
    """Check the versions, and run a user's first commands."""
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
    """Check that the lowest versions are installed, and nothing that needs newer ones."""
    assert importlib.util.find_spec("pytest") is None
    needed = importlib.metadata.requires("csf-backup-plugin") or []
    lowest = dict(line.split(">=") for line in needed if ";" not in line)
    assert {*lowest} == {"click", "pluggy"}
    for name, version in lowest.items():
        installed = importlib.metadata.version(name)
        print(f"{name} {installed}")
        assert installed.removesuffix(".0") == version.removesuffix(".0"), (name, version)


def check_main_job(sim: Simulator, image: str) -> None:
    """Create a class; back up, verify and restore the repository."""
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
    """Run a command that must succeed; return its output."""
    code, out, err = sim.run(command)
    assert code == 0, (command, out, err)
    return out


if __name__ == "__main__":
    main()
