"""Scenarios: how their outcome is judged and recorded, for any pair of utilities."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple

from contract.bench import Bench, NotPossible
from contract.installed import Utilities

# Where a statement comes from. DOC: the ObjectStore 6.0 manual. TXT: the description of csf's
# backup. INF: inferred from either. UNK: not known; what is stated is the safest assumption.
Label = Literal["DOC", "TXT", "INF", "UNK"]


class Seen(NamedTuple):
    """The expected and the actual outcome of a scenario, as JSON values."""

    expected: object
    observed: object


class Scenario(NamedTuple):
    """Something done with the utilities, and what is said to happen then.

    Attributes:
        label: Where that is said.
        play: Does it.
    """

    label: Label
    play: Callable[[Bench], Seen]

    @property
    def name(self) -> str:
        """What it is called in tests and reports."""
        return self.play.__name__

    @property
    def sentence(self) -> str:
        """What is done and what is said to happen: the docstring, on one line."""
        return re.sub(r"\s+", " ", self.play.__doc__ or "").strip()


class Record(NamedTuple):
    """How a scenario went, with the directory it was played in written as a dot."""

    scenario: str
    label: Label
    sentence: str
    expected: object
    observed: object

    @property
    def agrees(self) -> bool:
        """Tell whether it went as is said."""
        return self.observed == self.expected

    @property
    def contradicts(self) -> bool:
        """Tell whether a document is wrong about these utilities, not just a guess of ours."""
        return not self.agrees and self.label in ("DOC", "TXT")

    def line(self) -> str:
        """Return the record as one line of JSON."""
        return json.dumps({**self._asdict(), "agrees": self.agrees})


def scenario(label: Label) -> Callable[[Callable[[Bench], Seen]], Scenario]:
    """Make a scenario of a function; its docstring is the sentence."""
    return lambda play: Scenario(label, play)


def gather(names: Mapping[str, object]) -> list[Scenario]:
    """Return the scenarios of a module, in the order they are written."""
    return [value for value in names.values() if isinstance(value, Scenario)]


def play(scene: Scenario, utilities: Utilities) -> Record:
    """Run a scenario on fresh copies of the databases."""
    with Bench(utilities) as bench:
        try:
            seen = scene.play(bench)
        except (NotPossible, OSError) as reason:
            seen = Seen("possible", f"not possible: {reason}")
        expected, observed = (_plain(value, bench.path) for value in seen)
    return Record(scene.name, scene.label, scene.sentence, expected, observed)


def write_report(directory: str, records: Iterable[Record]) -> str:
    """Write all records, one on each line, in one step; return the path."""
    os.makedirs(directory, exist_ok=True)
    path = os.path.join(directory, "utilities.jsonl")
    unfinished = f"{path}.{os.getpid()}~"
    with open(unfinished, "w", encoding="utf-8") as file:
        file.writelines(f"{record.line()}\n" for record in records)
    os.rename(unfinished, path)
    return path


def _plain(value: object, directory: str) -> object:
    """Return a value as JSON keeps it, without differences between machines."""
    text = json.dumps(value).replace(json.dumps(directory)[1:-1], ".")
    plain: object = json.loads(text)
    return plain
