"""The options that were given on the command line, in contrast to defaults."""

from __future__ import annotations

import click
from click.core import ParameterSource


def given_options() -> set[str]:
    """Return the names of the options that were given to the running command."""
    context = click.get_current_context()
    return {
        option.opts[0]
        for option in context.command.params
        if context.get_parameter_source(str(option.name)) is ParameterSource.COMMANDLINE
    }
