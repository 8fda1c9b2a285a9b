"""Commands in csf's style: single-dash long options, matched exactly.

An option is named ``-option``; ``--option`` is accepted, too, and so are ``-help`` and ``--help``.
click would read a mistyped ``-databse`` as several one-letter options, and could take ``-json`` as
the value of ``-database``. Both are refused here before click parses the line.

Every command has ``-verbose`` and ``-json``; with ``-json``, it prints one document even if it
fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from csf_backup_plugin.cli import options
from csf_backup_plugin.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_GIVEN = f"{__name__}.given"


class CsfCommand(click.Command):
    """A command whose options are all single-dash long options.

    Its callback is called with a `runner.Run` before its parameters, and returns an
    `outcome.Outcome`.
    """

    def __init__(self, name: str, **attributes: Any) -> None:
        super().__init__(name, context_settings={"help_option_names": ["-help"]}, **attributes)
        self.params += options.of_every_command()

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **e: Any
    ) -> click.Context:
        """Return the context of a command line; with -json, print a document if it is wrong."""
        given = list(args)
        try:
            context = super().make_context(info_name, args, parent, **e)
        except click.UsageError as error:
            from csf_backup_plugin.cli.failure import Misuse

            if not e.get("resilient_parsing"):  # for a shell that completes the line
                self._record(error, given)
            if any(word[0:1] == "-" and options.name_of(word) == options.JSON for word in given):
                self._print_document(error)
            raise Misuse(error) from None
        context.meta[_GIVEN] = given
        return context

    def invoke(self, ctx: click.Context) -> None:
        """Run the command, and end with its exit code."""
        from csf_backup_plugin.cancellation import deferred_signals
        from csf_backup_plugin.cli import inherited
        from csf_backup_plugin.hosts.connect import log_in_early

        callback, name, given = self.callback, str(self.name), ctx.params
        assert callback is not None
        as_json, verbose = given.pop("as_json"), given.pop("verbose")
        host = _host_to_begin_with(given)
        with (
            inherited.put_right(),
            deferred_signals(f"csf {name}") as cancellation,
            log_in_early(host) as early,
        ):
            from csf_backup_plugin.cli.runner import Run

            run = Run(name, cancellation, {host: early}, as_json=as_json, verbose=verbose)
            run.is_quiet = given.pop("is_quiet", False)
            code = run.carry_out(ctx.meta[_GIVEN], lambda: callback(run, **given))
        ctx.exit(code)

    def _record(self, error: click.UsageError, words: list[str]) -> None:
        """Record a wrong command line in the ledger."""
        from csf_backup_plugin.cli.attempt import record_misuse

        record_misuse(str(self.name), words, self._translated(error))

    def _print_document(self, error: click.UsageError) -> None:
        """Print the document of a wrong command line."""
        from csf_backup_plugin.cli.printing import give_up
        from csf_backup_plugin.cli.report import report_error

        report_error(str(self.name), self._translated(error))
        give_up()

    def _translated(self, error: click.UsageError) -> UsageError:
        next_step = f"See csf {self.name} -help, and run the command again."
        return UsageError(error.format_message(), next_step)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Check that every option in `args` is known, then parse them."""
        return super().parse_args(ctx, list(self._checked(ctx, args)))

    def known_options(self, ctx: click.Context) -> dict[str, click.Option]:
        """Return the options by name."""
        return {
            name: parameter
            for parameter in self.get_params(ctx)
            if isinstance(parameter, click.Option)
            for name in parameter.opts
        }

    def _checked(self, ctx: click.Context, args: list[str]) -> Iterator[str]:
        known = self.known_options(ctx)
        seen: set[str] = set()
        rest = iter(args)
        for arg in rest:
            written, equals, value = arg.partition("=")
            name = options.name_of(arg)
            option = known.get(name)
            if not arg.startswith("-") or arg in ("-", "--"):
                raise click.UsageError(f"Got an argument that belongs to no option: {arg}", ctx)
            if option is None or written.startswith("---"):
                import difflib  # csf -help does without

                near = difflib.get_close_matches(name, known)
                raise click.NoSuchOption(written, possibilities=near, ctx=ctx)
            if name in seen and not option.multiple:
                raise click.UsageError(f"Option {name} is given twice.", ctx)
            seen.add(name)
            yield name + equals + value
            if not option.is_flag and not equals:
                yield _value(name, next(rest, None), ctx)


def _host_to_begin_with(given: Mapping[str, Any]) -> str:
    """Return the host that a login may begin to at once; empty for none.

    An installed plugin may refuse the attempt, or open the way to the host. So then none may.
    """
    from csf_backup_plugin.hosts.connect import is_for_ssh
    from csf_backup_plugin.notices.plugins import are_installed

    host = options.host_of(given)
    return host if host and is_for_ssh(host) and not are_installed() else ""


def _value(name: str, value: str | None, ctx: click.Context) -> str:
    if value is None:
        raise click.BadOptionUsage(name, f"Option {name} requires an argument.", ctx)
    if value.startswith("-"):
        raise click.BadOptionUsage(
            name, f"Option {name} requires an argument; {value} looks like an option.", ctx
        )
    return value
