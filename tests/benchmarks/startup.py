"""What csf costs with the plugin, beside the same csf without it: each in a venv of its own."""

from __future__ import annotations

import importlib.util
import os
import tempfile
import venv
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.table import Table
from benchmarks.timing import ROUND, Case, alternate

from csf_simulator.simulator import Simulator

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.sizes import Sizes

_CSF = "from csf_simulator.csf.main import main; main()"
_PLUGIN = "csf_backup_plugin"
_OTHERS = ("click", "pluggy", "csf_simulator")
_METADATA = f"Metadata-Version: 2.1\nName: {_PLUGIN}\nVersion: 0\n"


def tables(sizes: Sizes) -> Iterator[Table]:
    """Measure csf -help, and class_create in repositories with few and many databases."""
    with tempfile.TemporaryDirectory() as root, Simulator() as sim:
        without = _csf(Path(root, "without"), with_plugin=False)
        with_it = _csf(Path(root, "with"), with_plugin=True)
        environment = sim.home.environment(os.environ)
        cases = [
            Case("csf -help without the plugin", [*without, "-help"]),
            Case("csf -help", [*with_it, "-help"], "csf -help without the plugin", 1.1),
        ]
        for databases in sizes.databases:
            master = sim.repository(classes=databases - 2)
            create = ["class_create", "-database", master, "-class"]
            bare = f"class_create without the plugin, {databases:,} databases"
            cases += [
                Case(bare, [*without, *create, f"Bare{ROUND}"]),
                Case(
                    f"class_create, {databases:,}", [*with_it, *create, f"New{ROUND}"], bare, 1.05
                ),
            ]
        costs = alternate(cases, sizes.starts, environment)
    yield Table("start-up", cases, costs)


def _csf(root: Path, *, with_plugin: bool) -> list[str]:
    """Make a venv of what is installed here; return the command line of its csf."""
    venv.create(root, symlinks=True)
    (site,) = root.glob("lib/python*/site-packages")
    for package in (*_OTHERS, *([_PLUGIN] if with_plugin else [])):
        spec = importlib.util.find_spec(package)
        assert spec
        assert spec.submodule_search_locations
        (site / package).symlink_to(spec.submodule_search_locations[0])
    if with_plugin:
        information = site / f"{_PLUGIN}-0.dist-info"
        information.mkdir()
        (information / "METADATA").write_text(_METADATA)
        (information / "entry_points.txt").write_text(f"[csf]\nbackup = {_PLUGIN}.plugin\n")
    return [str(root / "bin" / "python"), "-I", "-c", _CSF]
