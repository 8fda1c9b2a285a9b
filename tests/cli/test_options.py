"""Options are declared once each, with the words that help and README show."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import click

from csf_backup_plugin import cli
from csf_backup_plugin.cli import COMMANDS
from csf_backup_plugin.operations.lock_wait import LOCK_WAIT, LOCK_WAIT_VARIABLE


def declared() -> Counter[str]:
    """Return how often each option is declared; for example `options.JSON` by its name."""
    found: Counter[str] = Counter()
    for path in Path(cli.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in (
                "click.option",
                "click.Option",
            ):
                first = node.args[0].elts[0] if isinstance(node.args[0], ast.List) else node.args[0]
                found[ast.unparse(first).strip("'")] += 1
    return found


def test_every_option_is_declared_once() -> None:
    """`cli/options.py` has the options that commands share."""
    counts = declared()
    assert {name: count for name, count in counts.items() if count > 1} == {}
    names = {option for command in COMMANDS for one in command.params for option in one.opts}
    assert names == {"-json" if name == "JSON" else name for name in counts}


def test_every_option_says_what_it_is_for() -> None:
    """The text is a sentence."""
    for command in COMMANDS:
        for option in command.params:
            assert isinstance(option, click.Option)
            assert option.help
            assert option.help.partition("  [")[0].endswith(".")


def test_the_default_of_wait_is_the_one_that_is_used() -> None:
    """The text cannot use the constant, since csf's start imports no operation."""
    (text,) = {
        option.help
        for command in COMMANDS
        for option in command.params
        if isinstance(option, click.Option) and option.opts == ["-wait"]
    }
    assert text
    assert text.endswith(f"[default: ${LOCK_WAIT_VARIABLE}, or {LOCK_WAIT:g}]")
