"""The kinds of faults, and what is made from them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from csf_simulator.faults import at_start, damaged_image, while_writing
from csf_simulator.faults.effect import Effect
from csf_simulator.faults.kinds import KINDS, TOOLS, described, kinds_of, spared_by

PAGE = (Path(__file__).parents[3] / "docs" / "simulator.md").read_text(encoding="utf-8")


def test_every_effect_is_a_kind() -> None:
    """A class in one of the modules is enough to add a kind; imported classes are not kinds."""
    modules = (at_start, damaged_image, while_writing)
    assert {each.__module__ for each in KINDS.values()} == {each.__name__ for each in modules}
    ours = {each for each in Effect.__subclasses__() if each.__module__.startswith("csf_simulator")}
    assert set(KINDS.values()) == ours
    assert all(each.kind and each.happens for each in KINDS.values())


def test_the_readme_lists_every_kind() -> None:
    """The table in docs/simulator.md is what the classes say, in their order."""
    rows = "".join(f"| `{kind}` | {happens} |\n" for kind, happens in described())
    table = f"<!-- faults -->\n| kind | what happens |\n|---|---|\n{rows}\n"
    assert table in PAGE


@pytest.mark.parametrize("kind", KINDS)
def test_a_value_has_a_name_and_an_example(kind: str) -> None:
    """A kind that takes a value says so in help, and its error message shows a correct one."""
    cls = KINDS[kind]
    example = re.search(rf"as in: {kind} (\S+)$", cls.takes)
    assert bool(cls.metavar) == bool(example)
    cls(example[1] if example else "")
    if not example:
        assert cls.takes == "no value"


def test_only_osbackup_has_the_faults_of_a_backup() -> None:
    """An osrestore writes no image and keeps no record."""
    only = kinds_of("osbackup").keys() - kinds_of("osrestore").keys()
    assert only == {"vanish", "truncate", "corrupt", "empty", "record"}
    assert kinds_of("osrestore").keys() < kinds_of("osbackup").keys() == KINDS.keys()
    assert kinds_of("csf") == {}
    assert {tool for each in KINDS.values() for tool in each.tools} == set(TOOLS)


def test_an_option_spares_a_run() -> None:
    """A record that is asked for makes the fault of that name change nothing."""
    assert spared_by({"-i": ["file"], "-a": []}) == ["record"]
    assert spared_by({"-a": []}) == []
