"""Modules that a command needs at its end are imported at its start: it may run for hours."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sites import Site

# Records the modules that are loaded when the work has ended, and at exit prints later ones.
PROGRAM = """
import atexit, contextlib, sys
from csf_backup_plugin.cli.runner import Run
on, loaded = Run.on, set()
@contextlib.contextmanager
def noted(*arguments):
    with on(*arguments) as host:
        yield host
    loaded.update(sys.modules)
Run.on = noted
atexit.register(lambda: print("loaded since:", *sorted({*sys.modules} - loaded), file=sys.stderr))
from csf_simulator.csf.main import main
main()
"""


@pytest.mark.parametrize("options", [(), ("-json",)])
def test_nothing_of_ours_is_loaded_once_the_work_has_ended(
    local_site: Site, options: tuple[str, ...]
) -> None:
    """Another version may have been installed meanwhile, or the plugin's disk may be gone."""
    scratch = local_site.images.parent / "scratch"
    scratch.mkdir()
    image = ("-image-file", f"{local_site.host}:{local_site.image}")
    images = ("-image-dir", f"{local_site.host}:{local_site.images}")
    master = ("-database", local_site.master)
    unmeasured = {name: "" for name in os.environ if name.startswith("COVERAGE_")}
    for command, words in (
        ("backup", (*master, *image)),
        ("verify", image),
        ("verify", images),
        ("drill", (*image, "-scratch-dir", str(scratch))),
        ("drill", (*master, *images, "-last-good", "-scratch-dir", str(scratch))),
        ("restore", (*master, *image, "-yes")),
        ("restore", (*master, *image, "-dry-run")),
        ("manifest", (*master, *image)),
        ("prove", image),
    ):
        argv = [sys.executable, "-c", PROGRAM, f"admin_database_{command}", *words, *options]
        done = local_site.sim.run(argv, env=unmeasured)
        assert done.exit_code == 0, done.stderr
        since = done.stderr.splitlines()[-1]
        assert since.startswith("loaded since:")
        assert "csf_backup_plugin" not in since, (command, since)
