"""The checklist: what it reports about a csf that fits, and about one that does not."""

from __future__ import annotations

import importlib.metadata
import json
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pluggy
import pytest

from csf_backup_plugin.contract.__main__ import main

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from conftest import Place

hookspec = pluggy.HookspecMarker("csf")
hookimpl = pluggy.HookimplMarker("csf")


class Hooks:
    """The hooks of a csf that fits."""

    @hookspec
    def register_commands(self, cli: object) -> None:
        """Add commands."""

    @hookspec(firstresult=True)
    def class_create(self, master_database: str, class_name: str) -> str:  # type: ignore[empty-body]
        """Create a class."""


class Classes:
    """A plugin that creates classes.

    Args:
        result: what it returns for a master database; an exception is raised.
    """

    def __init__(self, result: Callable[[Path], object] | None = None) -> None:
        self._result = result or (lambda directory: str(directory / "ContractTrial.db"))

    @hookimpl
    def class_create(self, master_database: str, class_name: str) -> Any:
        """Create a class."""
        directory = Path(master_database).parent
        (directory / f"{class_name}.db").touch()
        result = self._result(directory)
        if isinstance(result, BaseException):
            raise result
        return result


def csf(
    specification: type = Hooks,
    *plugins: object,
    project: str = "csf",
    group: str | None = "csf",
    check: bool = True,
    block: str = "",
    own: object = None,
) -> pluggy.PluginManager:
    """Return the plugin manager of a csf; `own` is csf's own plugin."""
    made = pluggy.PluginManager(project)
    made.add_hookspecs(specification)
    made.register(own or Classes(), name="classes")
    if block:
        made.set_blocked(block)
    for each in plugins:
        made.register(each)
    if group:
        made.load_setuptools_entrypoints(group)
    if check:
        made.check_pending()
    return made


@pytest.fixture
def checklist(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., tuple[int, list[str]]]:
    """Return a function that runs the checklist on a csf, and returns its lines."""

    def run(found: object, *words: str) -> tuple[int, list[str]]:
        module = ModuleType("some_csf")
        module.__dict__["plugins"] = found
        monkeypatch.setitem(sys.modules, "some_csf", module)
        return run_main(capfd, "some_csf:plugins", *words)

    return run


def run_main(capfd: pytest.CaptureFixture[str], *words: str) -> tuple[int, list[str]]:
    """Run the checklist's command line; return exit code and output."""
    with pytest.raises(SystemExit) as caught:
        main(words)
    said, errors = capfd.readouterr()
    assert not (said and errors)
    return int(str(caught.value.code)), (said or errors).splitlines()


def not_fitting(lines: list[str]) -> list[str]:
    """Return the lines about what does not fit."""
    return [line.partition(": ")[2] for line in lines if line.startswith("does not fit: ")]


FITTING = [
    "fits: the plugin manager's project name is csf",
    "fits: the entry-point group csf is loaded",
    "fits: this plugin is loaded, as backup",
    "fits: check_pending() is called, and csf has all plugins' hooks",
    "fits: register_commands(cli)",
    "fits: class_create(master_database, class_name), firstresult",
    "fits: class_create runs 1. backup (wrapper): takes the lock",
    "fits: class_create runs 2. classes: inside of the lock",
    "cannot be known: what class_create returns - run this with -try DIR",
]


def test_of_a_csf_that_fits_every_line_says_so(checklist: Any) -> None:
    """The lines fit a terminal."""
    assert checklist(csf) == (0, FITTING)
    assert max(map(len, FITTING)) <= 80


def test_the_stand_in_csf_fits(capfd: pytest.CaptureFixture[str]) -> None:
    """Its own plugin runs while the lock is held."""
    code, lines = run_main(capfd, "csf_simulator.csf.main:make_plugin_manager")
    assert (code, not_fitting(lines)) == (0, [])
    assert "fits: class_create runs 2. csf_simulator.csf.builtin: inside of the lock" in lines


def test_a_plugin_manager_may_be_named_itself(checklist: Any) -> None:
    """Earlier calls of csf on it are unknown."""
    code, lines = checklist(csf())
    told = "cannot be known: whether csf reports hooks that it does not have - call check_pending()"
    assert (code, lines) == (0, [FITTING[0], FITTING[2], told, *FITTING[4:]])


def test_the_document_has_the_same_findings(checklist: Any) -> None:
    """It has the exit code; nothing else is printed."""
    code, (line,) = checklist(csf, "-json")
    document = json.loads(line)
    head = ("schema", "command", "exit_code", "csf")
    assert [document[key] for key in head] == [
        *("csf-backup/outcome/1", "contract", code, "some_csf:plugins")
    ]
    assert document["findings"][-1] == {
        "verdict": "cannot be known",
        "what": "what class_create returns",
        "to_do": "run this with -try DIR",
    }
    assert len(document["findings"]) == len(FITTING)


def test_a_document_that_cannot_be_printed_is_said(
    checklist: Any, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error is on standard error, and the exit code is kept."""
    with open("/dev/full", "w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        code, lines = checklist(csf, "-json")
        monkeypatch.undo()
    assert (code, lines[1:]) == (0, FITTING)


class OnlyCommands:
    """The hooks of a csf that creates no classes."""

    @hookspec
    def register_commands(self, cli: object) -> None:
        """Add commands."""


class OnlyClasses:
    """The hooks of a csf that takes no commands."""

    @hookspec(firstresult=True)
    def class_create(self, master_database: str, class_name: str) -> None:
        """Create a class."""


class OtherNames:
    """The hooks of a csf that has another name for the class."""

    @hookspec
    def register_commands(self, cli: object) -> None:
        """Add commands."""

    @hookspec(firstresult=True)
    def class_create(self, master_database: str, name: str) -> None:
        """Create a class."""


class OtherResults:
    """The hooks of a csf that takes the first result of the other hook."""

    @hookspec(firstresult=True)
    def register_commands(self, cli: object) -> None:
        """Add commands."""

    @hookspec
    def class_create(self, master_database: str, class_name: str, *, force: bool) -> None:
        """Create a class."""


@pytest.mark.parametrize(
    ("hooks", "own", "told"),
    [
        (
            OnlyCommands,
            object(),
            ["there is no hook class_create, so no class is recorded - specify it"],
        ),
        (
            OnlyClasses,
            Classes(),
            [
                "csf has no hook register_commands; plugin backup has - call check_pending() to "
                "find out",
                "there is no hook register_commands, so csf gets no command - specify it",
            ],
        ),
        (
            OtherNames,
            object(),
            ["class_create has no argument class_name - give it that name, without a default"],
        ),
        (
            OtherResults,
            Classes(),
            [
                "register_commands is firstresult, so commands may be missing - specify it without",
                "class_create is not firstresult, so it returns a list - specify it so",
            ],
        ),
    ],
)
def test_a_hook_that_is_not_as_it_should_be_is_reported(
    checklist: Any, hooks: type, own: object, told: list[str]
) -> None:
    """Each line has the next step; csf itself may report nothing."""
    code, lines = checklist(lambda: csf(hooks, own=own, check=False))
    assert (code, not_fitting(lines)) == (1, told)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"project": "zoo"}, "project name zoo: no plugin's hook is seen - name it csf"),
        ({"group": "zoo"}, "entry-point group zoo is loaded - load csf"),
        ({"group": "zoo"}, 'this plugin is not loaded - call load_setuptools_entrypoints("csf")'),
        ({"block": "backup"}, "this plugin is blocked, as backup - do not block it"),
    ],
)
def test_what_keeps_a_csf_from_seeing_the_plugin_is_reported(
    checklist: Any, settings: dict[str, str], told: str
) -> None:
    """pluggy reports none of these cases."""
    hooks: type = Hooks
    if "project" in settings:
        spec = pluggy.HookspecMarker(settings["project"])
        hooks = type("Hooks", (), {"register_commands": spec(lambda self, cli: None)})
    code, lines = checklist(lambda: csf(hooks, **settings))  # type: ignore[arg-type]
    assert code == 1
    assert told in not_fitting(lines)


def test_a_plugin_of_the_same_name_is_reported(checklist: Any) -> None:
    """pluggy then ignores ours."""

    def plugins() -> pluggy.PluginManager:
        made = csf(group=None)
        made.register(SimpleNamespace(), name="backup")
        made.load_setuptools_entrypoints("csf")
        return made

    code, lines = checklist(plugins)
    told = "another plugin has this one's name, backup - register that by another name"
    assert (code, not_fitting(lines)) == (1, [told])


def test_a_csf_that_loads_no_plugins_yet_is_not_blamed(checklist: Any) -> None:
    """It may load them later; a plugin that creates classes may come later, too."""
    code, lines = checklist(lambda: csf(group=None, own=object()))
    assert code == 0
    unknown = "which plugins csf loads: some_csf:plugins loads none"
    assert (
        f"cannot be known: {unknown} - name the function that returns it with all plugins" in lines
    )
    assert any("which plugin creates a class: none that is loaded here" in line for line in lines)


def test_where_the_plugin_is_not_installed_nothing_is_said_of_its_loading(
    checklist: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A tree that PYTHONPATH names is not installed, for example."""
    monkeypatch.setattr(importlib.metadata, "distributions", lambda **_: [])
    code, lines = checklist(csf)
    assert code == 0
    told = "how csf loads this plugin: it is not installed"
    assert f"cannot be known: {told} - install it into csf's environment" in lines
    assert "fits: class_create runs 1. classes" in lines


class Wrapper:
    """A plugin that wraps class_create, and has a hook that no csf has."""

    @hookimpl(wrapper=True, trylast=True)
    def class_create(self) -> Generator[None, str, str]:
        """Do nothing."""
        return (yield)

    @hookimpl
    def class_destroy(self) -> None:
        """Do nothing."""


class OldWrapper:
    """A plugin that wraps class_create in pluggy's old style, and has an optional hook."""

    @hookimpl(hookwrapper=True, tryfirst=True)
    def class_create(self) -> Generator[None, object, None]:
        """Do nothing."""
        yield

    @hookimpl(optionalhook=True)
    def class_rename(self) -> None:
        """Do nothing."""


def test_other_plugins_around_class_create_are_listed_in_their_order(checklist: Any) -> None:
    """A hook of theirs that csf does not have is reported, even if csf has not checked."""
    code, lines = checklist(lambda: csf(Hooks, Wrapper(), OldWrapper(), check=False))
    assert [line for line in lines if "runs" in line] == [
        "fits: class_create runs 1. OldWrapper (hookwrapper, tryfirst): outside of the lock",
        "fits: class_create runs 2. backup (wrapper): takes the lock",
        "fits: class_create runs 3. Wrapper (wrapper, trylast): inside of the lock",
        "fits: class_create runs 4. classes: inside of the lock",
    ]
    told = "csf has no hook class_destroy; plugin Wrapper has - call check_pending() to find out"
    assert (code, not_fitting(lines)) == (1, [told])


class WithoutMaster:
    """The hooks of a csf whose class_create has no master database."""

    @hookspec
    def register_commands(self, cli: object) -> None:
        """Add commands."""

    @hookspec(firstresult=True)
    def class_create(self, database: str, class_name: str) -> None:
        """Create a class."""


def unspeakable() -> None:
    """Raise an exception without text."""

    class UnspeakableError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    raise UnspeakableError


def fail(error: BaseException) -> None:
    """Raise an error."""
    raise error


@pytest.mark.parametrize(
    ("function", "told"),
    [
        (lambda: fail(OSError("no\nsite")), "some_csf:plugins() raises OSError: no site - fix"),
        (lambda: fail(ValueError("x" * 999)), f"ValueError: {'x' * 300}... - fix"),
        (lambda: sys.exit(3), "some_csf:plugins() raises SystemExit: 3 - fix"),
        (lambda needed: needed, "some_csf:plugins() raises TypeError: "),
        (unspeakable, "some_csf:plugins() raises UnspeakableError - fix that, and run this again"),
        (
            lambda: csf(WithoutMaster, own=object()),
            "specify register_commands(cli) and class_create(master_database, class_name)",
        ),
        (
            lambda: csf(Hooks, Wrapper()),
            "some_csf:plugins() raises PluginValidationError: unknown hook 'class_destroy'",
        ),
    ],
)
def test_what_csf_raises_is_one_line(checklist: Any, function: object, told: str) -> None:
    """There is no traceback, and the program continues."""
    code, (line,) = checklist(function)
    assert code == 1
    assert line.startswith("does not fit: some_csf:plugins() raises ")
    assert told in line


def test_a_module_that_fails_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """The line has its output; a missing dependency is not reported as a missing module."""
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "failing_csf.py").write_text("print('so far')\nimport none.of_it\n")
    assert run_main(capfd, "failing_csf:plugins") == (
        1,
        [
            "does not fit: loading csf prints on standard output: so far - leave that to -json, or "
            "print on standard error",
            "does not fit: importing failing_csf raises ModuleNotFoundError: No module named "
            "'none' - fix that, and run this again",
        ],
    )


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("json",), "json is not of the form MODULE:FUNCTION."),
        (("json:",), "json: is not of the form MODULE:FUNCTION."),
        ((".:x",), ".:x is not of the form MODULE:FUNCTION."),
        (("no_such_csf:x",), "There is no module no_such_csf."),
        (("json.no_such:x",), "There is no module json.no_such."),
        (
            ("json:no_such",),
            "json:no_such is neither a plugin manager nor a function that returns one.",
        ),
        (
            ("gc:isenabled",),
            "gc:isenabled is neither a plugin manager nor a function that returns one.",
        ),
        ((), "Missing argument 'MODULE:FUNCTION'."),
        (("gc:isenabled", "-trie"), "No such option"),
        (("gc:isenabled", "-try", "/none/there"), "/none/there cannot be read: No such file"),
        (("gc:isenabled", "-try", "/"), "/ is not empty."),
    ],
)
def test_a_command_line_that_is_wrong_is_reported(
    capfd: pytest.CaptureFixture[str], words: tuple[str, ...], told: str
) -> None:
    """The exit code is 2, also with a document."""
    code, (what, left, next_step) = run_main(capfd, *words)
    assert code == 2
    assert what.startswith(f"Error: {told}")
    assert left == "Nothing was created or changed."
    code, (line,) = run_main(capfd, *words, "--json")
    document = json.loads(line)
    assert (code, document["exit_code"]) == (2, 2)
    assert f"Error: {document['error']}" == what
    assert document["next_step"] == next_step


def test_help_is_help(capfd: pytest.CaptureFixture[str]) -> None:
    """One dash or two dashes are accepted."""
    code, lines = run_main(capfd, "-help")
    assert (code, lines) == run_main(capfd, "--help")
    assert (code, lines[0]) == (
        *(0, "Usage: python -m csf_backup_plugin.contract [OPTIONS] MODULE:FUNCTION"),
    )


def test_an_interrupt_ends_it(checklist: Any) -> None:
    """The exit code is a shell's."""
    code, lines = checklist(lambda: fail(KeyboardInterrupt()))
    assert code == 130
    assert "Error: The checklist was stopped by SIGINT." in lines


def talkative() -> pluggy.PluginManager:
    """Print in every way; return a csf that fits."""
    print("to", "output")
    print("to errors", file=sys.stderr)
    subprocess.run(["sh", "-c", "echo by a program; echo too >&2"], check=True)
    return csf()


def test_what_csf_prints_is_reported_and_not_mixed_with_the_document(checklist: Any) -> None:
    """On standard output it would precede every document of ours."""
    code, (line,) = checklist(talkative, "-json")
    output, errors, *_ = json.loads(line)["findings"]
    verdicts = [output["verdict"], errors["verdict"]]
    assert (code, verdicts) == (1, ["does not fit", "cannot be known"])
    assert output["what"] == "loading csf prints on standard output: to output by a program"
    assert errors["what"] == "what this means: to errors too"


def test_standard_streams_that_are_closed_are_nothing_to_it(
    checklist: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A daemon has none; csf may print nevertheless."""
    monkeypatch.setattr(sys, "stderr", None)
    assert "cannot be known: what this means: to errors too - read it" in checklist(talkative)[1]


def test_a_class_is_created_only_when_it_is_asked_for(checklist: Any, tmp_path: Path) -> None:
    """The repository is in an empty directory, and all plugins take part."""
    assert checklist(lambda: csf(own=Classes(lambda _: fail(AssertionError()))))[0] == 0
    code, lines = checklist(csf, "-try", str(tmp_path))
    new = tmp_path / "ContractTrial.db"
    assert (code, lines) == (0, [*FITTING[:-1], f"fits: class_create has made {new}, which stays"])
    assert {path.name for path in tmp_path.iterdir()} == {
        *("ContractTrial.db", "contract.db.lock", "contract.db.manifest")
    }


def test_a_repository_that_is_in_use_is_refused(checklist: Any, place: Place) -> None:
    """A new repository is named by its master database, once."""
    assert checklist(csf, "-try", place.master)[0] == 0
    before = place.tree()
    code, (what, *_) = checklist(csf, "-try", place.master)
    assert code == 2
    assert (
        what == f"Error: {place.master} is in use: there is its manifest {place.master}.manifest."
    )
    assert place.tree() == before


class Unspeakable:
    """An object without text."""

    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("result", "told"),
    [
        (lambda at: None, "class_create returns None"),
        (lambda at: "ContractTrial.db", "'ContractTrial.db', which is not an absolute path"),
        (lambda at: "", "class_create returns '', which is empty"),
        (lambda at: str(at), "returns {at}, and no such file is there"),
        (lambda at: str(at / "None.db"), "returns {at}/None.db, and no such file is there"),
        (lambda at: f"{at}/a\nb.db", r"'{at}/a\x0ab.db', which holds a control character"),
        (lambda at: os.fsencode(at / "ContractTrial.db"), "returns an object of type bytes"),
        (lambda at: at / "ContractTrial.db", "returns an object of type PosixPath"),
        (lambda at: 7, "class_create returns an object of type int"),
        (lambda at: Unspeakable(), "class_create returns an object of type Unspeakable"),
    ],
)
def test_a_result_that_is_not_as_it_should_be_is_reported(
    checklist: Any, tmp_path: Path, result: Callable[[Path], object], told: str
) -> None:
    """The message has the expected result; output is shown as lines."""
    code, lines = checklist(lambda: csf(own=Classes(result)), "-try", str(tmp_path))
    (line,) = not_fitting(lines)
    assert code == 1
    assert told.format(at=tmp_path) in line
    assert line.endswith(" - return the new database's absolute path, a str")


def test_what_this_plugin_warns_of_is_reported(checklist: Any, tmp_path: Path) -> None:
    """A csf's user would see the warning; a person must judge it."""
    own = Classes(lambda at: print("made"))
    code, lines = checklist(lambda: csf(own=own), "-try", str(tmp_path))
    assert code == 1
    assert lines[-2] == "fits: class_create prints: made"
    assert lines[-1].startswith("cannot be known: what this means: warning: class_create returned")


def test_the_master_database_is_no_new_one(checklist: Any, place: Place) -> None:
    """A csf that returns it has misunderstood the hook."""
    own = Classes(lambda at: place.master)
    code, lines = checklist(lambda: csf(own=own), "-try", place.master)
    assert code == 1
    assert f"class_create returns {place.master}, the master database" in not_fitting(lines)[0]


def test_a_csf_that_creates_no_class_is_reported(
    checklist: Any, place: Place, tmp_path: Path
) -> None:
    """In an empty directory it may need a repository; otherwise files may be left."""
    own = Classes(lambda _: OSError("disk"))
    (tmp_path / "empty").mkdir()
    _, lines = checklist(lambda: csf(own=own), "-try", str(tmp_path / "empty"))
    raised = "class_create raises OSError: disk"
    needed = "give -try the master database of a repository, if csf needs one"
    assert not_fitting(lines) == [f"{raised} - {needed}"]
    _, lines = checklist(lambda: csf(own=own), "-try", place.master)
    assert not_fitting(lines) == [f"{raised} - fix that; see {place.repository} for what it left"]


def test_a_hook_that_cannot_be_called_is_not_tried(checklist: Any, tmp_path: Path) -> None:
    """No class is created."""
    _, lines = checklist(lambda: csf(OtherNames, own=object()), "-try", str(tmp_path))
    told = "what class_create returns: it cannot be called - fix the hook first"
    assert lines[-1] == f"cannot be known: {told}"
    assert [*tmp_path.iterdir()] == []


@pytest.mark.measured
def test_it_runs_as_a_program_without_the_simulator(tmp_path: Path) -> None:
    """It runs in csf's directory, and imports nothing but click, pluggy and csf."""
    (tmp_path / "some_csf.py").write_text(
        "import atexit, sys, pluggy\n"
        "def plugins():\n"
        "    found = {name.partition('.')[0] for name in sys.modules}\n"
        "    print(*sorted(found - {*sys.stdlib_module_names}), file=sys.stderr)\n"
        "    return pluggy.PluginManager('zoo')\n"
    )
    environment = {**os.environ}
    environment.pop("PYTHONSAFEPATH", None)
    command = [sys.executable, "-m", "csf_backup_plugin.contract", "some_csf:plugins"]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (1, "")
    printed = ended.stdout.splitlines()[0].rpartition(": ")[2].split()
    assert {"click", "pluggy", "csf_backup_plugin", "some_csf"} <= {*printed}
    assert "csf_simulator" not in printed
