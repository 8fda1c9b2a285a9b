"""Where osrestore puts databases."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from csf_simulator.image.catalog import Database
from csf_simulator.program.errors import UsageError, UtilityError
from csf_simulator.utilities.targets import Pair, plan, read_pairs

DATABASES = [Database(bytes(16), 1, path) for path in ("/r/a.db", "/r/b.db", "/r/s/c.db", "/r2/a")]


def planned(*pairs: tuple[str, Path], descend: bool = True) -> dict[str, str]:
    """Return the target of each database that pairs match."""
    targets = plan(DATABASES, [Pair(source, str(to)) for source, to in pairs], descend=descend)
    return {DATABASES[number].path: target for number, target in targets.items()}


def test_without_pairs_all_go_to_their_original_places(tmp_path: Path) -> None:
    """Each database replaces the one it was backed up from."""
    paths = [f"{tmp_path}/{name}" for name in ("a.db", "b.db")]
    databases = [Database(bytes(16), 1, path) for path in paths]
    assert plan(databases, [], descend=True) == dict(enumerate(paths))


def test_database_goes_to_a_database(tmp_path: Path) -> None:
    """Only what a pair matches is restored."""
    assert planned(("/r/a.db", tmp_path / "x")) == {"/r/a.db": f"{tmp_path}/x"}


def test_database_goes_into_a_directory(tmp_path: Path) -> None:
    """A database that goes into a directory keeps its name."""
    assert planned(("/r/a.db", tmp_path)) == {"/r/a.db": f"{tmp_path}/a.db"}


def test_directory_goes_into_a_directory(tmp_path: Path) -> None:
    """All below it keep their relative places; a directory with a longer name is another one."""
    (tmp_path / "s").mkdir()
    names = ("a.db", "b.db", "s/c.db")
    assert planned(("/r", tmp_path)) == {f"/r/{name}": f"{tmp_path}/{name}" for name in names}


def test_sub_directories_can_be_left_behind(tmp_path: Path) -> None:
    """With -n a directory stands only for the databases directly in it."""
    names = ("a.db", "b.db")
    found = planned(("/r", tmp_path), descend=False)
    assert found == {f"/r/{name}": f"{tmp_path}/{name}" for name in names}


def test_root_directory_stands_for_everything(tmp_path: Path) -> None:
    """The root directory is a source like any other directory."""
    (tmp_path / "r" / "s").mkdir(parents=True)
    (tmp_path / "r2").mkdir()
    assert len(planned(("/", tmp_path))) == 4


def test_several_pairs_add_up(tmp_path: Path) -> None:
    """Each pair adds its databases."""
    found = planned(("/r/a.db", tmp_path / "x"), ("/r2", tmp_path))
    assert found == {"/r/a.db": f"{tmp_path}/x", "/r2/a": f"{tmp_path}/a"}


def test_links_are_followed(tmp_path: Path) -> None:
    """What a link leads to is replaced, and the link stays."""
    (tmp_path / "real").touch()
    (tmp_path / "link").symlink_to("real")
    assert planned(("/r/a.db", tmp_path / "link")) == {"/r/a.db": f"{tmp_path}/real"}


def test_directory_to_database_is_illegal(tmp_path: Path) -> None:
    """Several databases cannot become one file."""
    (tmp_path / "x").touch()
    with pytest.raises(OSError, match="no such directory to restore to"):
        planned(("/r", tmp_path / "x"))


def test_pair_that_matches_nothing_is_an_error(tmp_path: Path) -> None:
    """A source that is not in the image is an error."""
    for source in ("/r/a", "/R", "/r/a.db/x"):
        with pytest.raises(UtilityError, match="not in the image") as caught:
            planned(("/r/a.db", tmp_path / "x"), (source, tmp_path))
        assert caught.value.name == "err_database_not_found"


def test_two_pairs_for_one_database_are_an_error(tmp_path: Path) -> None:
    """Two pairs that match one database are an error, as neither is preferred."""
    with pytest.raises(UtilityError, match="another pair"):
        planned(("/r", tmp_path), ("/r/a.db", tmp_path / "x"))


def test_two_databases_onto_one_target_are_an_error(tmp_path: Path) -> None:
    """The second would overwrite the first, by whatever name it is reached."""
    (tmp_path / "again").symlink_to(tmp_path)
    with pytest.raises(UtilityError, match="one target"):
        planned(("/r/a.db", tmp_path / "x"), ("/r/b.db", tmp_path / "again" / "x"))


@pytest.mark.parametrize("kind", ["pipe", "directory"])
def test_target_that_is_no_file_is_an_error(tmp_path: Path, kind: str) -> None:
    """A database replaces a database, nothing else."""
    if kind == "pipe":
        os.mkfifo(tmp_path / "a.db")
    else:
        (tmp_path / "a.db").mkdir()
    with pytest.raises(OSError, match="not a file"):
        planned(("/r", tmp_path), descend=False)


def test_missing_directory_is_an_error(tmp_path: Path) -> None:
    """No directory is created."""
    with pytest.raises(OSError, match="no such directory") as caught:
        planned(("/r/a.db", tmp_path / "gone" / "a.db"))
    assert caught.value.filename == f"{tmp_path}/gone"


@pytest.mark.parametrize("forbidden", ["directory", "a.db"])
def test_target_that_may_not_be_written_is_an_error(
    tmp_path: Path, forbidden: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a directory nor a database is replaced against its permissions."""
    (tmp_path / "directory").mkdir()
    (tmp_path / "directory" / "a.db").touch()
    access = os.access
    monkeypatch.setattr(
        os, "access", lambda path, mode: not path.endswith(forbidden) and access(path, mode)
    )
    with pytest.raises(PermissionError, match=forbidden):
        planned(("/r/a.db", tmp_path / "directory"))


def test_pairs_are_read_two_by_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names become absolute paths."""
    monkeypatch.chdir(tmp_path)
    pairs = [Pair("/a", f"{tmp_path}/b"), Pair("/c", "/d")]
    assert read_pairs(["/a", "b", "localhost:/c", "/d/"]) == pairs
    assert read_pairs([]) == []


def test_source_without_a_target_is_refused() -> None:
    """The last name of an odd number has no partner."""
    with pytest.raises(UsageError, match="no target for /c"):
        read_pairs(["/a", "/b", "/c"])
