"""A run's own directory: made when it is needed, and removed at the end."""

from __future__ import annotations

import errno
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from csf_backup_plugin.cancellation import deferred_signals
from csf_backup_plugin.errors import (
    NOTHING_LEFT,
    BackupError,
    FaultFound,
    HostUnreachable,
    Interrupted,
    LockBusy,
    NoSpace,
    Unexpected,
)
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.operations.drill.scratch import is_of, name_of, scratch

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

IMAGE = ImagePath("localhost", "/b/monday.img")


def fill(path: str) -> None:
    """Make a file."""
    with open(path, "w") as file:
        file.write("data")


def test_it_bears_the_images_name_and_goes_with_all_that_is_in_it(tmp_path: Path) -> None:
    """All files are removed, also temporary ones in sub-directories, and a run's record."""
    paths = ["/r", "/r/sub", "/far/away"]
    with scratch(str(tmp_path), IMAGE, paths, "db1", LocalHost()) as place:
        assert os.path.basename(place.path).startswith("csf-drill-monday.img@db1-")
        for path in paths:
            fill(place.place(f"{path}/x.db"))
        fill(place.place("/r/.0.osrestore-cafe"))
        os.mkdir(place.record)
        fill(f"{place.record}/pid")
    assert place.kept == ""
    assert list(tmp_path.iterdir()) == []


def test_the_longest_name_of_an_image_is_cut(tmp_path: Path) -> None:
    """A directory's name has at most 255 bytes."""
    image = ImagePath("localhost", "/b/" + "é" * 120)
    with scratch(str(tmp_path), image, [], "h" * 64, LocalHost()) as place:
        assert os.path.isdir(place.path)


def test_a_link_in_it_is_removed_and_not_what_it_leads_to(tmp_path: Path) -> None:
    """It does not matter who made the link."""
    precious, place_for = tmp_path / "precious", tmp_path / "scratch"
    precious.mkdir()
    place_for.mkdir()
    fill(str(precious / "x.db"))
    with scratch(str(place_for), IMAGE, [], "db1", LocalHost()) as place:
        os.symlink(precious, f"{place.path}/link")
        os.symlink(precious / "x.db", f"{place.path}/x.db")
    assert list(place_for.iterdir()) == []
    assert os.listdir(precious) == ["x.db"]


def test_a_directory_of_ours_that_became_a_link_is_removed_as_a_link(tmp_path: Path) -> None:
    """osrestore may have replaced it by a link; the target is not removed."""
    precious = tmp_path / "precious"
    precious.mkdir()
    fill(f"{precious}/x.db")
    (tmp_path / "scratch").mkdir()
    with scratch(str(tmp_path / "scratch"), IMAGE, ["/r"], "db1", LocalHost()) as place:
        os.rmdir(place.place("/r"))
        os.symlink(precious, place.place("/r"))
    assert os.listdir(precious) == ["x.db"]
    assert os.listdir(tmp_path / "scratch") == []


class Stubborn(LocalHost):
    """A host on which a directory tree cannot be removed."""

    def remove_trees(self, paths: Iterable[str], *, mine: bool) -> None:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), *paths)


@pytest.mark.parametrize("host", [LocalHost(), Stubborn()], ids=["gone", "left"])
@pytest.mark.parametrize("error", [FaultFound("Bad.", "Do."), OSError(errno.EIO, "Bad", "/x")])
def test_a_failure_says_what_became_of_it(
    tmp_path: Path, host: LocalHost, error: Exception
) -> None:
    """If it cannot be removed, its lock file stays, too, for the next run."""
    with (
        pytest.raises(BackupError, match="Bad") as caught,
        scratch(str(tmp_path), IMAGE, [], "db1", host) as place,
    ):
        raise error
    left = [place.path, f"{place.path}.lock"] if isinstance(host, Stubborn) else []
    assert sorted(map(str, tmp_path.iterdir())) == left
    assert caught.value.left == (
        f"What this run had created could not all be removed: {place.path} could not be removed: "
        "Device or resource busy."
        if left
        else "What this run had created was removed; nothing else was changed."
    )


def test_it_is_locked_as_long_as_the_run_lasts(tmp_path: Path) -> None:
    """A process that inherits the lock keeps it locked."""
    host = LocalHost()
    with scratch(str(tmp_path), IMAGE, [], "db1", host) as place:
        assert place.lock is not None
        with (
            pytest.raises(LockBusy, match="is held by csf admin_database_drill"),
            host.lock(f"{place.path}.lock", "test", 0, print),
        ):
            raise AssertionError


@pytest.mark.parametrize(
    ("machine", "found"),
    [("prod-db1", True), ("db1", False), ("prod-db", False), ("20.img@prod-db1", False)],
)
def test_a_name_tells_the_machine(machine: str, *, found: bool) -> None:
    """The machine is in the name, whatever the image is called."""
    assert is_of(machine, name_of("/b/x-20.img", "prod-db1")) == found


def test_after_any_other_error_it_is_gone_and_that_is_reported(tmp_path: Path) -> None:
    """It may be a bug of the plugin."""
    removed = pytest.raises(Unexpected, match="What this run had created was removed")
    with removed, scratch(str(tmp_path), IMAGE, [], "db1", LocalHost()):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


class Answering(LocalHost):
    """A host that raises Interrupted in the middle of operations, as one over ssh does."""

    def remove_trees(self, paths: Iterable[str], *, mine: bool) -> None:
        self.cancellation.check()
        super().remove_trees(paths, mine=mine)


def test_a_signal_during_the_removal_does_not_cut_it_short(tmp_path: Path) -> None:
    """The command still ends because of the signal."""
    with (
        deferred_signals("It") as cancellation,
        pytest.raises(Interrupted),
        scratch(str(tmp_path), IMAGE, [], "db1", Answering(cancellation=cancellation)) as place,
    ):
        fill(f"{place.path}/x.db")
        os.kill(os.getpid(), signal.SIGTERM)
    assert list(tmp_path.iterdir()) == []


def test_a_host_that_is_gone_cannot_remove_anything(tmp_path: Path) -> None:
    """The message names what is left, as the host reported it."""

    class Gone(LocalHost):
        def remove_trees(self, paths: Iterable[str], *, mine: bool) -> None:
            raise HostUnreachable("Host db9 cannot be reached.", "Try.")

    with scratch(str(tmp_path), IMAGE, [], "db1", Gone()) as place:
        pass
    assert place.kept == f"{place.path} could not be removed: Host db9 cannot be reached."


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("exists", [False, True])
def test_one_that_cannot_be_made_for_certain_is_removed_unless_it_is_anothers(
    tmp_path: Path, *, exists: bool, inside: bool
) -> None:
    """The connection may be cut after it was made; only an existing directory is another's."""
    is_anothers = exists and not inside

    class Unsure(LocalHost):
        def make_directories(self, paths: Iterable[str]) -> None:
            (made,) = paths
            super().make_directories([made])
            if exists:
                raise FileExistsError(17, "It exists", f"{made}/restored" if inside else made)
            raise BackupError("Cut.", "Try")

    with pytest.raises(BackupError) as caught, scratch(str(tmp_path), IMAGE, [], "db1", Unsure()):
        raise AssertionError
    assert (list(tmp_path.iterdir()) == []) != is_anothers
    assert list(tmp_path.glob("*.lock")) == []
    assert (caught.value.left == NOTHING_LEFT) == is_anothers


@pytest.mark.parametrize("at", ["making", "work"])
def test_one_whose_disk_dies_is_named_as_left(tmp_path: Path, at: str) -> None:
    """It is never said that nothing was created."""

    class Dead(LocalHost):
        dead = False

        def make_directories(self, paths: Iterable[str]) -> None:
            (made,) = paths
            super().make_directories([made])
            self.dead = at == "making"
            self.list_directory(made)

        def list_directory(self, path: str) -> Any:
            if self.dead:
                raise OSError(5, "Input/output error", path)
            return super().list_directory(path)

        def remove_trees(self, paths: Iterable[str], *, mine: bool) -> None:
            self.list_directory(next(iter(paths)))

    host = Dead()
    failing = scratch(str(tmp_path), IMAGE, [], "db1", host)
    with pytest.raises(BackupError) as caught, failing as place:
        host.dead = True
        host.list_directory(place.path)
    (left,) = tmp_path.glob("*Z")
    assert caught.value.what == f"Input/output error: {left} on localhost."
    assert caught.value.left == (
        "What this run had created could not all be removed: "
        f"{left} could not be removed: Input/output error."
    )


def test_a_full_disk_is_answered_with_another_scratch_directory(tmp_path: Path) -> None:
    """An image on another file system would be no help."""

    class Full(LocalHost):
        def make_directories(self, paths: Iterable[str]) -> None:
            raise OSError(28, "No space left on device", *paths)

    with pytest.raises(NoSpace) as caught, scratch(str(tmp_path), IMAGE, [], "db1", Full()):
        raise AssertionError
    assert caught.value.next_step == (
        "Make room there, or name another directory with -scratch-dir."
    )
