"""What killed drills have left: removed if certainly nobody uses it, else reported."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from csf_backup_plugin.errors import BackupError, Interrupted
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.hosts.local.lock_file import LockFile
from csf_backup_plugin.operations.aftermath import on_failure
from csf_backup_plugin.operations.drill.leftovers import Leftovers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

NAME = "csf-drill-a.img@db1-20261123T021000.000000Z"


def leave(directory: Path, name: str = NAME) -> Path:
    """Leave what a killed drill leaves; return its directory."""
    left = directory / name
    (left / "restored" / "r").mkdir(parents=True)
    (left / "restored" / "r" / "x.db").write_bytes(b"copy")
    Path(f"{left}.lock").touch()
    return left


def cleared(directory: Path, host: LocalHost | None = None) -> tuple[str, ...]:
    """Clear a directory; return the messages."""
    at = host or LocalHost()
    leftovers = Leftovers(str(directory), "db1", at)
    leftovers.clear(at.list_directory(str(directory)))
    return leftovers.warnings


def test_what_nobody_holds_is_removed_and_reported(tmp_path: Path) -> None:
    """All files in it are removed, but not the targets of links."""
    left, precious = leave(tmp_path), tmp_path / "precious"
    precious.mkdir()
    (precious / "x.db").touch()
    (left / "restored" / "link").symlink_to(precious)
    assert cleared(tmp_path) == (f"{left}, left by a drill that was killed, was removed",)
    assert [path.name for path in precious.iterdir()] == ["x.db"]
    assert list(tmp_path.iterdir()) == [precious]


def test_a_lock_file_alone_is_removed(tmp_path: Path) -> None:
    """A drill may be killed before it makes its directory, or after it has removed it."""
    lock = tmp_path / f"{NAME}.lock"
    lock.touch()
    assert cleared(tmp_path) == (f"{lock}, left by a drill that was killed, was removed",)
    assert list(tmp_path.iterdir()) == []


def test_what_somebody_holds_stays(tmp_path: Path) -> None:
    """The drill, or its osrestore, holds the lock."""
    left = leave(tmp_path)
    with LocalHost().lock(f"{left}.lock", "test", 0, print):
        (told,) = cleared(tmp_path)
    assert told.startswith(f"{left} is in use, by another drill or by the osrestore of one that")
    assert (left / "restored" / "r" / "x.db").exists()


def rename(left: Path) -> None:
    """Make it look like another machine's."""
    other = str(left).replace("@db1-", "@db2-")
    left.rename(other)
    Path(f"{left}.lock").rename(f"{other}.lock")


def unlock(left: Path) -> None:
    """Remove its lock file."""
    Path(f"{left}.lock").unlink()


def link(left: Path) -> None:
    """Replace its lock file by a link."""
    unlock(left)
    Path(f"{left}.lock").symlink_to(left.parent / "precious")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (rename, " belongs to another drill and by its name was not made on this machine, so "),
        (unlock, " belongs to another drill and has no lock file beside it, so whether that "),
        (link, " belongs to another drill and has a lock that cannot be taken (Too many levels"),
    ],
)
def test_what_cannot_be_told_to_be_a_killed_drills_stays(
    tmp_path: Path, change: Callable[[Path], None], told: str
) -> None:
    """A lock may not work between machines, and without a lock file the state is unknown."""
    left = leave(tmp_path)
    (tmp_path / "precious").touch()
    change(left)
    before = sorted(tmp_path.rglob("*"))
    (said,) = cleared(tmp_path)
    assert told in said
    assert sorted(tmp_path.rglob("*")) == before


def test_what_is_only_called_so_is_nobodys_business(tmp_path: Path) -> None:
    """A file without a lock, and files with other names, are ignored."""
    (tmp_path / "csf-drill-notes").touch()
    (tmp_path / "csf-drilling").mkdir()
    assert cleared(tmp_path) == ()
    assert len(list(tmp_path.iterdir())) == 2


def test_another_users_stays_and_the_drill_goes_on(tmp_path: Path) -> None:
    """It stays even if this user could remove it."""
    left = leave(tmp_path)
    os.chown(left, 4711, -1) if os.geteuid() == 0 else pytest.skip("only root can give files away")
    mine = leave(tmp_path, NAME.replace("a.img", "b.img"))
    assert cleared(tmp_path) == (
        f"{left}, left by a drill that was killed, could not be removed: Belongs to another user; "
        "its owner may remove it",
        f"{mine}, left by a drill that was killed, was removed",
    )
    assert (left / "restored" / "r" / "x.db").exists()


def test_without_locks_nobody_knows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without locks the state is unknown, so it stays."""
    left = leave(tmp_path)
    monkeypatch.setattr(LockFile, "unsupported", "Operation not supported")
    (told,) = cleared(tmp_path)
    assert "has no lock (Operation not supported), so whether that drill" in told
    assert left.exists()


def test_what_another_drill_is_just_removing_is_left_to_it(tmp_path: Path) -> None:
    """Its lock file has disappeared before it could be locked."""
    left = leave(tmp_path)

    class Late(LocalHost):
        def list_directory(self, path: str) -> Any:
            found = super().list_directory(path)
            unlock(left)
            return found

    assert cleared(tmp_path, Late()) == ()
    assert left.exists()


def test_a_failure_tells_what_was_removed(tmp_path: Path) -> None:
    """The message also names what a signal may have left half removed."""
    first, second = leave(tmp_path), leave(tmp_path, NAME.replace("a.img", "b.img"))

    class Stopped(LocalHost):
        def remove_trees(self, paths: Iterable[str], *, mine: bool) -> None:
            unwanted = list(paths)
            if str(second) in unwanted:
                raise Interrupted(15, "It")
            super().remove_trees(unwanted, mine=mine)

    host = Stopped()
    leftovers = Leftovers(str(tmp_path), "db1", host)
    with pytest.raises(BackupError) as caught, on_failure(leftovers.left):
        leftovers.clear(host.list_directory(str(tmp_path)))
    assert caught.value.left == (
        f"{first}, left by a drill that was killed, was removed. "
        f"{second}, left by a drill that was killed, may be removed in part. "
        "Nothing else was created or changed."
    )


def test_a_failure_with_nothing_removed_says_nothing_of_it(tmp_path: Path) -> None:
    """Nothing was changed."""
    leftovers = Leftovers(str(tmp_path), "db1", LocalHost())
    with pytest.raises(BackupError) as caught, on_failure(leftovers.left):
        raise BackupError("Bad.", "Do.")
    assert caught.value.left == "Nothing was created or changed."
