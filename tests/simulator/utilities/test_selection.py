"""Which databases osbackup archives."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from imaging import make_database

from csf_simulator.database.unfinished import unfinished_path
from csf_simulator.program.errors import UtilityError
from csf_simulator.utilities.selection import read_import_file, select


def selected(*names: Path | str, recurse: bool = False) -> list[str]:
    """Return the databases that names stand for."""
    return list(select(map(str, names), recurse=recurse).values())


def test_import_file_has_a_name_on_each_line(tmp_path: Path) -> None:
    """Blank lines are no names; spaces and any bytes are part of one."""
    path = tmp_path / "x.dbn"
    path.write_bytes(b"\n/a.db\n \t\n/ b .db \n\n/caf\xe9\r\n/last")
    expected = ["/a.db", "/ b .db ", os.fsdecode(b"/caf\xe9\r"), "/last"]
    assert read_import_file(str(path)) == expected


def test_missing_import_file_is_an_error(tmp_path: Path) -> None:
    """The error names the file, and does not call it a missing database."""
    with pytest.raises(UtilityError, match=r"x\.dbn: No such file") as caught:
        read_import_file(str(tmp_path / "x.dbn"))
    assert caught.value.name == "err_misc"


def test_databases_keep_their_order(tmp_path: Path) -> None:
    """Names come out as absolute paths, in the order they were given."""
    paths = [make_database(tmp_path / name) for name in ("b.db", "a.db", "c.db")]
    assert selected(*paths) == [str(path) for path in paths]


def test_database_named_twice_is_taken_once(tmp_path: Path) -> None:
    """Another name, a link or a hard link of a database is the same database."""
    path = make_database(tmp_path / "a.db")
    (tmp_path / "link").symlink_to(path)
    (tmp_path / "hard").hardlink_to(path)
    names = (f"{tmp_path}/./a.db", tmp_path / "link", tmp_path / "hard", path)
    assert selected(*names) == [str(path)]
    assert selected(tmp_path / "link", path) == [str(tmp_path / "link")]


def test_directory_stands_for_its_databases(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """They come sorted; a file that is not a database is left out, and that is said."""
    for name in ("b.db", "a", ".hidden"):
        make_database(tmp_path / name)
    (tmp_path / "notes.txt").write_text("hello")
    assert selected(tmp_path) == [f"{tmp_path}/{name}" for name in (".hidden", "a", "b.db")]
    out, err = capfd.readouterr()
    assert out == ""
    assert err.startswith(f"Leaving out {tmp_path}/notes.txt: not a database")


def test_sub_directories_are_descended_into_only_when_asked(tmp_path: Path) -> None:
    """With -r a directory stands for all directories below it; links are not followed."""
    (tmp_path / "d" / "e").mkdir(parents=True)
    (tmp_path / "d" / "again").symlink_to(tmp_path)
    top, deep = make_database(tmp_path / "x.db"), make_database(tmp_path / "d" / "e" / "y.db")
    assert selected(tmp_path) == [str(top)]
    assert selected(tmp_path, recurse=True) == [str(deep), str(top)]


def test_what_is_being_built_is_no_database_of_a_directory(tmp_path: Path) -> None:
    """A database that is being built, or was when its process was killed, is left out."""
    path = make_database(tmp_path / "unfinished.db")
    make_database(Path(unfinished_path(str(path))))
    assert selected(tmp_path, recurse=True) == [str(path)]


def test_directory_without_databases_is_an_error(tmp_path: Path) -> None:
    """A backup of nothing would look like a real backup."""
    with pytest.raises(UtilityError, match="no database in this directory") as caught:
        selected(tmp_path)
    assert caught.value.name == "err_database_not_found"


def test_missing_database_is_an_error(tmp_path: Path) -> None:
    """A name must stand for a file."""
    with pytest.raises(FileNotFoundError):
        selected(tmp_path / "a.db")


def test_pipe_is_no_database(tmp_path: Path) -> None:
    """A pipe is refused, and not waited for."""
    os.mkfifo(tmp_path / "a.db")
    with pytest.raises(UtilityError, match="not a regular file") as caught:
        selected(tmp_path / "a.db")
    assert caught.value.name == "err_not_a_database"


def test_name_that_cannot_be_listed_is_refused(tmp_path: Path) -> None:
    """A list of lines could not show such a name."""
    make_database(tmp_path / "a\nb.db")
    for name in (tmp_path / "a\nb.db", tmp_path):
        with pytest.raises(UtilityError, match="cannot be listed"):
            selected(name)
