"""Options in csf's style: exact long options with one dash; messages name the whole mistake."""

from __future__ import annotations

import re

import click
import pytest

from csf_backup_plugin.cli.command import CsfCommand


@click.command("example", cls=CsfCommand)
@click.option("-database", required=True)
@click.option("-image-dir", multiple=True)
def example() -> None:
    """Do nothing; only the options matter."""


def parse(*args: str) -> dict[str, object]:
    """Return the parsed options."""
    return example.make_context("example", list(args)).params


@pytest.mark.parametrize(
    "args",
    [
        ("-database", "/m"),
        ("--database", "/m"),
        ("-database=/m",),
        ("--database=/m",),
    ],
)
def test_one_dash_and_two_dashes_with_and_without_an_equals_sign_work(
    args: tuple[str, ...],
) -> None:
    """Users may write any of these forms."""
    assert parse(*args, "-json", "--image-dir", "a", "-image-dir", "b") == {
        "database": "/m",
        "image_dir": ("a", "b"),
        "as_json": True,
        "verbose": False,
    }


@pytest.mark.parametrize(
    ("args", "problem"),
    [
        (["-databse", "/m"], "-databse(?s:.*)-database"),
        (["--databse=/m"], "--databse(?s:.*)-database"),
        (["---database", "/m"], "---database"),
        (["-d", "/m"], "-d"),
        (["-data", "/m"], "-data"),
        (["-Database", "/m"], "-Database"),
        (["-database", "-json"], "-database requires an argument; -json looks like an option"),
        (["-database", "--x"], "-database requires an argument; --x looks like an option"),
        (["-json", "-database"], "-database requires an argument"),
        (["-database", "/m", "-database", "/n"], "-database is given twice"),
        (["/m"], "belongs to no option: /m"),
        (["-database", "/m", "more"], "belongs to no option: more"),
        (["-database", "/m", "--", "more"], "belongs to no option: --"),
        (["-json"], "-database"),
        (["-json=yes", "-database", "/m"], "-json"),
    ],
)
def test_a_mistake_is_refused_and_named_whole(args: list[str], problem: str) -> None:
    """Options are never abbreviated, bundled or guessed, and the nearest one is suggested."""
    with pytest.raises(click.UsageError) as caught:
        parse(*args)
    assert caught.value.exit_code == 2
    assert re.search(problem, caught.value.format_message())


@pytest.mark.parametrize("option", ["-help", "--help"])
def test_help_is_shown_for_both_spellings(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    """It may stand anywhere, and other options may be missing."""
    with pytest.raises(click.exceptions.Exit) as caught:
        parse(option)
    assert caught.value.exit_code == 0
    assert "-image-dir" in capsys.readouterr().out
