"""The command line of the checklist."""

from __future__ import annotations

import signal
import sys
from typing import TYPE_CHECKING

import click

from csf_backup_plugin.cli.inherited import put_right
from csf_backup_plugin.cli.outcome import Outcome
from csf_backup_plugin.cli.printing import give_up, said
from csf_backup_plugin.cli.report import report, report_error
from csf_backup_plugin.contract.capturing import Printed, captured
from csf_backup_plugin.contract.finding import CANNOT_BE_KNOWN, DOES_NOT_FIT, FITS, Finding
from csf_backup_plugin.contract.hooks import hook_findings
from csf_backup_plugin.contract.loading import Loaded, Refused, load
from csf_backup_plugin.contract.plugins import plugin_findings
from csf_backup_plugin.contract.trial import master_database, tried
from csf_backup_plugin.errors import UNKNOWN_LEFT, BackupError, Interrupted, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_PROGRAM = "python -m csf_backup_plugin.contract"
_NAME = "contract"  # of the command, in its document
_UNFIT = 1  # the exit code


@click.command(context_settings={"help_option_names": ["-help", "--help"]})
@click.argument("csf", metavar="MODULE:FUNCTION")
@click.option(
    *("-try", "--try", "target"),
    metavar="DIR",
    help="Create a class in this empty directory, too, and look at what class_create returns. DIR "
    "may also be the master database of a repository that was made for this.",
)
@click.option("-json", "--json", "as_json", is_flag=True, help="Print one JSON document.")
def checklist(csf: str, target: str | None, *, as_json: bool) -> int:
    """Say whether a csf offers what csf-backup-plugin needs of it.

    FUNCTION returns csf's plugin manager with its plugins loaded; it may be the plugin manager
    itself. Nothing is created without -try. The exit code is 0 if nothing was found that does not
    fit, 1 if something was, 2 if the command line is wrong.
    """
    master = None if target is None else master_database(target)
    found = [*_findings(csf, master)]
    status = _UNFIT if any(finding.verdict == DOES_NOT_FIT for finding in found) else 0
    facts = {"csf": csf, "findings": [finding._asdict() for finding in found]}
    lines = [*map(str, found)]
    sentences = lines if as_json else []  # reported if the document cannot be printed
    outcome = Outcome(sentences, facts, output="\n".join(lines), status=status)
    report(_NAME, outcome, as_json=as_json)
    return status


def _findings(csf: str, master: str | None) -> Iterator[Finding]:
    loaded: Loaded | Refused
    with captured() as printed:
        try:
            loaded = load(csf)
        except Refused as error:
            loaded = error
    yield from _said_loading(printed)
    if isinstance(loaded, Refused):
        yield loaded.finding
        return
    yield from plugin_findings(loaded)
    yield from hook_findings(loaded.manager)
    if master is None:
        yield Finding(CANNOT_BE_KNOWN, "what class_create returns", "run this with -try DIR")
        return
    with captured() as printed:
        finding = tried(loaded.manager, master)
    yield finding
    if printed.output:
        yield Finding(FITS, f"class_create prints: {printed.output}")
    yield from _said(printed)


def _said_loading(printed: Printed) -> Iterator[Finding]:
    if printed.output:
        what = f"loading csf prints on standard output: {printed.output}"
        yield Finding(DOES_NOT_FIT, what, "leave that to -json, or print on standard error")
    yield from _said(printed)


def _said(printed: Printed) -> Iterator[Finding]:
    """Yield what csf, or this plugin in it, has printed on standard error; it may be a warning."""
    if printed.errors:
        yield Finding(CANNOT_BE_KNOWN, f"what this means: {printed.errors}", "read it")


def main(words: Sequence[str] | None = None) -> None:
    """Run the checklist, and end with its exit code.

    Args:
        words: the command line; None for the process's own.

    Raises:
        SystemExit: always.
    """
    given = [*(sys.argv[1:] if words is None else words)]
    with put_right():
        try:
            code = checklist.main(given, prog_name=_PROGRAM, standalone_mode=False)
        except (click.UsageError, click.Abort, BackupError) as error:
            code = _failed(_translated(error), as_json={"-json", "--json"}.intersection(given))
    give_up()
    sys.exit(code)


def _translated(error: Exception) -> BackupError:
    if isinstance(error, BackupError):
        return error
    if isinstance(error, click.UsageError):
        return UsageError(error.format_message(), f"See {_PROGRAM} -help.")
    interrupted = Interrupted(signal.SIGINT, "The checklist")
    interrupted.left = UNKNOWN_LEFT
    return interrupted


def _failed(error: BackupError, *, as_json: object) -> int:
    if as_json:
        report_error(_NAME, error)
    else:
        said(f"Error: {error}")
    return int(error.exit_code)


if __name__ == "__main__":
    main()
