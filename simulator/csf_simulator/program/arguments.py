"""Command lines as ObjectStore's utilities take them: one dash, exact names, no abbreviation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from csf_simulator.program.errors import UsageError


class Option(NamedTuple):
    """One option of a utility.

    Attributes:
        name: with its dash, as in "-f".
        takes_value: the next argument belongs to it, whatever that looks like, as with getopt.
        repeatable: it may be given several times.
    """

    name: str
    takes_value: bool = False
    repeatable: bool = False


class Arguments(NamedTuple):
    """A command line, taken apart.

    Attributes:
        values: for each option that was given, its values in order; none for a flag.
        operands: everything else, in order.
    """

    values: dict[str, list[str]]
    operands: list[str]

    def has(self, name: str) -> bool:
        """Tell whether an option was given."""
        return name in self.values


def parse(options: Iterable[Option], argv: Sequence[str]) -> Arguments:
    """Take a command line apart; options and operands may be mixed.

    Args:
        options: those the utility knows.
        argv: the arguments, without the utility's name.

    Raises:
        UsageError: an unknown option, a value missing, a single option given twice.
    """
    known = {option.name: option for option in options}
    parsed = Arguments({}, [])
    words = iter(argv)
    for word in words:
        if word in known:
            _take(known[word], words, parsed.values)
        elif word.startswith("-"):
            raise UsageError(f"unknown option: {word}")
        else:
            parsed.operands.append(word)
    return parsed


def _take(option: Option, words: Iterable[str], values: dict[str, list[str]]) -> None:
    """Add one option, and the value that follows it, to the values."""
    if option.name in values and option.takes_value and not option.repeatable:
        raise UsageError(f"option {option.name} given twice")
    found = values.setdefault(option.name, [])
    if option.takes_value:
        value = next(iter(words), None)
        if value is None:
            raise UsageError(f"option {option.name} needs a value")
        found.append(value)
