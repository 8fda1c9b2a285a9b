"""The main job with the installed entry point: csf, the plugin, osbackup and a proven image."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from cards import besides_cards

if TYPE_CHECKING:
    from pathlib import Path

    from sites import Site

RECORDER = """#!/bin/sh
printf '%s\\n' "$@" >> {record}
wc -c >> {record}
echo end >> {record}
exec {real} "$@"
"""


def test_a_growing_repository_is_backed_up_whole_and_restores_sound(
    site: Site, tmp_path: Path
) -> None:
    """Each image has exactly the classes of its time, and the simulator finds it sound."""
    for number, name in enumerate(("Book", "Reader")):
        created = site.sim.csf("class_create", "-database", site.master, "-class", name)
        assert created.exit_code == 0, created.stderr
        site.image = str(site.images / f"{number}.img")
        result = site.backup()
        assert (result.exit_code, result.stdout) == (0, ""), result.stderr
        with open(f"{site.image}.dbn") as file:
            assert len(file.read().splitlines()) == 5 + number
        master = site.restored(tmp_path / f"scratch{number}")
        assert site.sim.check(master) == []
        assert os.path.exists(os.path.join(os.path.dirname(master), f"{name}.db"))
    assert not os.path.exists(tmp_path / "scratch0" / "Reader.db")


def test_osbackup_is_called_once_exactly_as_documented(local_site: Site, tmp_path: Path) -> None:
    """An osbackup earlier on PATH records its arguments, and runs the real one."""
    real = os.path.join(local_site.sim.home.bin, "osbackup")
    recorder = tmp_path / "first" / "osbackup"
    recorder.parent.mkdir()
    record = tmp_path / "record"
    recorder.write_text(RECORDER.format(record=record, real=real))
    recorder.chmod(0o755)
    path = f"{recorder.parent}:{local_site.sim.home.environment(os.environ)['PATH']}"
    result = local_site.backup(PATH=path)
    assert result.exit_code == 0, result.stderr
    assert record.read_text().split() == [
        *("-a", "-I", f"{local_site.image}.dbn", "-f", local_site.image, "0", "end")
    ]


def test_class_create_keeps_the_manifest_current(site: Site) -> None:
    """A database that is lost later is reported as missing."""
    site.sim.csf("class_create", "-database", site.master, "-class", "Book")
    os.unlink(os.path.join(site.repository, "Book.db"))
    before = site.listing()
    result = site.backup()
    assert result.exit_code == 13
    assert f"{site.repository}/Book.db" in result.stderr
    assert site.listing() == before


ODD = ["a b", "it's", 'say "x"', "$(touch x)", "x;y", "-rf", "Größe", "&", "*"]


def test_odd_names_survive_everywhere(site: Site, tmp_path: Path) -> None:
    """Unusual names of classes, of the repository's directory and of the image work."""
    odd = os.path.join(os.path.dirname(site.repository), "it's a $(touch x) 'r;é")
    os.rename(site.repository, odd)
    site.repository, site.master = odd, os.path.join(odd, os.path.basename(site.master))
    for name in ODD:
        created = site.sim.csf("class_create", "-database", site.master, f"-class={name}")
        assert created.exit_code == 0, created.stderr
    for name in ODD:
        site.image = str(site.images / name)
        assert site.backup("-wait", "0").exit_code == 0
    site.image = str(site.images / ODD[0])
    assert site.sim.check(site.restored(tmp_path / "scratch")) == []
    assert not list(tmp_path.rglob("x"))


def test_a_thousand_classes_are_one_backup(site: Site) -> None:
    """Its image has two base databases, and one for each class."""
    site.master = site.sim.repository(classes=1000)
    result = site.backup("-json")
    assert result.exit_code == 0, result.stderr
    assert len(json.loads(result.stdout)["databases"]) == 1002


def test_two_backups_at_once_to_one_image_are_one_backup(site: Site) -> None:
    """One of them, either one, is refused before it creates anything."""
    command, environment = site.command(), site.sim.home.environment(os.environ)
    running = [
        subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    errors = [process.communicate()[1] for process in running]
    assert sorted(process.returncode for process in running) == [0, 10], errors
    assert len(besides_cards(site.images)) == 3


def test_two_backups_at_once_to_two_images_both_succeed(site: Site) -> None:
    """The second one waits for the repository's lock, and names the command that holds it."""
    environment = site.sim.home.environment(os.environ)
    running = []
    for name in ("a.img", "b.img"):
        site.image = str(site.images / name)
        running.append(subprocess.Popen(site.command(), env=environment, stderr=subprocess.PIPE))
    errors = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], errors
    assert len(besides_cards(site.images)) == 6


def test_it_runs_in_crons_bare_environment(local_site: Site) -> None:
    """A backup works without terminal, HOME or locale, with ObjectStore found by OS_ROOTDIR."""
    csf = os.path.join(local_site.sim.home.bin, "csf")
    bare = {
        "CSF_SIM_HOME": local_site.sim.home.path,
        "CSF_BACKUP_STATE_DIR": os.path.join(local_site.sim.home.path, "state"),
        "OS_ROOTDIR": local_site.sim.home.path,
        "PATH": "/bin",
    }
    ended = subprocess.run(
        [csf, *local_site.command()[1:]], env=bare, stdin=subprocess.DEVNULL, capture_output=True
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout == b""
    lines = ended.stderr.decode().splitlines()
    assert [line for line in lines if not line.startswith("warning: ")] == lines[-1:]


def test_without_the_utilities_nothing_is_begun(local_site: Site) -> None:
    """The command creates nothing, and the message lists where it looked."""
    empty = local_site.images.parent / "empty"
    empty.mkdir()
    shutil.copy(os.path.join(local_site.sim.home.bin, "csf"), empty)
    before = local_site.listing()
    result = local_site.backup(PATH=f"{empty}:/usr/bin:/bin")
    assert result.exit_code == 32
    assert f"$PATH = {empty}:/usr/bin:/bin" in result.stderr
    assert local_site.listing() == before


def imports(site: Site, program: str, *arguments: str, exit_code: int = 0) -> set[str]:
    """Return the modules that a Python program imports, with those of the environment's start."""
    unmeasured = {name: "" for name in os.environ if name.startswith("COVERAGE_")}
    told = "atexit.register(lambda: print(*sys.modules, sep=chr(10), file=sys.stderr))"
    argv = [sys.executable, "-c", f"import atexit, sys; {told}; {program}", *arguments]
    result = site.sim.run(argv, env=unmeasured)
    assert result.exit_code == exit_code, result.stderr
    return {*result.stderr.splitlines()}


def test_help_costs_csf_only_click_pluggy_and_the_standard_library(local_site: Site) -> None:
    """Only the lines of the commands in it are imported from the plugin."""
    program = "from csf_simulator.csf.main import main; main()"
    imported = imports(local_site, program, "-help")
    tops = {name.partition(".")[0] for name in imported - imports(local_site, "")}
    # Python 3.12 looks for its own _wmi everywhere, and does not list it.
    known = {*sys.stdlib_module_names, "_wmi"}
    known |= {"click", "pluggy", "csf_simulator", "csf_backup_plugin"}
    assert tops - known == set()
    ours = {name for name in imported if name.startswith("csf_backup_plugin.")}
    assert ours == {f"csf_backup_plugin.{name}" for name in ("plugin", "cli", "cli.later")}


def test_class_create_costs_csf_a_lock_and_an_append(local_site: Site) -> None:
    """No log, no host but this one, no process: modules that a class_create does not need."""
    create = ("class_create", "-database", local_site.master, "-class")
    program = "from csf_simulator.csf.main import main; main()"
    imports(local_site, program, *create, "First")  # which makes the manifest
    imported = imports(local_site, program, *create, "Second")
    assert {"logging", "subprocess", "dataclasses", "json", "hashlib"} & imported == set()
    ours = {name for name in imported if name.startswith("csf_backup_plugin.")}
    assert ours == {
        f"csf_backup_plugin.{name}"
        for name in (
            *("plugin", "cli", "cli.later", "cli.class_create"),
            *("operations", "operations.class_creation", "operations.lock_wait"),
            *("repository", "repository.model", "repository.new_database"),
            *("repository.lock_warnings", "repository.manifest_lines"),
            "repository.unfinished_restore",
            *("hosts", "hosts.common", "hosts.local", "hosts.local.appending"),
            *("hosts.local.entries", "hosts.local.kinds", "hosts.local.lock"),
            *("hosts.local.lock_file", "hosts.local.opening", "hosts.local.process_table"),
            "hosts.local.quick",
            *("advised_commands", "cancellation", "command_names", "errors", "exit_codes"),
            *("names", "system_errors"),
        )
    }


def test_a_status_without_a_fleet_file_loads_nothing_of_fleets(local_site: Site) -> None:
    """Nor of schedules and rotations, which a fleet file can describe."""
    directory = f"localhost:{local_site.images}"
    program = "from csf_simulator.csf.main import main; main()"
    options = ("-image-dir", directory, "-database", f"localhost:{local_site.master}")
    imported = imports(local_site, program, "admin_database_status", *options, exit_code=70)
    assert "csf_backup_plugin.operations.status" in imported
    unneeded = ("fleet.file", "fleet.status", "operations.schedule", "operations.rotate")
    assert not {f"csf_backup_plugin.{name}" for name in unneeded} & imported


@pytest.mark.parametrize("option", ["-help", "--help"])
def test_csfs_help_has_our_command(site: Site, option: str) -> None:
    """csf -help lists the command under its name."""
    assert "admin_database_backup" in site.sim.csf(option).stdout
