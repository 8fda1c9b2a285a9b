"""Commands that are loaded when they are needed, so that csf's start costs little."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import click

#: What is known of a command before it is loaded.
_OWN = ("name", "short_help", "hidden", "deprecated", "_module")


class LaterCommand(click.Command):
    """A command of which csf's help has a line; its module is imported for anything else.

    Args:
        module: the module in `cli/`.
        short_help: the line in csf's help.
    """

    def __init__(self, module: str, short_help: str) -> None:
        # click's own would declare a command without options.
        self.name = f"admin_database_{module}"
        self.short_help = short_help
        self.hidden = self.deprecated = False
        self._module = module

    def __getattr__(self, attribute: str) -> Any:
        """Return what the command itself has."""
        if attribute.startswith("__") or attribute == "_module":  # as copy asks for them
            raise AttributeError(attribute)
        return getattr(self._loaded(), attribute)

    def __setattr__(self, attribute: str, value: Any) -> None:
        """Change the command itself, so that what a csf or another plugin wraps is used."""
        target = self if attribute in _OWN else self._loaded()
        object.__setattr__(target, attribute, value)

    def make_context(self, *arguments: Any, **options: Any) -> click.Context:
        """Return the context of a command line; its command is the loaded one."""
        return self._loaded().make_context(*arguments, **options)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse a command line as the loaded command does."""
        return self._loaded().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the loaded command."""
        return self._loaded().invoke(ctx)

    def collect_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Return what stands behind the loaded command's name in its usage."""
        return self._loaded().collect_usage_pieces(ctx)

    def _loaded(self) -> click.Command:
        module = import_module(f"{__package__}.{self._module}")
        command: click.Command = getattr(module, str(self.name))
        return command
