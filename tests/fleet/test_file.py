"""The fleet file: what a section may have; each error names file, line and key."""

from __future__ import annotations

import configparser
import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from locales import ENCODINGS, encoded

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.fleet.file import Fleet, parse_fleet, read_fleet
from csf_backup_plugin.fleet.repository import KEYS, FleetRepository
from csf_backup_plugin.fleet.syntax import Misprint, read_sections
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.repository.model import Repository

if TYPE_CHECKING:
    from pathlib import Path

LIB = "[lib]\ndatabase = db1:/databases/lib.db\nimage-dirs = /backup1\n"
WHOLE = """\
# All repositories of the site.
[DEFAULT]
every = 24h
image-dirs = /backup1
    /backup 2
drill-every: 7d
scratch-dir = /var/tmp
environment =
    OS_ROOTDIR=/opt/objectstore 8
    ; a comment between the lines of a value
    CSF_BACKUP_LOCK_WAIT=60

[lib]
database = db1:/databases/lib.db
max-age = 30h
max-drill-age = none
dated-day = friday
keep-dated = 4
keep-monthly = 12
keep-yearly = 0
copy-to = vault:/copies
copy-keep = 3
at = 4:15
wait = 90
timeout = 1.5
no-checksum = yes
require-mount = on
accept-small = true
quiesce = /etc/csf/quiesce
require-quiet = 1
strict = no

[maps, 100 %]
  Database = lib@db2:/databases/maps.db
  image-dirs = lib@db2:/b
  drill-every = none
  environment = none
"""


def fleet_of(directory: Path, text: str | bytes) -> Fleet:
    """Return the fleet of a file with this text."""
    path = directory / "fleet.ini"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_fleet(str(path))


def refusal(directory: Path, text: str | bytes) -> UsageError:
    """Return why a text is refused; check that the message names the file and its line."""
    with pytest.raises(UsageError) as caught:
        fleet_of(directory, text)
    error = caught.value
    assert error.exit_code == ExitCode.USAGE
    assert error.what.startswith(f"{directory}/fleet.ini, line {error.facts['line']}: ")
    return error


def test_every_key_of_a_section_is_read(tmp_path: Path) -> None:
    """They have the units and types of the options; a section's values override the defaults."""
    lib, _ = fleet_of(tmp_path, WHOLE).repositories
    assert lib == FleetRepository(
        "lib",
        "db1",
        Repository("/databases/lib.db"),
        (ImagePath("db1", "/backup1/latest"), ImagePath("db1", "/backup 2/latest")),
        every=86400.0,
        max_age=108000.0,
        dated_day="friday",
        keep_dated=4,
        keep_monthly=12,
        keep_yearly=0,
        drill_every=604800.0,
        scratch_dir="/var/tmp",
        max_drill_age=0.0,
        copy_to=(ImagePath("vault", "/copies/latest"),),
        copy_keep=3,
        at=(4, 15),
        wait=90.0,
        timeout=1.5,
        no_checksum=True,
        require_mount=True,
        accept_small=True,
        quiesce="/etc/csf/quiesce",
        require_quiet=True,
        environment=(("OS_ROOTDIR", "/opt/objectstore 8"), ("CSF_BACKUP_LOCK_WAIT", "60")),
    )
    assert lib.database == "db1:/databases/lib.db"


def test_none_takes_a_default_away(tmp_path: Path) -> None:
    """Keys may be in upper or lower case, and a % is an ordinary character."""
    _, maps = fleet_of(tmp_path, WHOLE).repositories
    assert (maps.name, maps.host) == ("maps, 100 %", "lib@db2")
    assert (maps.drill_every, maps.environment, maps.every) == (None, (), 86400.0)
    assert maps.image_dirs == (ImagePath("lib@db2", "/b/latest"),)


@pytest.mark.parametrize(
    ("text", "line", "key", "said"),
    [
        # Lines that a fleet file cannot have.
        ("database = db1:/a\n", 1, None, "is not in a section"),
        ("[lib]\ndatabase\n", 2, None, "neither a section nor a key"),
        ("[lib]\n = db1:/a\n", 2, None, "neither a section nor a key"),
        ("[lib\n", 1, None, "not the line of a section"),
        ("[ ]\n", 1, None, "not the line of a section"),
        ("[lib] # the library\n", 1, None, "not the line of a section"),
        (LIB + "[maps]\x00\n", 4, None, "control character"),
        (LIB + "every = 2\x0b4h\n", 4, None, "control character"),
        # Twice the same.
        (LIB + LIB, 4, None, "already in line 1"),
        (LIB + "DataBase = db1:/b\n", 4, "database", "already in line 2"),
        (LIB + "  db1:/backup1\n", 4, "image-dirs", "already in line 3"),
        (LIB + LIB.replace("[lib]", "[two]").replace("db1:", "me@DB1:"), 5, "database", "line 2"),
        # Keys.
        (LIB + "keep-date = 4\n", 4, "keep-date", "is not a key"),
        ("[DEFAULT]\nevry = 4h\n" + LIB, 2, "evry", "is not a key"),
        ("[lib]\nimage-dirs = /backup1\n", 1, "database", "[lib] has no database"),
        ("[lib]\ndatabase = db1:/a.db\n", 1, "image-dirs", "[lib] has no image-dirs"),
        (LIB + "every =\n", 4, "every", "every has no value"),
        (LIB + "every = 24h\n 12h\n", 5, "every", "12h is a second value"),
        # Values.
        ("[lib]\ndatabase = /databases/lib.db\n", 2, "database", "does not begin with HOST:"),
        ("[lib]\ndatabase = -x:/lib.db\n", 2, "database", "not the name of a host"),
        ("[lib]\ndatabase = db1:lib.db\n", 2, "database", "not an absolute path"),
        (LIB + " vault:/backup2\n", 4, "image-dirs", "vault:/backup2 is not on db1"),
        (LIB + " backup2\n", 4, "image-dirs", "does not begin with HOST:"),
        (LIB + "copy-to = /copies\n", 4, "copy-to", "does not begin with HOST:"),
        (LIB + "every = daily\n", 4, "every", "daily is not a length of time"),
        (LIB + "max-age = none\nevery = 0h\n", 5, "every", "0h is not a length of time"),
        (LIB + "wait = soon\n", 4, "wait", "soon is not a number of seconds from 0 on"),
        (LIB + "timeout = 0.5\n", 4, "timeout", "0.5 is not a number of seconds from 1 on"),
        (LIB + "keep-dated = -1\n", 4, "keep-dated", "-1 is not a number"),
        (LIB + "dated-day = Sonntag\n", 4, "dated-day", "Sonntag is not a weekday"),
        (LIB + "at = noon\n", 4, "at", "not a time of the day"),
        (
            LIB + "scratch-dir = tmp\n",
            4,
            "scratch-dir",
            "scratch-dir 'tmp' is not an",
        ),
        (LIB + "quiesce = stop\n", 4, "quiesce", "'stop' is not an absolute path"),
        (LIB + "strict = perhaps\n", 4, "strict", "neither yes nor no"),
        (LIB + "environment = OS_ROOTDIR\n", 4, "environment", "OS_ROOTDIR is not NAME=VALUE"),
        (LIB + "environment = A=1\n  strict=yes\n", 5, "environment", "strict is a key"),
        # Values that contradict each other.
        (LIB + "drill-every = 7d\n", 4, "drill-every", "there is no scratch-dir"),
        (LIB + " /backup1/monday\n", 4, "image-dirs", "a place of db1:/backup1, in line 3"),
        (LIB + "copy-to = v:/c\n db1:/backup1/dated\n", 5, "copy-to", "a place of db1:/backup1"),
        (LIB + "copy-to = db1:/backup1\n", 4, "copy-to", "where the sets are"),
        # Names of sections.
        ("[defaults]\nevery = 24h\n", 1, None, "not the section of defaults"),
        ("[-x]\n", 1, None, "cannot be the name of a repository"),
        ("[ x]\n", 1, None, "cannot be the name of a repository"),
        ("[x ]\n", 1, None, "cannot be the name of a repository"),
        (f"[{61 * 'x'}]\n", 1, None, "cannot be the name of a repository"),
        ("", 1, None, "has no repository"),
        ("[DEFAULT]\nevery = 24h\n\n", 2, None, "has no repository"),
    ],
)
def test_what_cannot_be_is_reported_with_its_line_and_key(
    tmp_path: Path, text: str, line: int, key: str | None, said: str
) -> None:
    """Nobody must search for it."""
    error = refusal(tmp_path, text)
    assert said in error.what
    assert (error.facts["line"], error.facts["key"]) == (line, key)


def test_a_key_that_is_none_is_told_the_nearest_real_one(tmp_path: Path) -> None:
    """If none is similar, all keys are listed."""
    assert refusal(tmp_path, LIB + "keep-date = 4\n").next_step == "Did you mean keep-dated?"
    assert refusal(tmp_path, LIB + "colour = 4\n").next_step.startswith("The keys are database, ")


def test_a_comment_behind_a_value_is_reported_as_what_it_is(tmp_path: Path) -> None:
    """configparser takes it for a part of the value."""
    error = refusal(tmp_path, LIB + "every = 24h  # each day\n")
    assert error.next_step.endswith("A comment has a line of its own.")


def test_a_default_that_cannot_be_is_reported_where_it_stands(tmp_path: Path) -> None:
    """The message also names the section to which it applied."""
    error = refusal(tmp_path, "[DEFAULT]\nimage-dirs = vault:/b\n[lib]\ndatabase = db1:/a.db\n")
    assert error.facts["line"] == 2
    assert "image-dirs of [lib]: vault:/b is not on db1" in error.what


def test_repositories_may_share_an_image_directory(tmp_path: Path) -> None:
    """Receipts show whose a set is; a place in another directory is not ours."""
    maps = "[maps]\ndatabase = db1:/databases/maps.db\nimage-dirs = /backup1\n /backup1/maps\n"
    other = "[far]\ndatabase = db2:/databases/lib.db\nimage-dirs = /backup1/monday\n"
    assert len(fleet_of(tmp_path, LIB + maps + other).repositories) == 3


def test_some_are_chosen_by_name(tmp_path: Path) -> None:
    """The order is that of the file; for an unknown name, the nearest one is suggested."""
    fleet = fleet_of(tmp_path, WHOLE)
    assert fleet.only([]) is fleet
    chosen = fleet.only(["maps, 100 %", "lib", "lib"])
    assert [one.name for one in chosen.repositories] == ["lib", "maps, 100 %"]
    assert [one.name for one in fleet.only(["lib"]).repositories] == ["lib"]
    with pytest.raises(UsageError) as caught:
        fleet.only(["lip"])
    assert caught.value.exit_code == ExitCode.USAGE
    assert "no section [lip]" in caught.value.what
    assert caught.value.next_step == "Did you mean lib?"


@pytest.mark.parametrize(
    ("prepare", "why"),
    [
        (lambda path: None, "No such file or directory"),
        (os.mkdir, "Is a directory"),
        (os.mkfifo, "it is not a plain file"),
        (lambda path: path.write_bytes(b"#" * (1 << 24) + b"\n"), "it has more than 16,777,216"),
    ],
)
def test_a_file_that_cannot_be_read_is_reported(tmp_path: Path, prepare: object, why: str) -> None:
    """Nothing waits for a pipe."""
    path = tmp_path / "fleet.ini"
    assert callable(prepare)
    prepare(path)
    with pytest.raises(UsageError, match=f"fleet.ini cannot be read: {why}"):
        read_fleet(str(path))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_names_are_bytes(encoding: str) -> None:
    """They may be no text, or have blanks and line ends of some encoding."""
    path = b"/databases/\xff \xc2\xa0\xe2\x80\xa8\xc3\xa0.db\xc2\xa0"
    name = b"\xc3\xa0 " + b"\xc3\x89" * 20 + b"\xc3\xa0"
    data = b"[" + name + b"]\ndatabase = h:" + path + b"\nimage-dirs = /b\n"
    with encoded(encoding):
        (one,) = parse_fleet("f", data).repositories
        assert os.fsencode(one.repository.master) == path
        assert os.fsencode(one.name) == name


def test_other_line_ends_and_a_mark_of_utf_8_are_read(tmp_path: Path) -> None:
    """Some editors write them."""
    marked = b"\xef\xbb\xbf" + LIB.replace("\n", "\r\n").encode()
    assert fleet_of(tmp_path, marked).repositories == fleet_of(tmp_path, LIB).repositories


LINES = st.lists(
    st.one_of(
        st.sampled_from([f"{key} = " for key in KEYS]),
        st.sampled_from(["[lib]", "[DEFAULT]", "[maps]", "  ", "# x", "database = db1:/a.db"]),
        st.sampled_from(["image-dirs = /b", "  /c", "every: 24h", "copy-to = db2:/c", "[a]b]"]),
        st.text("ab=:[]#;% \t/\\é\x85", max_size=12),
    ).flatmap(lambda line: st.sampled_from([line, f" {line}", f"{line} /x", f"{line}\r"])),
    max_size=12,
)


@given(LINES)
def test_no_text_is_worse_than_an_error_that_names_a_line(lines: list[str]) -> None:
    """Any text gives a fleet or such an error."""
    found: UsageError | None = None
    try:
        assert parse_fleet("f", "\n".join(lines).encode()).repositories
    except UsageError as error:
        found = error
    if found:
        assert found.next_step
        assert 1 <= int(str(found.facts["line"])) <= max(1, len(lines))


@given(st.binary(max_size=60))
def test_no_bytes_are_worse_than_a_misprint(data: bytes) -> None:
    """Bytes that are no text do, too."""
    line = 1
    try:
        read_sections(data)
    except Misprint as error:
        line = error.line
    assert 1 <= line <= data.count(b"\n") + 1


@given(LINES)
def test_what_is_read_is_what_configparser_reads(lines: list[str]) -> None:
    """Other programs can read and write the file."""
    text = "\n".join(line.replace("\x85", "").replace("\r", "") for line in lines)
    try:
        found = read_sections(text.encode())
    except Misprint:
        return
    other = configparser.ConfigParser(interpolation=None)
    other.read_string(text)
    assert {section.name for section in found} == {*other.sections()} | (
        {"DEFAULT"} & {section.name for section in found}
    )
    for section in found:
        values = other.defaults() if section.name == "DEFAULT" else other[section.name]
        for key, entry in section.entries.items():
            assert [one.text for one in entry.items] == [
                line for line in values[key].split("\n") if line
            ]
