"""The examples in docs/plugin-authors.md work, and its requirements are those installed."""

from __future__ import annotations

import configparser
import re
import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

from csf_backup_plugin import plugin
from csf_backup_plugin.contract.__main__ import main

if TYPE_CHECKING:
    import pluggy
    from conftest import Place

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/plugin-authors.md").read_text(encoding="utf-8")
MODULES = dict(re.findall(r"<!-- (\w+)\.py -->\n```python\n(.*?)```", TEXT, re.DOTALL))


@pytest.fixture
def shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write the modules of the document to a directory on the import path."""
    at = tmp_path / "shown"
    at.mkdir()
    for name, text in MODULES.items():
        (at / f"{name}.py").write_text(text)
        monkeypatch.setitem(sys.modules, name, None)  # so that it is removed again
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(at)
    return at


def session(mark: str) -> tuple[list[str], list[str]]:
    """Return the words of a command in the document, and its output."""
    found = re.search(rf"<!-- {mark} -->\n```\n\$ (.*?)\n(.*?)```", TEXT, re.DOTALL)
    assert found
    words = found[1].split()
    assert words[:3] == ["python", "-m", "csf_backup_plugin.contract"]
    return words[3:], found[2].splitlines()


def plugins(*names: str) -> pluggy.PluginManager:
    """Return the plugin manager of the smallest csf, with more plugins of the document."""
    made: pluggy.PluginManager = import_module("smallest_csf").make_plugin_manager()
    for name in names:
        made.register(import_module(name))
    return made


@pytest.mark.usefixtures("shown")
def test_the_checklist_prints_what_is_shown(capfd: pytest.CaptureFixture[str]) -> None:
    """The smallest csf fits."""
    words, output = session("checklist")
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert (caught.value.code, capfd.readouterr().out.splitlines()) == (0, output)


@pytest.mark.usefixtures("shown")
def test_the_trial_prints_what_is_shown(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """The last line is that of the trial."""
    words, (_, line) = session("trial")
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit):
        main([word.replace("/tmp/", f"{tmp_path}/") for word in words])
    printed = capfd.readouterr().out.replace(f"{tmp_path}/", "/tmp/").splitlines()
    assert printed[-1] == line


@pytest.mark.usefixtures("shown")
def test_the_smallest_csf_has_our_commands() -> None:
    """It also keeps its own commands."""
    names = import_module("smallest_csf").make_cli().commands
    assert "admin_database_backup" in names


@pytest.mark.usefixtures("shown")
def test_the_wrapper_inside_of_the_lock_is_there(place: Place) -> None:
    """It runs after ours, although it is registered after ours."""
    made = plugins("inside_the_lock")
    path = made.hook.class_create(master_database=place.master, class_name="New")
    assert Path(path).stat().st_mode & 0o777 == 0o660
    assert order(made) == [plugin, import_module("inside_the_lock")]


@pytest.mark.usefixtures("shown")
def test_the_wrapper_outside_of_the_lock_is_there(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is locked for what it refuses."""
    made = plugins("outside_of_the_lock")
    assert order(made) == [import_module("outside_of_the_lock"), plugin]
    with pytest.raises(click.ClickException, match="a/b is not a class name"):
        made.hook.class_create(master_database=place.master, class_name="a/b")
    assert sorted(path.name for path in place.repository.iterdir()) == ["Book.db", "lib.db"]
    path = made.hook.class_create(master_database=place.master, class_name="New")
    assert capsys.readouterr().err == f"New is in {path}\n"


def order(made: pluggy.PluginManager) -> list[Any]:
    """Return the plugins that wrap class_create, the outermost first."""
    called = made.hook.class_create.get_hookimpls()[::-1]
    return [impl.plugin for impl in called if impl.wrapper]


def test_every_module_of_the_document_is_run() -> None:
    """Each block of Python has a name."""
    assert {*MODULES} == {"smallest_csf", "inside_the_lock", "outside_of_the_lock"}
    assert TEXT.count("```") == 2 * (len(MODULES) + 2)


def test_the_versions_are_those_that_are_demanded() -> None:
    """The hooks are those that the plugin implements."""
    parsed = configparser.ConfigParser()
    parsed.read(ROOT / "setup.cfg")
    options = parsed["options"]
    demanded = [options["python_requires"], *options["install_requires"].split()]
    versions = [word.rpartition(">=")[2] for word in demanded]
    assert "| {}, {} and {}, each or newer;".format(*versions) in TEXT
    for hook, arguments in plugin.ARGUMENTS.items():
        assert f"| `{hook}({', '.join(arguments)})` |" in TEXT
