"""Reporting attempts to other distributions' hooks, and to a program that the user names.

`plugins` loads and calls the hooks, each inside `aside`, which protects csf's process; `program`
runs the program. Every error there becomes a warning, and changes nothing else.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from csf_backup_plugin.errors import RefusedByPlugin
from csf_backup_plugin.hookspecs import Attempt, Outcome
from csf_backup_plugin.log import warned
from csf_backup_plugin.notices import plugins
from csf_backup_plugin.notices.program import call_program

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from csf_backup_plugin.attempts.line import Line
    from csf_backup_plugin.cancellation import Cancellation


class Notices:
    """The hooks and the program that an attempt is reported to.

    Args:
        attempt: its id in the ledger; None if there is no ledger.
        facts: facts on the attempt, by the names of `Attempt`, without those that follow from where
            csf runs.
        environ: the environment, which may name a program.
        cancellation: the command's; a signal also ends a hook or program that is running.
        warn: called with a sentence about each error.
    """

    def __init__(
        self,
        attempt: str | None,
        facts: Mapping[str, Any],
        environ: Mapping[str, str],
        cancellation: Cancellation,
        warn: Callable[[str], None],
    ) -> None:
        self._facts = {"attempt": attempt, "driver": os.uname().nodename, **facts}
        self._environ = environ
        self._cancellation = cancellation
        self._show = warn
        self._plugins = plugins.load(cancellation, self._warn)

    def killed(self, ends: Iterable[Line]) -> None:
        """Report the ends of attempts that were killed.

        Args:
            ends: the end of each. Once a signal has come, no more are taken: a later attempt
                reports them.
        """
        for line in ends:
            if self._cancellation.received:
                return
            self._tell({"attempt": line.id, **line.facts})

    def starting(self) -> None:
        """Report that the attempt is about to begin.

        Raises:
            RefusedByPlugin: one or several plugins have refused it.
        """
        attempt = Attempt(**_chosen(self._facts, Attempt._fields))
        if refusals := [*filter(None, (one.starting(attempt) for one in self._plugins))]:
            raise RefusedByPlugin(
                f"{attempt.command} was refused by {'; and by '.join(refusals)}.",
                "Run the same command again when the reason is gone. To do without a plugin, "
                "uninstall its distribution.",
            )

    def finished(self, how: Mapping[str, Any]) -> None:
        """Report how the attempt has ended.

        Args:
            how: the outcome by the names of `Outcome`, and facts that are known better now than
                when it began.
        """
        self._tell({**self._facts, **how})

    def rehearsed(self, how: Mapping[str, Any]) -> list[str]:
        """Report a failure as a test; return the titles of the plugins that were called.

        Args:
            how: as for `finished`.
        """
        self._tell({**self._facts, **how}, rehearsal=True)
        return [one.title for one in self._plugins]

    def _tell(self, facts: Mapping[str, Any], *, rehearsal: bool = False) -> None:
        outcome = Outcome(**_chosen(facts, Outcome._fields), rehearsal=rehearsal)
        for one in self._plugins:
            one.finished(outcome)
        call_program(outcome, self._environ, self._cancellation, self._warn)

    def _warn(self, text: str) -> None:
        warned(text)
        self._show(text)


def _chosen(facts: Mapping[str, Any], names: tuple[str, ...]) -> dict[str, Any]:
    chosen = {name: facts[name] for name in names if name != "rehearsal"}
    return {**chosen, "image_dirs": tuple(facts["image_dirs"])}
