"""Text that is quoted for cron or systemd is read back unchanged, whatever bytes it has."""

from __future__ import annotations

import os
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from locales import ENCODINGS, encoded
from scheduling import dollars_undone, setting, to_shell, unit_words

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.names import has_control_character
from csf_backup_plugin.operations.schedule.quoting import (
    cron_setting,
    cron_word,
    unit_program,
    unit_setting,
    unit_word,
)

# Text in a name that some parser may take for syntax, and any other bytes.
ODD = st.sampled_from(
    [*"%$\\\"' ;#`~!*@-=&{}", "\\%", "%%", "$$", "${A}", "ä", "\udcff", "%n", "x"]
)
NAMES = (
    st.lists(ODD | st.characters(codec="utf-8"), max_size=8)
    .map(lambda parts: "/" + "".join(parts))
    .filter(lambda name: not has_control_character(name))
)


@given(st.lists(NAMES, min_size=1, max_size=8))
@settings(max_examples=60)
def test_a_shell_that_cron_starts_gets_the_same_words(names: list[str]) -> None:
    r"""It does not matter whether cron removes the backslash of ``\%``."""
    command = f"printf {cron_word('%s')}'\\0' {' '.join(map(cron_word, names))}"
    for is_first in (False, True):
        line = os.fsencode(to_shell(command, is_first=is_first))
        printed = subprocess.run([b"sh", b"-c", line], stdout=subprocess.PIPE, check=True).stdout
        assert printed.split(b"\0")[:-1] == [os.fsencode(name) for name in names]


def test_an_empty_word_is_one() -> None:
    """This holds for cron and for systemd."""
    assert (cron_word(""), unit_word("")) == ("''", '""')


@given(NAMES)
def test_a_crontab_sets_a_variable_to_the_same_value(value: str) -> None:
    """A value that cannot be written is reported."""
    for one in (value, f" {value}", f"'{value}", f'"{value} '):
        try:
            line = cron_setting("X", one)
        except UsageError:
            assert "'" in one
            assert '"' in one
        else:
            assert setting(line) == ("X", one)


@given(NAMES, st.sampled_from(ENCODINGS))
def test_systemd_gets_the_same_words(name: str, encoding: str) -> None:
    """This holds in every locale, and the file is ASCII."""
    with encoded(encoding):
        here = os.fsdecode(name.encode("utf-8", "surrogateescape"))
        line = f"{unit_word(here)} {unit_word(here + ' ')}"
        want = name.encode("utf-8", "surrogateescape")
        assert dollars_undone(unit_words(line)) == [want, want + b" "]


@given(NAMES)
def test_systemd_runs_a_program_by_its_name(name: str) -> None:
    """A name that systemd would not run is reported."""
    try:
        (word,) = unit_words(unit_program(name))
    except UsageError:
        assert {*name} & {*"\"'\\"}
    else:
        assert word == os.fsencode(name)


@given(NAMES)
def test_systemd_sets_a_variable_to_the_same_value(value: str) -> None:
    """A value that is not UTF-8 is reported, since systemd ignores it."""
    try:
        line = unit_setting("X", value)
    except UsageError:
        assert "\udcff" in value
    else:
        key, _, rest = line.partition("=")
        assert (key, unit_words(rest)) == ("Environment", [os.fsencode(f"X={value}")])


@pytest.mark.parametrize("value", ["a b", "a=b", "/usr/bin:/bin"])
def test_what_needs_no_quotes_in_a_crontab_has_none(value: str) -> None:
    """It is written as a person would write it."""
    assert cron_setting("X", value) == f"X={value}"
