"""Around class_create: the lock is held, the database is recorded, csf's errors pass unchanged."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.errors import BackupError, LockBusy, RepositoryIncomplete
from csf_backup_plugin.hosts.local import appending
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.operations.class_creation import recorded_creation
from csf_backup_plugin.repository import manifest, new_database

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Place

HOST = LocalHost()


def create(place: Place, path: str | None, warnings: list[str] | None = None) -> str | None:
    """Run a creation as pluggy does; csf's part is to write the file and return its path."""
    told = warnings if warnings is not None else []
    creation = recorded_creation(place.master, 0, HOST, told.append)
    next(creation)
    with pytest.raises(LockBusy), HOST.lock(f"{place.master}.lock", "x", 0, print):
        pass
    if path:
        with open(path, "w"):
            pass
    with pytest.raises(StopIteration) as caught:
        creation.send(path)
    with HOST.lock(f"{place.master}.lock", "x", 0, print):
        return caught.value.value  # type: ignore[no-any-return]


def created(place: Place, path: str) -> list[str]:
    """Let csf report a created database; return the warnings."""
    warnings: list[str] = []
    creation = recorded_creation(place.master, 0, HOST, warnings.append)
    next(creation)
    with pytest.raises(StopIteration):
        creation.send(path)
    return warnings


def listed(place: Place) -> tuple[str, ...]:
    """Return what the manifest lists."""
    with open(f"{place.master}.manifest", "rb") as file:
        return manifest.decode(file.read()).names


def test_a_created_database_is_recorded_under_the_lock(place: Place) -> None:
    """The first class makes the manifest, and the second is appended."""
    for name in ("New", "Newer"):
        path = str(place.repository / f"{name}.db")
        assert create(place, path) == path
    assert listed(place) == ("lib.db", "Book.db", "New.db", "Newer.db")


def test_where_nothing_was_created_nothing_is_recorded(place: Place) -> None:
    """If all hooks decline, csf returns None; the warning says what is unknown then."""
    warnings: list[str] = []
    assert create(place, None, warnings) is None
    (warning,) = warnings
    assert warning.startswith("class_create returned None, which is not a path: a class that it")
    assert sorted(path.name for path in place.repository.iterdir()) == [
        *("Book.db", "lib.db", "lib.db.lock")
    ]


def test_csfs_own_failure_goes_through_and_nothing_is_recorded(place: Place) -> None:
    """It passes even if it is an OSError."""
    before = place.tree()
    for failure in (OSError("csf's own"), ValueError("csf's own")):
        creation = recorded_creation(place.master, 0, HOST, print)
        next(creation)
        with pytest.raises(type(failure)) as caught:
            creation.throw(failure)
        assert caught.value is failure
    assert place.tree() == before


def test_csfs_own_failure_goes_through_where_the_lock_file_stays(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """csf's error passes unchanged, and ours is a warning."""

    def denied(path: str) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    warnings: list[str] = []
    creation = recorded_creation(place.master, 0, HOST, warnings.append)
    next(creation)
    monkeypatch.setattr(os, "unlink", denied)
    failure = FileNotFoundError(errno.ENOENT, "No schema", "/schemas/x")
    with pytest.raises(FileNotFoundError) as caught:
        creation.throw(failure)
    assert caught.value is failure
    assert warnings == [f"The lock file {place.master}.lock stays"]


def test_while_the_lock_is_held_nothing_is_created(place: Place) -> None:
    """The refusal comes before csf's part, and names the holder."""
    with HOST.lock(f"{place.master}.lock", "admin_database_backup", 0, print):
        creation = recorded_creation(place.master, 0, HOST, print)
        with pytest.raises(LockBusy, match="admin_database_backup"):
            next(creation)


def test_a_manifest_that_cannot_be_written_does_not_fail_the_creation(place: Place) -> None:
    """The class exists; the warning explains the consequence."""
    (place.repository / "lib.db.manifest").mkdir()
    warnings: list[str] = []
    path = str(place.repository / "New.db")
    assert create(place, path, warnings) == path
    (warning,) = warnings
    assert warning.startswith(f"{path} was created, but is not in the manifest")
    assert "Is a directory" in warning


def test_a_relative_path_is_meant_in_the_masters_directory(place: Place) -> None:
    """The file must exist; a warning says which path was assumed."""
    for name, path in (("Rel.db", "Rel.db"), ("Far", "below/../Far")):
        (place.repository / "below").mkdir(exist_ok=True)
        (place.repository / name).touch()
        (warning,) = created(place, path)
        assert warning == (
            f"class_create returned the relative path {path}; recorded is {place.repository / name}"
        )
        assert name in listed(place)


@pytest.mark.parametrize("path", ["None.db", "/none/None.db", "below", "a\nb.db", ""])
def test_a_path_that_names_no_file_is_reported_and_not_recorded(place: Place, path: str) -> None:
    """The class stays; the warning says what a backup includes nevertheless."""
    (place.repository / "below").mkdir()
    (warning,) = created(place, path)
    assert "was created, but is not in the manifest" in warning
    assert "no such file" in warning or "its path" in warning
    assert f"-database {place.master} -host localhost -add PATH" in warning
    assert not (place.repository / "lib.db.manifest").exists()


@pytest.mark.parametrize(
    ("name", "promise"),
    [
        ("New.db", "The next backup will still find it in the directory."),
        ("New.mdb", "No backup will find it there; add it: csf admin_database_manifest"),
        ("../New.db", "No backup will find it there; add it: csf admin_database_manifest"),
    ],
)
def test_what_a_backup_finds_by_itself_is_promised_and_nothing_else(
    place: Place, name: str, promise: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This is said if the manifest cannot be written; if it cannot be read, nothing is promised."""

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = place.repository / name
    path.touch()
    mark = place.repository / "lib.db.manifest"
    mark.write_bytes(manifest.encode(["lib.db"]))
    monkeypatch.setattr(appending, "append", refuse)
    (warning,) = created(place, str(path))
    assert promise in warning
    assert "No space left on device" in warning
    mark.write_bytes(b"?")
    assert "No backup will find it there; add it" in created(place, str(path))[0]


def test_a_link_to_the_master_is_the_masters_repository(place: Place, tmp_path: Path) -> None:
    """Its lock and its manifest are used."""
    (tmp_path / "link.db").symlink_to(place.master)
    (tmp_path / "linked").symlink_to(place.repository)
    for number, link in enumerate(("link.db", "linked/lib.db")):
        creation = recorded_creation(str(tmp_path / link), 0, HOST, print)
        next(creation)
        with pytest.raises(LockBusy), HOST.lock(f"{place.master}.lock", "x", 0, print):
            pass
        (place.repository / f"{number}.db").touch()
        with pytest.raises(StopIteration):
            creation.send(str(tmp_path / "linked" / f"{number}.db"))
    assert listed(place) == ("lib.db", "0.db", "Book.db", "1.db")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        *("images", "link.db", "linked", "repository")
    ]


def test_during_an_unfinished_restore_nothing_is_created(place: Place) -> None:
    """A repeated restore would move the new class away; an odd mark blocks it, too."""
    mark = place.repository / "lib.db.unfinished-restore"
    mark.write_text("csf admin_database_restore ...\n")
    creation = recorded_creation(place.master, 0, HOST, print)
    with pytest.raises(RepositoryIncomplete, match="would be moved away") as caught:
        next(creation)
    assert "Repeat the restore: csf admin_database_restore ..." in caught.value.next_step
    assert not (place.repository / "lib.db.lock").exists()
    mark.unlink()
    mark.mkdir()
    with pytest.raises(BackupError, match="lib.db.unfinished-restore cannot be read"):
        next(recorded_creation(place.master, 0, HOST, print))


def test_a_repository_that_does_not_exist_yet_is_csfs_business(tmp_path: Path) -> None:
    """csf may create it together with its first class."""
    creation = recorded_creation(f"{tmp_path}/new/lib.db", 0, HOST, print)
    next(creation)
    (tmp_path / "new").mkdir()
    (tmp_path / "new/Book.db").touch()
    with pytest.raises(StopIteration):
        creation.send(f"{tmp_path}/new/Book.db")
    with open(f"{tmp_path}/new/lib.db.manifest", "rb") as file:
        assert manifest.decode(file.read()).names == ("Book.db",)


def test_a_lock_that_cannot_be_had_does_not_stop_csf(place: Place) -> None:
    """The warning explains it; a backup's proof finds a changed set."""
    (place.repository / "lib.db.lock").mkdir()
    warnings: list[str] = []
    creation = recorded_creation(place.master, 0, HOST, warnings.append)
    next(creation)
    with pytest.raises(StopIteration):
        creation.send(place.master)
    assert "lib.db.lock cannot be locked" in warnings[0]


def test_what_the_manifests_writing_warns_of_is_reported(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warning may name users who cannot read it any more."""
    path = place.repository / "New.db"
    path.touch()
    monkeypatch.setattr(new_database, "record", lambda *_: ["anna may not read it"])
    assert created(place, str(path)) == ["anna may not read it"]


def test_an_error_that_nobody_has_thought_of_does_not_fail_the_creation(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This holds even if the error comes again when its consequence is examined."""

    def broken(*_: object) -> None:
        raise RuntimeError("odd")

    path = place.repository / "New.db"
    path.touch()
    monkeypatch.setattr(LocalHost, "list_directory", broken)
    (warning,) = created(place, str(path))
    assert "odd" in warning
    assert "No backup will find it there; add it" in warning


@pytest.mark.parametrize("kind", [Path, os.fsencode, int])
def test_an_odd_result_of_csfs_does_not_fail_the_creation(
    place: Place, kind: Callable[[str], object]
) -> None:
    """It is returned unchanged; a path in it is recorded, and anything else is reported."""
    (place.repository / "7").touch()
    result = kind(str(place.repository / "7") if kind is not int else "7")
    warnings: list[str] = []
    creation = recorded_creation(place.master, 0, HOST, warnings.append)
    next(creation)
    with pytest.raises(StopIteration) as caught:
        creation.send(result)  # type: ignore[arg-type]
    assert caught.value.value is result
    told = ["class_create returned an object of type int, which is not a path"]
    assert [warning.partition(":")[0] for warning in warnings] == (told if result == 7 else [])
    assert ("7" in listed(place)) if result != 7 else True
