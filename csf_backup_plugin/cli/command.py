"""Commands in csf's style: single-dash long options, told exactly and never guessed.

``-option`` is the name, ``--option`` is accepted as well, ``-help`` and ``--help`` both work. click
would read a mistyped ``-databse`` as a bundle of one-letter options, and would take ``-json`` for
the value of ``-database``; both are refused here before click parses.
"""

from __future__ import annotations

import difflib
import math
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator


class CsfCommand(click.Command):
    """A command whose options are all single-dash long options."""

    def __init__(self, name: str, **attributes: Any) -> None:
        super().__init__(name, context_settings={"help_option_names": ["-help"]}, **attributes)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse `args` after every option among them has been found to be one of ours."""
        return super().parse_args(ctx, list(self._checked(ctx, args)))

    def _checked(self, ctx: click.Context, args: list[str]) -> Iterator[str]:
        options = {
            name: parameter
            for parameter in self.get_params(ctx)
            if isinstance(parameter, click.Option)
            for name in parameter.opts
        }
        seen: set[str] = set()
        rest = iter(args)
        for arg in rest:
            written, equals, value = arg.partition("=")
            name = "-" + written.lstrip("-")
            option = options.get(name)
            if not arg.startswith("-") or arg in ("-", "--"):
                raise click.UsageError(f"Got an argument that belongs to no option: {arg}", ctx)
            if option is None or written.startswith("---"):
                near = difflib.get_close_matches(name, options)
                raise click.NoSuchOption(written, possibilities=near, ctx=ctx)
            if name in seen and not option.multiple:
                raise click.UsageError(f"Option {name} is given twice.", ctx)
            seen.add(name)
            yield name + equals + value
            if not option.is_flag and not equals:
                yield _value(name, next(rest, None), ctx)


class Seconds(click.FloatRange):
    """A number of seconds that ends.

    Args:
        least: the smallest that makes sense.
    """

    def __init__(self, least: float = 0) -> None:
        super().__init__(min=least)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """Return the number, or fail."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not a number of seconds.", param, ctx)
        return number


def _value(name: str, value: str | None, ctx: click.Context) -> str:
    if value is None:
        raise click.BadOptionUsage(name, f"Option {name} requires an argument.", ctx)
    if value.startswith("-"):
        raise click.BadOptionUsage(
            name, f"Option {name} requires an argument; {value} looks like an option.", ctx
        )
    return value
