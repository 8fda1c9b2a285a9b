"""Command lines of the utilities."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csf_simulator.program.arguments import Arguments, Option, parse
from csf_simulator.program.errors import UsageError

OPTIONS = (
    Option("-a"),
    Option("-f", takes_value=True, repeatable=True),
    Option("-I", takes_value=True),
)
operands = st.text(max_size=5).filter(lambda word: not word.startswith("-"))
words = st.lists(
    st.one_of(
        st.just(["-a"]),
        st.tuples(st.just("-f"), st.text(max_size=5)).map(list),
        operands.map(lambda word: [word]),
    ),
    max_size=8,
)


@given(words)
def test_every_word_ends_up_where_it_belongs(groups: list[list[str]]) -> None:
    """Values go to their options and all else to the operands, each in order."""
    values = [group[1] for group in groups if group[0] == "-f" and len(group) == 2]
    expected: dict[str, list[str]] = {"-f": values} if values else {}
    if ["-a"] in groups:
        expected["-a"] = []
    parsed = parse(OPTIONS, [word for group in groups for word in group])
    assert parsed.values == expected
    assert parsed.operands == [group[0] for group in groups if group[0][:1] != "-"]


@given(st.lists(st.text(max_size=4) | st.sampled_from(["-a", "-f", "-I", "-"]), max_size=8))
def test_any_command_line_is_parsed_or_refused(argv: list[str]) -> None:
    """There is no other result, and nothing but these options is ever accepted."""
    try:
        parsed = parse(OPTIONS, argv)
    except UsageError:
        return
    assert parsed.values.keys() <= {"-a", "-f", "-I"}
    assert not any(word.startswith("-") for word in parsed.operands)


def test_value_may_look_like_an_option() -> None:
    """The word after an option that takes a value is its value, as with getopt."""
    assert parse(OPTIONS, ["-f", "-", "-f", "-a"]).values == {"-f": ["-", "-a"]}


@pytest.mark.parametrize("word", ["-af", "-A", "--a", "-", "--", "-f=x", "-fx", "-i", "-abort"])
def test_nothing_but_the_exact_name_is_an_option(word: str) -> None:
    """Nothing is abbreviated, combined, joined or guessed."""
    with pytest.raises(UsageError, match=f"unknown option: {word}"):
        parse(OPTIONS, [word])


def test_option_without_its_value_is_refused() -> None:
    """An option at the end of the line lacks its value."""
    with pytest.raises(UsageError, match="-f needs a value"):
        parse(OPTIONS, ["-a", "-f"])


def test_option_given_twice_is_refused_unless_that_has_a_meaning() -> None:
    """Two values contradict each other; a repeated flag has the same meaning."""
    with pytest.raises(UsageError, match="-I given twice"):
        parse(OPTIONS, ["-I", "x", "-I", "x"])
    assert parse(OPTIONS, ["-a", "-a"]) == Arguments({"-a": []}, [])


def test_presence_of_an_option_is_reported() -> None:
    """A flag that was not given is absent."""
    arguments = parse(OPTIONS, ["-a"])
    assert (arguments.has("-a"), arguments.has("-f")) == (True, False)
