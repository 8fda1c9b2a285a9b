"""The hooks that csf calls in its plugins: the contract between them.

A plugin is a module, or an object, that a distribution names in its entry points, in the group
"csf". It marks its functions with its own `pluggy.HookimplMarker("csf")` and imports nothing of
csf. In the plugin's setup.cfg::

    [options.entry_points]
    csf =
        example = example_plugin
"""

from __future__ import annotations

import click
import pluggy

PROJECT = "csf"

hookspec = pluggy.HookspecMarker(PROJECT)


@hookspec
def register_commands(cli: click.Group) -> None:
    """Add commands to csf's command tree; called once, when csf starts.

    Commands are named noun_verb and take long options with one dash.

    Args:
        cli: the top of the tree.

    Example:
        A plugin that adds the command `csf class_greet -class NAME`::

            import click
            import pluggy

            hookimpl = pluggy.HookimplMarker("csf")


            @click.command("class_greet")
            @click.option("-class", "class_name", required=True)
            def class_greet(class_name):
                click.echo(f"Hello, {class_name}!")


            @hookimpl
            def register_commands(cli):
                cli.add_command(class_greet)
    """


@hookspec(firstresult=True)
def class_create(master_database: str, class_name: str) -> str:  # type: ignore[empty-body]
    """Create a class and the database that holds it.

    csf itself implements this. A plugin wraps it, to act before or after or to refuse; what it
    raises keeps the class from being created if raised before the `yield`. A `click.ClickException`
    ends csf with its message and its exit code.

    Args:
        master_database: absolute path of the master database.
        class_name: name of the new class.

    Returns:
        The absolute path of the new database.

    Example:
        A plugin that prints the path of every new class's database::

            import click
            import pluggy

            hookimpl = pluggy.HookimplMarker("csf")


            @hookimpl(wrapper=True)
            def class_create(master_database, class_name):
                database = yield
                click.echo(f"{class_name} lives in {database}", err=True)
                return database
    """
