"""The command line of the benchmarks: which tables are wanted, and of what sizes."""

from __future__ import annotations

import argparse
import importlib
from typing import TYPE_CHECKING

from benchmarks import machine
from benchmarks.sizes import QUICK, USUAL, Sizes
from benchmarks.table import text_of

if TYPE_CHECKING:
    from collections.abc import Sequence

#: One module each, whose docstring says what it measures.
SUBJECTS = ("startup", "images", "scale", "status", "remote")


def main(words: Sequence[str]) -> None:
    """Measure, and print each table as soon as it is complete."""
    options = _parser().parse_args(words)
    sizes = _sizes(options)
    print(f"{machine.description()}\n", flush=True)
    for name in options.only or SUBJECTS:
        for table in importlib.import_module(f"benchmarks.{name}").tables(sizes):
            print(f"{text_of(table)}\n", flush=True)
    print(f"Load at the end: {machine.load()}.")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m tests.benchmarks", description=main.__doc__)
    parser.add_argument("--only", choices=SUBJECTS, action="append", help="may be repeated")
    parser.add_argument("--quick", action="store_true", help="tiny sizes, one round: a trial")
    parser.add_argument("--rounds", type=int, help="of which medians are taken")
    parser.add_argument("--starts", type=int, help="the same, of what takes milliseconds")
    for name, what in (
        ("mebibytes", "sizes of the database in an image"),
        ("databases", "numbers of databases in a repository"),
        ("images", "numbers of images in a directory"),
    ):
        parser.add_argument(f"--{name}", type=int, nargs="+", help=what)
    parser.add_argument("--networks", nargs="+", choices=USUAL.networks, help="ways to a host")
    parser.add_argument(
        "--before", metavar="PYTHON", help="of a venv with an earlier version, to measure beside"
    )
    return parser


def _sizes(options: argparse.Namespace) -> Sizes:
    """Return the sizes that the options ask for."""
    given = {name: getattr(options, name) for name in Sizes._fields if getattr(options, name)}
    return (QUICK if options.quick else USUAL)._replace(**given)
