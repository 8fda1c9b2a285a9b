"""The contract with csf: the hooks, their names, and how the plugin is found."""

from __future__ import annotations

from importlib.metadata import entry_points

import click
import pluggy
import pytest

from csf_backup_plugin import plugin

hookspec = pluggy.HookspecMarker("csf")


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
    assert set(cli.commands) == {"admin_database_backup"}


def test_class_create_is_wrapped_and_its_result_kept(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Csf's own implementation decides what is returned."""

    class Own:
        @pluggy.HookimplMarker("csf")
        def class_create(self, master_database: str, class_name: str) -> str:
            path = master_database.replace("lib", class_name)
            with open(path, "w"):
                return path

    made = manager(Classes)
    made.register(Own())
    directory = tmp_path_factory.mktemp("repository")
    master = str(directory / "lib.db")
    path = made.hook.class_create(master_database=master, class_name="Book")
    assert path == str(directory / "Book.db")
    assert b" Book.db\n" in (directory / "lib.db.manifest").read_bytes()
