"""The contract with csf: the hooks, their names, and how the plugin is found."""

from __future__ import annotations

import os
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pluggy
import pytest

from csf_backup_plugin import plugin
from csf_backup_plugin.errors import LockBusy
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.repository.inventory import read_inventory
from csf_backup_plugin.repository.model import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from conftest import Place

hookspec = pluggy.HookspecMarker("csf")
hookimpl = pluggy.HookimplMarker("csf")


class Commands:
    """A csf that has only commands."""

    @hookspec
    def register_commands(self, cli: click.Group) -> None:
        """Add commands to the tree."""


class Classes(Commands):
    """A csf that also creates classes."""

    @hookspec(firstresult=True)
    def class_create(self, master_database: str, class_name: str) -> str:  # type: ignore[empty-body]
        """Create a class and its database; return the database's path."""


class Own:
    """csf's own part of class_create."""

    @hookimpl
    def class_create(self, master_database: str, class_name: str) -> str:
        """Create a class's database."""
        path = master_database.replace("lib", class_name)
        with open(path, "w"):
            return path


class Another:
    """Another plugin around class_create, which records the state before and after.

    Args:
        fails: whether it fails once the class is created.
    """

    def __init__(self, *, fails: bool) -> None:
        self.seen: list[tuple[bool, bool]] = []
        self._fails = fails

    @hookimpl(wrapper=True)
    def class_create(self, master_database: str) -> Generator[None, str, str]:
        """Record the state before and after."""
        self.look(master_database)
        path = yield
        self.look(master_database)
        if self._fails:
            raise ZeroDivisionError
        return path

    def look(self, master: str) -> None:
        """Record whether the repository is locked, and whether the manifest has the class."""
        locked = False
        try:
            with LocalHost().lock(f"{master}.lock", "test", 0, print):
                pass
        except LockBusy:
            locked = True
        recorded = LocalHost().read(f"{master}.manifest") or b""
        self.seen.append((locked, b" Book.db\n" in recorded))


def manager(specification: type) -> pluggy.PluginManager:
    """Return a csf's plugin manager with the plugin registered."""
    made = pluggy.PluginManager("csf")
    made.add_hookspecs(specification)
    made.register(plugin)
    made.check_pending()
    return made


def test_the_plugin_is_found_by_its_entry_point() -> None:
    """It is registered once, in the group csf."""
    (found,) = [e for e in entry_points(group="csf") if e.module == plugin.__name__]
    assert found.load() is plugin


@pytest.mark.parametrize(
    ("specification", "hooks"),
    [(Commands, {"register_commands"}), (Classes, {"register_commands", "class_create"})],
)
def test_the_plugin_implements_exactly_these_hooks(specification: type, hooks: set[str]) -> None:
    """A csf without class_create can use the plugin, too."""
    made = manager(specification)
    callers = made.get_hookcallers(plugin)
    assert callers is not None
    assert {caller.name for caller in callers if caller.spec} == hooks


def test_the_commands_are_added_to_csfs_tree() -> None:
    """The commands have csf's names, without dashes."""
    cli = click.Group("csf")
    manager(Commands).hook.register_commands(cli=cli)
    names = {
        *("backup", "drill", "manifest", "prove", "restore"),
        *("copy", "fleet", "rotate", "schedule", "status", "verify"),
    }
    assert set(cli.commands) == {f"admin_database_{name}" for name in names}


def test_class_create_is_wrapped_and_its_result_kept(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """The result is that of csf's own implementation."""
    made = manager(Classes)
    made.register(Own())
    directory = tmp_path_factory.mktemp("repository")
    master = str(directory / "lib.db")
    path = made.hook.class_create(master_database=master, class_name="Book")
    assert path == str(directory / "Book.db")
    assert b" Book.db\n" in (directory / "lib.db.manifest").read_bytes()


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize(
    ("inside", "seen"),
    [(True, [(True, False), (True, False)]), (False, [(False, False), (False, True)])],
)
def test_other_wrappers_may_be_registered_before_or_after(
    tmp_path: Path, seen: list[tuple[bool, bool]], *, inside: bool, fails: bool
) -> None:
    """Inside of ours, the repository is locked; outside, the manifest lists the class at the end.

    The failure of an inner one passes unchanged, and nothing is recorded: the next backup finds the
    database in the directory.
    """
    made, another = manager(Classes), Another(fails=fails)
    made.register(Own())
    for registered in (another, plugin) if inside else (plugin, another):
        if made.is_registered(registered):
            made.unregister(registered)
        made.register(registered)
    master = str(tmp_path / "lib.db")
    if fails:
        with pytest.raises(ZeroDivisionError):
            made.hook.class_create(master_database=master, class_name="Book")
    else:
        assert made.hook.class_create(master_database=master, class_name="Book")
    assert another.seen == seen
    assert (tmp_path / "Book.db").exists()
    assert (tmp_path / "lib.db.manifest").exists() == (not (inside and fails))


def ordered(another: Another, **marks: Any) -> object:
    """Return a plugin with a wrapper in the given order, which records like `another`."""

    class Ordered:
        @hookimpl(**marks)  # type: ignore[untyped-decorator]
        def class_create(self, master_database: str) -> Generator[None, object, object]:
            another.look(master_database)
            result = yield
            another.look(master_database)
            return result

    return Ordered()


@pytest.mark.parametrize("style", ["wrapper", "hookwrapper"])
@pytest.mark.parametrize("is_first", [True, False])
@pytest.mark.parametrize(
    ("order", "seen"),
    [("trylast", [(True, False), (True, False)]), ("tryfirst", [(False, False), (False, True)])],
)
def test_trylast_is_inside_of_the_lock_and_tryfirst_outside(
    tmp_path: Path, style: str, order: str, seen: list[object], *, is_first: bool
) -> None:
    """The order of registration and the style of the wrapper do not matter."""
    made, another = manager(Classes), Another(fails=False)
    made.register(Own())
    if is_first:
        made.unregister(plugin)
    made.register(ordered(another, **{style: True, order: True}))
    if is_first:
        made.register(plugin)
    assert made.hook.class_create(master_database=str(tmp_path / "lib.db"), class_name="Book")
    assert another.seen == seen


def test_the_plugins_own_wrapper_leaves_the_order_to_others() -> None:
    """It is a wrapper of the new style, neither tried first nor last."""
    (ours,) = manager(Classes).hook.class_create.get_hookimpls()
    assert (ours.wrapper, ours.hookwrapper, ours.optionalhook) == (True, False, True)
    assert (ours.tryfirst, ours.trylast) == (False, False)


def test_a_class_within_a_class_is_refused(tmp_path: Path, monkeypatch: Any) -> None:
    """It would wait for the lock that its own csf holds."""
    monkeypatch.setenv("CSF_BACKUP_LOCK_WAIT", "0")
    made = manager(Classes)

    class Nested:
        @hookimpl(wrapper=True, trylast=True)
        def class_create(self, master_database: str) -> Generator[None, str, str]:
            path = yield
            made.hook.class_create(master_database=master_database, class_name="Page")
            return path

    made.register(Own())
    made.register(Nested())
    with pytest.raises(click.ClickException) as caught:
        made.hook.class_create(master_database=str(tmp_path / "lib.db"), class_name="Book")
    assert caught.value.exit_code == 20
    assert [path.name for path in tmp_path.glob("*.db")] == ["Book.db"]


def test_a_database_that_an_outer_wrapper_removes_is_missing(tmp_path: Path) -> None:
    """The manifest lists it already, and a backup refuses a missing database."""

    class Removes:
        @hookimpl(wrapper=True, tryfirst=True)
        def class_create(self) -> Generator[None, str, str]:
            path = yield
            os.unlink(path)
            return path

    made = manager(Classes)
    made.register(Own())
    made.register(Removes())
    (tmp_path / "lib.db").touch()
    master = str(tmp_path / "lib.db")
    path = made.hook.class_create(master_database=master, class_name="Book")
    assert read_inventory(Repository(master), LocalHost()).coverage.missing == (path,)


class Failing:
    """An object whose methods all fail."""

    def __str__(self) -> str:
        raise RuntimeError("two\nlines")

    def __bool__(self) -> bool:
        raise RuntimeError

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    __repr__ = __fspath__ = __str__
    __hash__ = None  # type: ignore[assignment]


ODD: dict[str, Callable[[Path], Any]] = {
    "nothing": lambda at: None,
    "a relative path": lambda at: "Book.db",
    "a missing file": lambda at: str(at / "None.db"),
    "an empty path": lambda at: "",
    "a directory": str,
    "control characters": lambda at: f"{at}/a\nb\0.db",
    "half a character": lambda at: f"{at}/\ud800.db",
    "too long a path": lambda at: f"{at}/{'a/' * 5000}b.db",
    "a number": lambda at: 7,
    "a list": lambda at: [str(at / "Book.db")],
    "an object that fails": lambda at: Failing(),
}
PATHS: dict[str, Callable[[Path], Any]] = {
    "a str": lambda at: str(at / "Book.db"),
    "bytes": lambda at: os.fsencode(at / "Book.db"),
    "a pathlib.Path": lambda at: at / "Book.db",
}


def created(master: object, result: object) -> object:
    """Let a csf return an object; return what it gets back."""

    class Returns:
        @hookimpl
        def class_create(self) -> object:
            return result

    made = manager(Classes)
    made.register(Returns())
    return made.hook.class_create(master_database=master, class_name="Book")


@pytest.mark.parametrize("kind", ODD)
def test_an_odd_result_is_one_warning_and_csfs_own(
    place: Place, kind: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is never an exception, also if a log is written."""
    monkeypatch.setenv("CSF_BACKUP_LOG", str(place.images / "log"))
    result = ODD[kind](place.repository)
    assert created(place.master, result) is result
    output, errors = capsys.readouterr()
    assert output == ""
    (line,) = errors.splitlines()
    assert line.startswith("warning: ")
    assert (place.images / "log").read_text().count("WARNING") == 1


@pytest.mark.parametrize("kind", PATHS)
def test_whatever_names_a_path_is_recorded(
    place: Place, kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """There is no warning."""
    assert created(place.master, PATHS[kind](place.repository))
    assert b" Book.db\n" in Path(f"{place.master}.manifest").read_bytes()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("kind", [os.fsencode, Path])
def test_a_master_database_may_be_named_by_another_type(
    place: Place, kind: Callable[[str], object], capsys: pytest.CaptureFixture[str]
) -> None:
    """Any type of path works."""
    assert created(kind(place.master), str(place.repository / "Book.db"))
    assert b" Book.db\n" in Path(f"{place.master}.manifest").read_bytes()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("master", [None, 7, Failing()])
def test_a_master_database_that_is_no_path_is_a_warning(
    master: object, capsys: pytest.CaptureFixture[str]
) -> None:
    """csf creates the class as without the plugin."""
    assert created(master, "made") == "made"
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: csf gives ")
    assert line.endswith("its repository is not locked, and the class is not recorded")
