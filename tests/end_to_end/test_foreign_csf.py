"""The plugin in a csf it does not know, with an osbackup and an osrestore made of tar."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from conftest import Place, Tools

# A csf written for this test. {class_create} is its second hook, which may be missing.
CSF = """
import click
import pluggy

hookspec = pluggy.HookspecMarker("csf")
hookimpl = pluggy.HookimplMarker("csf")


class Hooks:
    @hookspec
    def register_commands(self, cli): ...
{class_create}

class Own:
    @hookimpl
    def class_create(self, master_database, class_name):
        path = master_database.replace("lib", class_name)
        open(path, "x").close()
        return path


pm = pluggy.PluginManager("csf")
pm.add_hookspecs(Hooks)
pm.load_setuptools_entrypoints("csf")
pm.check_pending()
csf = click.Group("csf")
pm.hook.register_commands(cli=csf)


@csf.command("create")
@click.argument("master")
@click.argument("name")
def create(master, name):
    pm.register(Own())
    click.echo(pm.hook.class_create(master_database=master, class_name=name))


csf()
"""
CLASS_CREATE = """
    @hookspec(firstresult=True)
    def class_create(self, master_database, class_name): ...
"""


def run(csf: Path, *args: str) -> subprocess.CompletedProcess[str]:
    """Run the foreign csf."""
    command = [sys.executable, str(csf), *args]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True)


@pytest.mark.parametrize("class_create", [CLASS_CREATE, ""], ids=["two hooks", "one hook"])
def test_a_csf_with_either_hook_makes_a_proven_backup(
    place: Place, tools: Tools, tmp_path: Path, class_create: str
) -> None:
    """The plugin needs only the hooks of csf, and the documented behaviour of the utilities."""
    csf = tmp_path / "csf.py"
    csf.write_text(CSF.format(class_create=class_create))
    if class_create:
        assert run(csf, "create", place.master, "New").stdout == f"{place.repository}/New.db\n"
        assert os.path.exists(f"{place.master}.manifest")
    image = f"localhost:{place.image}"
    ended = run(csf, "admin_database_backup", "-database", place.master, "-image-file", image)
    assert ended.returncode == 0, ended.stderr
    assert tools.calls == [["-a", "-I", f"{place.image}.dbn", "-f", place.image]]
    listed = subprocess.run(["tar", "-tPf", place.image], capture_output=True, text=True).stdout
    assert f"{place.repository}/New.db" in listed.splitlines() or not class_create
    assert os.path.exists(f"{place.image}.receipt.json")


def test_class_create_is_refused_while_a_backup_runs(
    place: Place, tools: Tools, tmp_path: Path
) -> None:
    """csf ends with the plugin's exit code and message, and creates nothing."""
    csf = tmp_path / "csf.py"
    csf.write_text(CSF.format(class_create=CLASS_CREATE))
    nested = f"CSF_BACKUP_LOCK_WAIT=0 '{sys.executable}' '{csf}' create '{place.master}' New"
    tools.write("osbackup", f"{nested} >&2; echo exit $?; exit 9")
    image = f"localhost:{place.image}"
    ended = run(csf, "admin_database_backup", "-database", place.master, "-image-file", image)
    assert ended.returncode == 40
    assert "is held by csf admin_database_backup (process" in ended.stderr
    assert "exit 20" in ended.stderr
    assert not (place.repository / "New.db").exists()
