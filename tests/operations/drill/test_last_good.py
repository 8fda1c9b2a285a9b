"""Drills from the newest image on find the last good one, and since when databases are bad."""

from __future__ import annotations

import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rotating import resealed
from sets_in_memory import OURS, add_set, host_with

from csf_backup_plugin.errors import (
    BackupError,
    FaultFound,
    Interrupted,
    LockBusy,
    NoReceipt,
    UsageError,
    UtilityMissing,
    WrongRepository,
)
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.promise_name import promise_name
from csf_backup_plugin.operations.backup import back_up
from csf_backup_plugin.operations.backup.request import BackupRequest
from csf_backup_plugin.operations.drill import drill, last_good
from csf_backup_plugin.operations.drill.last_good import find_last_good
from csf_backup_plugin.operations.drill.request import LastGoodRequest, check_last_good
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.identity import Identity
from doubles import Memory, MemoryHost

if TYPE_CHECKING:
    from collections.abc import Callable

    from conftest import Place, Tools

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.operations.drill import Drill
    from csf_backup_plugin.operations.drill.request import DrillRequest
    from csf_backup_plugin.operations.drill.search import Search
    from csf_backup_plugin.progress_listener import Listener

OSRESTORE = """
[ "$1" = -t ] && exec tar -tP --quoting-style=literal -f "$3"
exec tar -xP -f "$2" --transform "s:^$3:$4:" 2>&1
"""
IN_MEMORY = LastGoodRequest.parse("db1:/new", "/scratch", "/r/lib.db")
SOUND, CORRUPT = b"sound" * 100, b"rotten" * 100


@pytest.fixture
def night(place: Place, tools: Tools) -> Callable[..., str]:
    """Return a function that backs up sound or corrupt databases, as osverifydb reports them."""
    tools.write("osrestore", OSRESTORE)
    tools.write("osverifydb", '! grep -q rotten "$1"')
    (place.images.parent / "scratch").mkdir()

    def make(data: bytes = SOUND) -> str:
        image = str(place.images / f"{len([*place.images.glob('*.img')]) + 1}.img")
        (place.repository / "Book.db").write_bytes(data)
        back_up(BackupRequest.parse(place.master, f"localhost:{image}"), LocalHost(), Memory())
        return image

    return make


def request_of(place: Place) -> LastGoodRequest:
    """Return the request of a search."""
    scratch = str(place.images.parent / "scratch")
    return LastGoodRequest.parse(f"localhost:{place.images}", scratch, place.master)


def run(place: Place, host: LocalHost | None = None, listener: Memory | None = None) -> Search:
    """Search for the last good image; check that no scratch directory is left."""
    try:
        return find_last_good(request_of(place), host or LocalHost(), listener or Memory())
    finally:
        assert list((place.images.parent / "scratch").iterdir()) == []


def with_an_empty_directory(directories: object = ("/new", "/old", "/other")) -> MemoryHost:
    """Return a host with sets in two of the directories of a rotation, and none in ``/new``.

    Args:
        directories: the directories of the rotation, as its promise lists them.
    """
    host = host_with()
    host.directories |= {"/new", "/old", "/other", "/empty"}
    add_set(host, "/old/monday/1.img", 1)
    add_set(host, "/other/monday/2.img", 2)
    identity = Identity(OURS, "a" * 32, "db1", "/r/lib.db")
    host.files["/r/lib.db.manifest"] = manifest.encode(["lib.db"], identity, known=2)
    promise = sealed_json.encode({"image_directories": directories}, sealed_json.PROMISE)
    host.files[f"/new/{promise_name(OURS)}"] = promise
    return host


def tried(search: Search) -> list[str]:
    """Return the names of the images that were drilled, in order."""
    return [os.path.basename(one.set.image.path) for one in search.tried]


def failure(search: Search) -> BackupError:
    """Return the error of a search."""
    assert search.problem
    assert search.problem.exit_code == ExitCode.FAULT_FOUND
    return search.problem


def test_where_the_newest_is_sound_no_other_is_drilled(
    place: Place, night: Callable[..., str]
) -> None:
    """If the newest image is sound, the search is over."""
    night()
    newest = night()
    search = run(place)
    assert (tried(search), search.problem, search.corrupt_since) == (["2.img"], None, None)
    assert search.conclusion.startswith(
        f"The newest image of {place.master} is good: localhost:{newest}, backup 2 (begun "
    )
    assert os.path.exists(f"{newest}.drill.json")


def test_since_when_databases_are_corrupt_is_reported(
    place: Place, night: Callable[..., str]
) -> None:
    """The last good backup and the first bad one are named, and each drill is recorded."""
    good = [night(), night()]
    bad = [night(CORRUPT), night(CORRUPT)]
    listener = Memory()
    search = run(place, listener=listener)
    assert tried(search) == ["4.img", "3.img", "2.img"]
    assert [note.split(":")[1] for note in listener.notes] == [bad[1], bad[0]]
    error = failure(search)
    first, second = (one.set.receipt.started for one in search.corrupt_since or ())
    assert error.what.startswith(
        f"The last good image of {place.master} is localhost:{good[1]}, backup 2 (begun {first}); "
        f"corrupt since between backup 2 (begun {first}) and backup 3 (begun {second}).\n"
    )
    assert len(error.facts["findings"]) == 2  # type: ignore[arg-type]
    assert f"-image-file localhost:{good[1]}" in error.next_step
    assert f"localhost:{bad[0]}: It is on record in {bad[0]}.drill.json. " in error.left
    assert all(os.path.exists(f"{image}.drill.json") for image in (*bad, good[1]))


def test_an_image_that_was_damaged_tells_nothing_of_the_databases(
    place: Place, night: Callable[..., str]
) -> None:
    """The databases may have been sound when the image was made."""
    night()
    newest = night()
    Path(newest).write_bytes(b"x")
    search = run(place)
    assert (tried(search), search.corrupt_since) == (["2.img", "1.img"], None)
    assert "newer ones were damaged since then" in failure(search).what


def test_where_none_is_sound_that_is_reported(place: Place, night: Callable[..., str]) -> None:
    """All images are drilled."""
    for _ in range(2):
        night(CORRUPT)
    search = run(place)
    assert (tried(search), search.good, search.corrupt_since) == (["2.img", "1.img"], None, None)
    error = failure(search)
    assert f"No good image of {place.master} was found; 2 were drilled." in error.what
    assert "Look for older images elsewhere." in error.next_step


def test_a_drill_that_cannot_be_made_ends_the_search(
    place: Place, night: Callable[..., str], monkeypatch: pytest.MonkeyPatch, tools: Tools
) -> None:
    """That is no sign of corruption; the findings so far are reported."""
    night()
    bad = night(CORRUPT)

    def drill_or_fail(request: DrillRequest, host: Host, listener: Listener) -> Drill:
        if request.image.path != bad:
            raise BackupError("No room.", "Make room.")
        return drill(request, host, listener)

    monkeypatch.setattr(last_good, "drill", drill_or_fail)
    with pytest.raises(BackupError, match=r"No room\.") as caught:
        run(place)
    assert caught.value.left == (
        f"Not sound, each on record: {bad}. Nothing else was created or changed."
    )
    monkeypatch.undo()
    (tools.directory / "osrestore").unlink()
    monkeypatch.setenv("PATH", str(tools.directory))
    with pytest.raises(UtilityMissing) as missing:
        run(place)
    assert missing.value.left.startswith("Nothing was created or changed. ")


@pytest.mark.parametrize("kind", [NoReceipt, LockBusy])
def test_an_image_that_is_removed_meanwhile_is_skipped(
    place: Place,
    night: Callable[..., str],
    monkeypatch: pytest.MonkeyPatch,
    kind: type[BackupError],
) -> None:
    """If no other image is left, there is no good one."""
    night()
    newest = night()
    gone = {newest}

    def drill_or_fail(request: DrillRequest, host: Host, listener: Listener) -> Drill:
        if request.image.path in gone:
            raise kind("Gone.", "Look.")
        return drill(request, host, listener)

    monkeypatch.setattr(last_good, "drill", drill_or_fail)
    search = run(place)
    assert (tried(search), search.problem) == (["1.img"], None)
    assert search.warnings == [f"localhost:{newest} was not drilled: Gone."]
    gone.add(str(place.images / "1.img"))
    error = failure(run(place))
    assert "0 were drilled" in error.what
    assert error.left == "Nothing was created or changed."


def test_a_signal_ends_the_search_between_images(place: Place, night: Callable[..., str]) -> None:
    """The findings so far are reported."""
    night()
    bad = night(CORRUPT)
    host = LocalHost()

    class Stopping(Memory):
        def note(self, text: str) -> None:
            host.cancellation.cancel(signal.SIGTERM)

    with pytest.raises(Interrupted) as caught:
        run(place, host, Stopping())
    assert caught.value.left.startswith(f"Not sound, each on record: {bad}. ")


def test_a_newest_image_that_is_not_certain_to_be_it_is_a_fault(
    place: Place, night: Callable[..., str]
) -> None:
    """It is drilled nevertheless: an image from the future may be the only good one."""
    image = night()
    receipt = Path(f"{image}.receipt.json")
    receipt.write_bytes(resealed(str(receipt), started="2036-11-25T12:00:00+00:00"))
    search = run(place)
    error = failure(search)
    assert (tried(search), search.bad) == (["1.img"], [])
    assert "is good: " in error.what
    assert "; whether it is the newest is not certain.\n" in error.what
    assert "which is in the future" in error.what
    assert error.left == f"localhost:{image}: Only the record of its drill was written."


def test_only_the_images_of_the_repository_are_drilled(
    place: Place, night: Callable[..., str]
) -> None:
    """A repository without images there is refused, and so is an ambiguous one."""
    night()
    place.master = str(place.repository / "Other.db")
    with pytest.raises(FaultFound, match="holds no image of "):
        run(place)
    place.master = str(place.repository / "lib.db")
    os.unlink(f"{place.master}.manifest")
    receipt = place.images / "1.img.receipt.json"
    for name, owner in (("2.img", "2" * 32), ("3.img", "3" * 32)):
        path = str(place.images / name)
        facts = {"image": path, "repository_id": owner}
        Path(f"{path}.receipt.json").write_bytes(resealed(str(receipt), **facts))
    with pytest.raises(WrongRepository):
        run(place)


def test_a_directory_that_its_rotation_has_not_filled_yet_is_no_fault() -> None:
    """Nothing is drilled, and a warning says so; the newest image of the others is named."""
    host = with_an_empty_directory()
    search = find_last_good(IN_MEMORY, host, Memory())
    assert (search.problem, search.tried, search.good) == (None, [], None)
    assert search.warnings == ["db1:/new has no image of /r/lib.db yet; none was drilled there"]
    assert search.conclusion == (
        "Nothing was drilled. The newest image of /r/lib.db is db1:/other/monday/2.img"
    )


@pytest.mark.parametrize(
    "directories", [["/new"], ["/new", "/empty"], ["/new", "/none"], "unknown"]
)
def test_where_no_other_directory_has_an_image_there_is_nothing_to_drill(
    directories: object,
) -> None:
    """That is a fault, also if another directory cannot be read."""
    host = with_an_empty_directory(directories)
    with pytest.raises(FaultFound, match="db1:/new holds no image of /r/lib.db"):
        find_last_good(IN_MEMORY, host, Memory())


@pytest.mark.parametrize(
    "damage",
    [
        {"/new/x.img.receipt.json": b"damaged"},
        {"/r/lib.db.manifest": b""},
    ],
    ids=["an unusable receipt", "no manifest"],
)
def test_a_directory_that_may_have_had_images_is_a_fault(damage: dict[str, bytes]) -> None:
    """A receipt that cannot be used may be the repository's, and an unknown id may be any."""
    host = with_an_empty_directory()
    host.files |= damage
    with pytest.raises(FaultFound, match="db1:/new holds no image of /r/lib.db"):
        find_last_good(IN_MEMORY, host, Memory())


def test_an_empty_directory_of_no_rotation_is_a_fault() -> None:
    """Its images may have vanished."""
    host = with_an_empty_directory()
    del host.files[f"/new/{promise_name(OURS)}"]
    with pytest.raises(FaultFound, match="db1:/new holds no image of /r/lib.db"):
        find_last_good(IN_MEMORY, host, Memory())


def test_a_directory_that_was_filled_before_is_a_fault() -> None:
    """Its sets have vanished: it has a place, and there were more backups than directories."""
    host = with_an_empty_directory()
    host.directories.add("/new/monday")
    identity = Identity(OURS, "a" * 32, "db1", "/r/lib.db")
    host.files["/r/lib.db.manifest"] = manifest.encode(["lib.db"], identity, known=4)
    with pytest.raises(FaultFound, match=r"db1:/new holds no image of /r/lib\.db"):
        find_last_good(IN_MEMORY, host, Memory())


def test_an_unproven_image_in_an_unfilled_directory_is_a_warning() -> None:
    """The first backup there may be running."""
    host = with_an_empty_directory()
    host.files |= {"/new/x.img": b"half", "/new/x.img.dbn": b"/r/lib.db\n"}
    search = find_last_good(IN_MEMORY, host, Memory())
    assert search.problem is None
    assert "db1:/new/x.img" in search.warnings[0]


def test_a_request_names_directory_repository_and_scratch_directory() -> None:
    """Each of the three must have a valid form."""
    made = LastGoodRequest.parse("h:/b", "/var/tmp/", "/r/lib.db")
    assert (made.top, made.directory) == (ImagePath("h", "/b/latest"), "/var/tmp")
    assert made.repository.master == "/r/lib.db"
    for words in (("/b", "/s", "/r/a"), ("h:/b", "s", "/r/a"), ("h:/b", "/s", "a")):
        with pytest.raises(UsageError):
            LastGoodRequest.parse(*words)
    with pytest.raises(UsageError, match="-last-good needs -database"):
        LastGoodRequest.parse("h:/b", "/s", None)


def test_a_directory_is_searched_for_the_last_good_image_and_for_nothing_else() -> None:
    """-last-good needs a directory, and nothing but a search takes a directory."""
    check_last_good("h:/b", last_good=True)
    check_last_good(None, last_good=False)
    for directory in ("h:/b", None):
        with pytest.raises(UsageError, match="-image-dir and -last-good must be given together"):
            check_last_good(directory, last_good=directory is None)
