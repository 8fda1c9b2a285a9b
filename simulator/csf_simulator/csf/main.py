"""Start the stand-in for csf: find the plugins, add their commands, and run one."""

from __future__ import annotations

import click
import pluggy

from csf_simulator.csf import builtin, hookspecs
from csf_simulator.home import require_home


def make_plugin_manager() -> pluggy.PluginManager:
    """Return a plugin manager with csf's own plugin and every plugin that is installed.

    Raises:
        pluggy.PluginValidationError: a plugin implements a hook that csf does not have.
    """
    pm = pluggy.PluginManager(hookspecs.PROJECT)
    pm.add_hookspecs(hookspecs)
    pm.register(builtin)
    pm.load_setuptools_entrypoints(hookspecs.PROJECT)
    pm.check_pending()
    return pm


def make_cli(pm: pluggy.PluginManager) -> click.Group:
    """Return the command tree, with the commands of every plugin."""
    settings = {"help_option_names": ["-help", "--help"], "obj": pm.hook}
    cli = click.Group("csf", context_settings=settings, help="A simulated csf.")
    pm.hook.register_commands(cli=cli)
    return cli


def main() -> None:
    """Run csf; the entry of the executable.

    Raises:
        SystemExit: always; status 0, 2 for a command line that is wrong, the exit code of the
            exception that a plugin raised, 1 for any other failure.
    """
    require_home()
    make_cli(make_plugin_manager()).main(prog_name="csf")
