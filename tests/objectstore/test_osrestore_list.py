"""Which databases a list of osrestore names, in every possible form."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from csf_backup_plugin.objectstore.commands import import_file
from csf_backup_plugin.objectstore.osrestore_list import listed_databases

PATHS = st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"])).map(
    "/".__add__
)
FORMS = [
    "{}",
    "  {}\r",
    "db1:{}",
    "vancouver::{}",
    "Database {}",
    "452 sectors in db1.example.org:{}",
    '"{}"',
    "'db1:{}'",
    "{}.",
    'database "{}".',
    "{} 452",
    "{} 452 sectors",
    "{}\t231,424 bytes",
    "{} (1.5 MB)",
    "{}, level 0",
    "{} [level 0]",
    "{}: 452 sectors, level 9.",
    '"{}" 452 sectors.',
    "{} 12K",
    "-rw-r--r-- root/root 700 2026-11-25 20:24 {}",
]


@pytest.mark.parametrize(
    "line",
    [
        b"/r/a b.db",
        b"/r/a b.db\r",
        b"  /r/a b.db",
        b"db1:/r/a b.db",
        b"452 sectors in db1.example.org:/r/a b.db",
        b"Database\t/r/a b.db",
    ],
)
def test_a_name_is_found_alone_or_last_with_or_without_its_host(line: bytes) -> None:
    """The real format is not documented."""
    assert listed_databases(b"Databases:\n" + line + b"\n\n") == {"/r/a b.db"}


@pytest.mark.parametrize("line", [b"", b"2 databases", b"Reading volume #1 (/b/a.img)...", b"a/b"])
def test_a_line_that_names_no_absolute_path_is_ignored(line: bytes) -> None:
    """Banners, totals and volume lines are not databases."""
    assert listed_databases(line + b"\n") == set()


@given(st.sets(PATHS))
def test_a_plain_list_is_read_back_whatever_the_names(paths: set[str]) -> None:
    """The original description suggests one full pathname on each line."""
    assert listed_databases(import_file(paths)) == paths


@given(st.binary())
def test_any_output_at_all_is_read_without_an_error(output: bytes) -> None:
    """The result is absolute paths, each from one line."""
    for path in listed_databases(output):
        assert path.startswith("/")
        assert b"\n" not in os.fsencode(path)


@pytest.mark.parametrize("form", FORMS)
def test_a_good_list_is_good_in_every_form(form: str) -> None:
    """Names may end like the text that may follow a name."""
    expected = {"/r/a b.db", "/r/Book.db", "/r/Book.db.", "/r/Book.db 452", "/r/it's", "/r/a:b.db"}
    output = "".join(form.format(path) + "\n" for path in expected)
    assert listed_databases(output.encode(), expected) == expected


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "other", ["/r/Book.db", "/r/b.dbx", "/r/xb.db", "/x/r/b.db", "/r/b.db.old"]
)
def test_a_bad_list_is_bad_in_every_form(form: str, other: str) -> None:
    """No name is found within another one, and a missing one is noticed."""
    expected = {"/r/a.db", "/r/b.db"}
    for names in (("/r/a.db",), ("/r/a.db", other), ("/r/a.db", "/r/b.db", other)):
        output = "".join(form.format(path) + "\n" for path in names)
        assert listed_databases(output.encode(), expected) == {*names}


@pytest.mark.parametrize(
    "line", ["/r/b.db 2", "/r/b.db.", "/r/b.db (level 0)", "/r/b.db old", "/old /r/b.db"]
)
def test_a_line_of_another_form_than_the_others_names_another_database(line: str) -> None:
    """A copy of a database does not count as the database."""
    for names in ({"/r/a.db", "/r/b.db"}, {"/r/a.db"}):
        assert listed_databases(f"/r/a.db\n{line}\n".encode(), names) != names
        assert listed_databases(f"/r/a.db.\n{line}x\n".encode(), names) != names
    for form in ("{} 12", "{}."):
        names = {"/r/a.db", "/r/b.db", "/r/c.db"}
        output = "".join(form.format(name) + "\n" for name in sorted(names)[:2])
        assert listed_databases(f"{output}/r/c.db\n".encode(), names) != names


def test_a_line_about_the_image_names_no_database() -> None:
    """It says which volume is read."""
    lines = b"Volume #1 /b/a.img:\n/r/a.db\n/b/a.img.\nend of '/b/a.img'\n/b/a.img\n"
    assert listed_databases(lines, {"/r/a.db"}, "/b/a.img") == {"/r/a.db"}
    assert listed_databases(b"/b/a.img.db\n", {"/r/a.db"}, "/b/a.img") == {"/b/a.img.db"}


@given(st.sets(PATHS, min_size=1), st.sampled_from(FORMS))
def test_a_list_is_read_back_in_any_form_whatever_the_names(paths: set[str], form: str) -> None:
    """Names may even look like the size of another one.

    If a name ends with the text that may stand before a size, another name without that end may be
    taken for it, and be called missing. No form can distinguish them for certain, so this is a
    false alarm.
    """
    assume(not any(path.rstrip(" \t\v\f,;:") in paths - {path} for path in paths))
    output = "".join(form.format(path) + "\n" for path in paths)
    assert listed_databases(os.fsencode(output), paths) == paths


@pytest.mark.parametrize("form", ["{}", "db1:{} 452 sectors, level 0."])
def test_a_long_list_is_read_quickly(form: str) -> None:
    """It has 20,000 databases, a few with the longest possible names."""
    names = {f"/{'d' * (4000 if n % 100 == 0 else 60)}/{n} 1 1 1 1 1 1 1 1" for n in range(20_000)}
    output = "".join(form.format(name) + "\n" for name in names).encode()
    began = time.process_time()
    assert listed_databases(output, names) == names
    listed_databases(output, {"/other"})
    assert time.process_time() < began + 20
