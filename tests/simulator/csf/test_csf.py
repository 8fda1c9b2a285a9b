"""The stand-in csf: the contract with its plugins, and its own command."""

from __future__ import annotations

import contextlib
import errno
import functools
import inspect
import os
import subprocess
import sys
from collections.abc import Callable, Generator
from itertools import count
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import click
import pluggy
import pytest
from click.testing import CliRunner

from csf_simulator.csf import hookspecs
from csf_simulator.csf.main import main, make_cli, make_plugin_manager
from csf_simulator.home import Home
from csf_simulator.repository import repository
from csf_simulator.repository.check import check
from csf_simulator.repository.names import RepositoryError

hookimpl = pluggy.HookimplMarker("csf")


@pytest.fixture
def home(tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch) -> Home:
    """A home, which the environment names."""
    home = Home(os.path.join(tmp_path, "home"))
    home.create()
    monkeypatch.setenv("CSF_SIM_HOME", home.path)
    return home


@pytest.fixture
def master(home: Home) -> str:
    """The master database of an empty repository."""
    return repository.create(home.server, os.path.join(home.path, "zoo", "zoo.db"))


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no plugin be installed but csf's own."""
    monkeypatch.setattr(pluggy.PluginManager, "load_setuptools_entrypoints", lambda *_: 0)


def create_class(*plugins: object, master: str, name: str = "Lion") -> tuple[int, str]:
    """Run class_create in a csf with some plugins; returns exit code and output."""
    pm = make_plugin_manager()
    for plugin in plugins:
        pm.register(plugin)
    result = CliRunner().invoke(make_cli(pm), ["class_create", "-database", master, "-class", name])
    return result.exit_code, result.output


def test_the_hooks_are_exactly_these() -> None:
    """The contract has two hooks; their names and arguments are what plugins rely on."""
    specs = {
        name: (function.csf_spec["firstresult"], str(inspect.signature(function)))
        for name, function in vars(hookspecs).items()
        if hasattr(function, "csf_spec")
    }
    assert specs == {
        "register_commands": (False, "(cli: 'click.Group') -> 'None'"),
        "class_create": (True, "(master_database: 'str', class_name: 'str') -> 'str'"),
    }


def test_plugins_come_from_the_entry_points_of_csf(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every distribution with an entry point in the group "csf" is loaded, and no other."""
    groups: list[str] = []
    monkeypatch.setattr(
        pluggy.PluginManager, "load_setuptools_entrypoints", lambda pm, group: groups.append(group)
    )
    pm = make_plugin_manager()
    assert (groups, pm.project_name) == (["csf"], "csf")


@pytest.mark.usefixtures("alone")
def test_a_hook_that_csf_does_not_have_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """A plugin with a misspelt hook does not start."""
    plugin = SimpleNamespace(class_creat=hookimpl(lambda master_database: None))
    monkeypatch.setattr(
        pluggy.PluginManager, "load_setuptools_entrypoints", lambda pm, _: pm.register(plugin)
    )
    with pytest.raises(pluggy.PluginValidationError, match="class_creat"):
        make_plugin_manager()


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("hook", ["register_commands", "class_create"])
def test_the_examples_in_the_contract_run(
    home: Home, master: str, hook: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The examples in the documentation of the hooks work as printed."""
    text = inspect.getdoc(getattr(hookspecs, hook)) or ""
    plugin = SimpleNamespace()
    exec(inspect.cleandoc("\n" + text.split("::\n")[-1]), plugin.__dict__)
    if hook == "class_create":
        code, output = create_class(plugin, master=master)
        path = os.path.join(os.path.dirname(master), "Lion.db")
        assert (code, output) == (0, f"Lion lives in {path}\n{path}\n")
        return
    pm = make_plugin_manager()
    pm.register(plugin)
    result = CliRunner().invoke(make_cli(pm), ["class_greet", "-class", "Lion"])
    assert (result.exit_code, result.output) == (0, "Hello, Lion!\n")


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize("dashes", ["-", "--"])
def test_class_create_creates_a_class(home: Home, master: str, dashes: str) -> None:
    """csf prints the path of the new database, whether options have one dash or two."""
    result = CliRunner().invoke(
        make_cli(make_plugin_manager()),
        ["class_create", f"{dashes}database", master, f"{dashes}class", "Lion"],
    )
    path = os.path.join(os.path.dirname(master), "Lion.db")
    assert (result.exit_code, result.output) == (0, f"{path}\n")
    assert repository.classes(home.server, master) == ["Lion"]
    assert check(home.server, master) == []


@pytest.mark.usefixtures("alone", "home")
@pytest.mark.parametrize(
    ("master", "name", "message"),
    [
        ("/nowhere/zoo.db", "Lion", "Error: there is no master database /nowhere/zoo.db\n"),
        ("/nowhere/zoo.db", "a/b", "Error: 'a/b' is not a class name: a slash"),
        ("/etc/passwd", "Lion", "Error: /etc/passwd: not a database"),
    ],
)
def test_a_class_that_cannot_be_created_is_a_plain_error(
    master: str, name: str, message: str
) -> None:
    """csf says what is wrong and exits with 1."""
    code, output = create_class(master=master, name=name)
    assert code == 1
    assert output.startswith(message)


def files(directory: str) -> dict[str, bytes]:
    """Return the files of a directory, with their contents."""
    return {name: Path(directory, name).read_bytes() for name in os.listdir(directory)}


@pytest.mark.usefixtures("alone")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("L" * 253, f"{'L' * 253}.db: File name too long"),
        ("L" * 5000, f"{'L' * 5000}.db: File name too long"),
        ("", "'' is not a class name"),
        ("a/b", "'a/b' is not a class name"),
        ("..", "'..' is not a class name"),
        ("a\nb", r"'a\nb' is not a class name"),
        ("Zebra", "Zebra.db exists already"),
        ("zoo", "zoo.db exists already"),
        ("zoo_schema", "zoo_schema.db exists already"),
    ],
)
def test_a_class_of_an_impossible_name_changes_nothing(
    home: Home, master: str, name: str, message: str
) -> None:
    """The error is one line, and both the repository and the home stay usable."""
    assert create_class(master=master, name="Zebra")[0] == 0
    before = files(os.path.dirname(master))
    code, output = create_class(master=master, name=name)
    assert (code, output.count("\n"), message in output) == (1, 1, True), output
    assert files(os.path.dirname(master)) == before
    assert create_class(master=master, name="L" * 252)[0] == 0
    assert repository.classes(home.server, master) == ["Zebra", "L" * 252]
    assert check(home.server, master) == []


@pytest.mark.usefixtures("alone")
def test_an_error_is_one_line_whatever_the_place_is_called(home: Home) -> None:
    """A line feed in a name is shown escaped."""
    code, output = create_class(master="/no\nwhere/zoo.db")
    assert (code, output) == (1, "Error: there is no master database /no\\nwhere/zoo.db\n")


REFUSED = """
    mount -t tmpfs -o size=1m none {place}; cd {place}
    csf="{python} -I -c '{csf}'" csf_sim="{python} -I -c '{csf_sim}'"
    eval $csf_sim create zoo.db --classes 6
    {prepare}
    cat *.db | sha256sum
    eval $csf class_create -database zoo.db -class Lion && exit 9
    cat *.db | sha256sum
    ls -A
    eval $csf_sim check zoo.db
    eval $csf class_create -database {other} -class Lion
"""
CSF = (
    "import pluggy; pluggy.PluginManager.load_setuptools_entrypoints = lambda *_: 0; "
    "from csf_simulator.csf.main import main; main()"
)


@pytest.mark.parametrize(
    ("prepare", "message"),
    [
        ("mount --bind zoo.db zoo.db; mount -o remount,bind,ro zoo.db", "zoo.db: Read-only file"),
        ("mount --bind . .; mount -o remount,bind,ro .; cd $PWD", "Read-only file system"),
        ("head -c 9m /dev/zero > fill || :", "Lion.db: No space left on device"),
        (
            # Room for the database of the class, and none for its entry in the master database.
            "head -c 9m /dev/zero > fill || :; truncate -s -12k fill",
            "zoo.db: No space left on device",
        ),
    ],
    ids=["master", "directory", "full", "nearly-full"],
)
def test_a_class_that_the_system_refuses_changes_nothing(
    home: Home, master: str, tmp_path: Path, namespace: list[str], prepare: str, message: str
) -> None:
    """A read-only master or directory, or a full disk, does not affect other repositories."""
    (tmp_path / "place").mkdir()
    script = REFUSED.format(
        place=tmp_path / "place",
        python=sys.executable,
        csf=CSF,
        csf_sim="from csf_simulator.cli.main import main; main()",
        prepare=prepare,
        other=master,
    )
    done = subprocess.run([*namespace, script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    _, before, after, *names, lion = done.stdout.splitlines()
    assert before == after
    databases = ["zoo.db", "zoo_schema.db", *(f"Class{number}.db" for number in range(1, 7))]
    assert set(names) - {"fill"} == set(databases)
    assert lion == os.path.join(os.path.dirname(master), "Lion.db")
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert message in error
    assert "zoo.db is sound" in done.stderr
    assert check(home.server, master) == []


FAILING = ("open", "pwrite", "pread", "fsync", "rename", "ftruncate", "lstat", "fstat", "close")


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EACCES, errno.EROFS])
def test_a_class_whichever_call_fails_is_there_or_not(home: Home, master: str, number: int) -> None:
    """The test lets each system call of a class_create fail once."""
    directory, close, wanted, failed = os.path.dirname(master), os.close, 0, True
    while failed:
        wanted += 1
        before, name = files(directory), f"Class{wanted}"
        with pytest.MonkeyPatch.context() as patch, contextlib.suppress(OSError, RepositoryError):
            failed = False
            calls = count(1)

            def fail(call: Callable[..., Any], *args: Any, **options: Any) -> Any:
                nonlocal failed
                if next(calls) == wanted:  # noqa: B023
                    failed = True
                    if call is close:
                        close(*args)
                    raise OSError(number, os.strerror(number))
                return call(*args, **options)

            for call in FAILING:
                patch.setattr(os, call, functools.partial(fail, getattr(os, call)))
            repository.create_class(home.server, master, name)
            before[f"{name}.db"] = b""
        assert files(directory).keys() == before.keys()
        if f"{name}.db" not in before:
            assert files(directory) == before
        assert repository.create_class(home.server, master, f"{name}after")
        assert check(home.server, master) == []
    assert wanted > 30


@pytest.mark.usefixtures("alone")
def test_a_plugin_that_refuses_decides_the_exit_code(home: Home, master: str) -> None:
    """A click exception of a plugin ends csf with its own code, and nothing is created."""

    class Refusal(click.ClickException):
        exit_code = 20

    def refuse(master_database: str, class_name: str) -> Generator[None, str, str]:
        raise Refusal("the repository is locked")
        yield

    plugin = SimpleNamespace(class_create=hookimpl(wrapper=True)(refuse))
    assert create_class(plugin, master=master) == (20, "Error: the repository is locked\n")
    assert repository.classes(home.server, master) == []


@pytest.mark.usefixtures("alone")
def test_a_relative_master_reaches_plugins_as_an_absolute_path(
    home: Home, master: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Hooks always see an absolute path."""
    monkeypatch.chdir(os.path.dirname(master))
    assert create_class(master="zoo.db") == (0, f"{os.path.dirname(master)}/Lion.db\n")


@pytest.mark.usefixtures("alone", "home")
@pytest.mark.parametrize("option", ["-help", "--help"])
@pytest.mark.parametrize("command", [[], ["class_create"]])
def test_help_has_one_dash_or_two(command: list[str], option: str) -> None:
    """Both spellings show the help of csf and of its commands."""
    result = CliRunner().invoke(make_cli(make_plugin_manager()), [*command, option])
    assert (result.exit_code, result.output.partition(" ")[0]) == (0, "Usage:")


def test_it_refuses_to_run_outside_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without CSF_SIM_HOME csf does nothing at all."""
    monkeypatch.delenv("CSF_SIM_HOME", raising=False)
    with pytest.raises(SystemExit, match="CSF_SIM_HOME is not set"):
        main()


@pytest.mark.usefixtures("home")
def test_main_runs_the_command_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The executable calls itself csf, whatever started it."""
    monkeypatch.setattr(sys, "argv", ["-c", "-help"])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 0
    assert capsys.readouterr().out.startswith("Usage: csf ")


def test_a_name_of_any_bytes_is_printed_as_it_is(home: Home, master: str) -> None:
    """The path on standard output names the file, even if it is not text."""
    done = subprocess.run(
        [os.path.join(home.bin, "csf"), "class_create", "-database", master, "-class", b"\xff"],
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        capture_output=True,
    )
    assert done.stdout == os.fsencode(os.path.dirname(master)) + b"/\xff.db\n"
    assert os.path.exists(done.stdout[:-1])


def test_it_starts_with_few_imports() -> None:
    """It imports click, pluggy and the standard library, without its slow modules."""
    code = (
        "import sys; before = set(sys.modules); import csf_simulator.csf.main;"
        "print(*sorted({name.partition('.')[0] for name in set(sys.modules) - before}))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True)
    imported = set(done.stdout.split()) - set(sys.stdlib_module_names)
    assert imported == {"click", "csf_simulator", "pluggy"}
    assert not {"asyncio", "json", "unittest"} & set(done.stdout.split())
