"""Names: which are legal, and how they are shown."""

from __future__ import annotations

import os
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from locales import ENCODINGS, encoded

from csf_backup_plugin.names import absolute, command, has_control_character, is_inside, shown
from csf_backup_plugin.repository.coverage import Database, compare

LEGAL = ["a b", "it's", 'say "x"', "$(touch x)", ";", "-rf", "é", "\udcff", "a:b", "back\\slash"]


@pytest.mark.parametrize("name", LEGAL)
def test_odd_but_legal_names_pass_unchanged(name: str) -> None:
    """All names that a file system and the import file allow stay as they are."""
    assert absolute(f"/r/{name}.db") == f"/r/{name}.db"


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("", "is empty"),
        ("r/m.db", "is not an absolute path"),
        ("-r/m.db", "is not an absolute path"),
        ("/", "names a directory"),
        ("/r/", "names a directory"),
        ("/r/.", "names a directory"),
        ("/r/..", "names a directory"),
        ("/r/a\nb", "holds a control character"),
        ("/r/a\x1b[2J", "holds a control character"),
        ("/r/a\x9b2J", "holds a control character"),
    ],
)
def test_what_names_no_file_is_refused_with_the_reason(path: str, problem: str) -> None:
    """The reason follows the name in the message."""
    with pytest.raises(ValueError, match=f"^{problem}$"):
        absolute(path)


def test_doubled_slashes_and_dots_are_dropped_and_parents_are_kept() -> None:
    """One file has one name, except where only the file system knows what `..` means."""
    assert absolute("//r///./x/../m.db") == "/r/x/../m.db"


@given(st.text())
def test_anything_can_be_shown_on_a_terminal(name: str) -> None:
    """The result has no control characters, and can be encoded."""
    assert not has_control_character(shown(name))
    shown(name).encode()


def test_undecodable_bytes_are_shown_escaped() -> None:
    """A byte that is not text is shown by its number."""
    assert shown("/r/\udcff\n") == "/r/\\xff\\x0a"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_name_is_its_bytes_in_every_locale(encoding: str) -> None:
    """This holds for control characters, the shown form, and the order."""
    with encoded(encoding):
        for raw, text in (
            ("Ångström €".encode(), "Ångström €"),  # it has bytes of 0x80 to 0x9f
            (b"\xc5\x85\x85\xff", "\u0145\\x85\\xff"),
        ):
            name = os.fsdecode(raw)
            assert not has_control_character(name)
            assert shown(name) == shown(text) == text
        for raw in ("a\x9b2J".encode(), b"a\n", b"\x7f"):
            assert has_control_character(os.fsdecode(raw))
        names = [b"/r/Z", "/r/ä".encode(), b"/r/\xff", "/r/\U00010437".encode()]
        found = compare("/r/m", (Database(os.fsdecode(raw), 1) for raw in names), [])
        assert [os.fsencode(path) for path in found.paths] == sorted(names)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_command_hands_over_bytes_in_every_locale(encoding: str) -> None:
    """A terminal in that locale might send other bytes for a letter."""
    raw = "Å €\udcff".encode("utf-8", "surrogateescape")
    with encoded(encoding):
        typed = os.fsencode(command("printf", "%s", os.fsdecode(raw)))
    assert subprocess.run(["bash", "-c", typed], capture_output=True, check=True).stdout == raw


def test_a_command_is_shown_as_a_shell_takes_it() -> None:
    """Characters that a terminal does not show are escaped, and the shell gets the right bytes."""
    assert command("csf", "a b", "c\n") == r"csf 'a b' $'c\012'"
    words = ["é", "\udcff'\udcfe\\$(x) é", "\x1b[1m", "plain"]
    printed = subprocess.run(
        ["bash", "-c", command("printf", r"%s\0", *words)], capture_output=True, check=True
    ).stdout
    assert printed.split(b"\0")[:-1] == list(map(os.fsencode, words))


def test_half_a_character_is_shown_too() -> None:
    """No name has one, but a document may."""
    assert shown("a\ud800b\udcff") == r"a\ud800b\udcff"


def test_inside_is_the_directory_itself_and_what_is_below() -> None:
    """A path that only begins alike is outside."""
    assert is_inside("/r", "/r")
    assert is_inside("/r/a/b", "/r/")
    assert is_inside("/r", "/")
    assert not is_inside("/r2", "/r")
    assert not is_inside("/r", "/r/a")
