"""The contract with csf: the hooks, their names, and how the plugin is found."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import click
import pluggy
import pytest

from csf_backup_plugin import plugin
from csf_backup_plugin.errors import LockBusy
from csf_backup_plugin.hosts.local import LocalHost

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

hookspec = pluggy.HookspecMarker("csf")
hookimpl = pluggy.HookimplMarker("csf")


class Commands:
    """A csf that has commands only."""

    @hookspec
    def register_commands(self, cli: click.Group) -> None:
        """Add commands to the tree."""


class Classes(Commands):
    """A csf that creates classes too."""

    @hookspec(firstresult=True)
    def class_create(self, master_database: str, class_name: str) -> str:  # type: ignore[empty-body]
        """Create a class and its database; return the database's path."""


class Own:
    """What csf itself does when a class is created."""

    @hookimpl
    def class_create(self, master_database: str, class_name: str) -> str:
        """Create a class's database."""
        path = master_database.replace("lib", class_name)
        with open(path, "w"):
            return path


class Another:
    """Another plugin around class_create, which notes what it sees before and after.

    Args:
        fails: whether it fails once the class is created.
    """

    def __init__(self, *, fails: bool) -> None:
        self.seen: list[tuple[bool, bool]] = []
        self._fails = fails

    @hookimpl(wrapper=True)
    def class_create(self, master_database: str) -> Generator[None, str, str]:
        """Note whether the repository is locked, and whether the class is in the manifest."""
        self._look(master_database)
        path = yield
        self._look(master_database)
        if self._fails:
            raise ZeroDivisionError
        return path

    def _look(self, master: str) -> None:
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
    """In the group csf, once."""
    (found,) = [e for e in entry_points(group="csf") if e.module == plugin.__name__]
    assert found.load() is plugin


@pytest.mark.parametrize(
    ("specification", "hooks"),
    [(Commands, {"register_commands"}), (Classes, {"register_commands", "class_create"})],
)
def test_the_plugin_implements_exactly_these_hooks(specification: type, hooks: set[str]) -> None:
    """A csf without class_create is served as well."""
    made = manager(specification)
    callers = made.get_hookcallers(plugin)
    assert callers is not None
    assert {caller.name for caller in callers if caller.spec} == hooks


def test_the_commands_are_added_to_csfs_tree() -> None:
    """Under csf's names, which have no dashes."""
    cli = click.Group("csf")
    manager(Commands).hook.register_commands(cli=cli)
    names = ("backup", "drill", "manifest", "prove", "restore", "rotate", "status", "verify")
    assert set(cli.commands) == {f"admin_database_{name}" for name in names}


def test_class_create_is_wrapped_and_its_result_kept(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Csf's own implementation decides what is returned."""
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
    """Inside of ours, the repository is locked; outside, the class is in the manifest at the end.

    One that fails inside has its failure, and nothing is recorded: the next backup finds the
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
