"""A drill from its checks to its record, with utilities that are not the simulator's."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from csf_backup_plugin.cancellation import SIGNALS, deferred_signals
from csf_backup_plugin.errors import (
    BackupError,
    FaultFound,
    HostUnreachable,
    Interrupted,
    NoSpace,
    TimedOut,
    UnsafeImagePath,
    UsageError,
    UtilityMissing,
    WrongRepository,
)
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.hosts.local import removal, writing
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.objectstore import room_and_time
from csf_backup_plugin.operations.backup import back_up
from csf_backup_plugin.operations.backup.request import BackupRequest
from csf_backup_plugin.operations.drill import Drill, drill, preflight, trial
from csf_backup_plugin.operations.drill.request import DrillRequest
from csf_backup_plugin.repository.model import Repository
from doubles import Memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from conftest import Place, Tools

    from csf_backup_plugin.hosts.protocol.programs import Running
    from csf_backup_plugin.hosts.protocol.values import Completed

# An osrestore of tar: the members below the first source go below the first target.
OSRESTORE = """
[ "$1" = -t ] && exec tar -tP --quoting-style=literal -f "$3"
printf '%s\\n' "$@" > "$0.arguments"
exec tar -xP -f "$2" --transform "s:^$3:$4:" 2>&1
"""


@pytest.fixture
def drilled(place: Place, tools: Tools) -> Place:
    """Return a repository with an image, an osrestore that restores it, and an osverifydb."""
    tools.write("osrestore", OSRESTORE)
    tools.write("osverifydb", 'cat "$1" >> "$0.seen"')
    request = BackupRequest.parse(place.master, f"localhost:{place.image}")
    back_up(request, LocalHost(), Memory())
    (place.images.parent / "scratch").mkdir()
    return place


def scratch_of(place: Place) -> Path:
    """Return the scratch directory."""
    return place.images.parent / "scratch"


def run(place: Place, listener: Memory | None = None, host: LocalHost | None = None) -> Drill:
    """Drill the place's image."""
    request = DrillRequest.parse(f"localhost:{place.image}", str(scratch_of(place)))
    return drill(request, host or LocalHost(), listener or Memory())


def failure(place: Place, kind: type[BackupError], host: LocalHost | None = None) -> BackupError:
    """Return how a drill fails; check that nothing but its record is left."""
    record = f"{place.image}.drill.json"
    before = place.tree()
    with pytest.raises(kind) as caught:
        run(place, host=host)
    after = place.tree()
    if after.get(record) != before.get(record):
        assert f"It is on record in {record}. " in caught.value.left
        assert recorded(place)["findings"] == caught.value.facts["findings"]
        before[record] = after[record]
    assert after == before
    assert list(scratch_of(place).iterdir()) == []
    return caught.value


def reseal(place: Place, **changes: Any) -> None:
    """Change facts in the receipt, and seal it again."""
    path = Path(f"{place.image}.receipt.json")
    facts = {**sealed_json.decode(path.read_bytes()), **changes}
    facts = {**facts, "databases_after": facts["databases"], **changes, "changed": None}
    path.write_bytes(sealed_json.encode(facts))


def recorded(place: Place) -> dict[str, Any]:
    """Return what the drill's record says."""
    return sealed_json.decode(Path(f"{place.image}.drill.json").read_bytes(), sealed_json.DRILL)


def test_osrestore_is_given_one_pair_for_the_repository(drilled: Place, tools: Tools) -> None:
    """Source and target are directories."""
    run(drilled)
    words = (tools.directory / "osrestore.arguments").read_text().splitlines()
    assert words[:3] == ["-f", drilled.image, str(drilled.repository)]
    assert words[3].startswith(f"{scratch_of(drilled)}/csf-drill-a.img@")
    assert words[3].endswith(str(drilled.repository))
    assert len(words) == 4


def test_every_restored_database_is_verified(drilled: Place, tools: Tools) -> None:
    """The record names the program that verified them."""
    made = run(drilled)
    seen = (tools.directory / "osverifydb.seen").read_bytes()
    assert sorted(seen) == sorted(b"lib.db" * 100 + b"Book.db" * 100)
    record = recorded(drilled)
    assert record["osverifydb"] == made.plan.osverifydb == str(tools.directory / "osverifydb")
    assert (record["databases"], record["bytes"]) == (2, 1300)
    assert record["scratch"] == str(scratch_of(drilled))
    assert made.warnings == ()


def test_the_record_tells_which_backup_was_drilled_and_when(drilled: Place) -> None:
    """The times are those of the host's clock; the image may be renamed later."""
    made = run(drilled)
    record, receipt = recorded(drilled), made.plan.receipt
    assert receipt.origin.number == 1
    assert (record["repository_id"], record["number"]) == (receipt.origin.id, 1)
    assert (record["backup_started"], record["image_sha256"]) == (receipt.started, receipt.sha256)
    assert receipt.started <= record["started"] <= record["finished"]


def test_progress_is_reported_in_bytes(drilled: Place) -> None:
    """Checksum, restore and verification report their progress."""
    listener = Memory()
    run(drilled, listener)
    assert list(dict.fromkeys(step[0] for step in listener.steps)) == [
        *("checking", "restoring", "verifying")
    ]
    assert listener.steps[-1] == ("verifying", 1300, 1300)
    assert all(done >= 0 for _, done, _ in listener.steps)


def test_without_osverifydb_that_is_a_warning_and_in_the_record(
    drilled: Place, tools: Tools
) -> None:
    """Not every site has osverifydb."""
    (tools.directory / "osverifydb").unlink()
    assert run(drilled).warnings[0].startswith("osverifydb was not found")
    assert recorded(drilled)["osverifydb"] is None


def test_without_a_sha256_that_is_a_warning(drilled: Place) -> None:
    """The image may not be the one that was proven."""
    reseal(drilled, image_sha256=None)
    assert run(drilled).warnings[0].startswith("the receipt has no SHA-256")


def test_unknown_sizes_are_not_compared_and_the_images_stands_for_them(drilled: Place) -> None:
    """This is so after an image was proven later by prove."""
    names = sealed_json.decode(Path(f"{drilled.image}.receipt.json").read_bytes())["databases"]
    reseal(drilled, databases=dict.fromkeys(names))
    made = run(drilled)
    assert made.plan.size == os.path.getsize(drilled.image)
    assert made.trial.size == 1300


@pytest.mark.parametrize(
    ("script", "finding"),
    [
        ("echo bad luck; exit 7", "osrestore failed: exit 7, and printed:\n    bad luck"),
        ("kill -KILL $$", "osrestore failed: signal 9, and printed nothing."),
        ("exit 0", "/lib.db is missing"),
        (': > "$4/lib.db"; : > "$4/Book.db"', "/lib.db holds 0 bytes; it held 600 when"),
        (f'{OSRESTORE.replace("exec tar -x", "tar -x")} : > "$4/New.db"', "/New.db was not to be"),
        (f'{OSRESTORE.replace("exec tar -x", "tar -x")} mkdir "$4/x"', None),
    ],
)
def test_what_is_not_restored_as_it_should_be_is_found(
    drilled: Place, tools: Tools, script: str, finding: str | None
) -> None:
    """osrestore's exit status does not matter, and an empty directory is not a database."""
    tools.write("osrestore", script)
    if finding is None:
        run(drilled)
        return
    error = failure(drilled, FaultFound)
    assert finding in str(error)
    assert "What this run had created was removed" in error.left
    assert "earlier drill" not in error.left


RESTORED = OSRESTORE.replace("exec tar -x", "tar -x")


@pytest.mark.parametrize(
    ("script", "finding"),
    [
        ('rm "$4/Book.db"; ln -s "$3/Book.db" "$4/"', "/Book.db is a symbolic link, and no datab"),
        ('mv "$4/Book.db" "$4/x"; ln -s x "$4/Book.db"', "/Book.db is a symbolic link, and no da"),
        ('ln -f "$3/Book.db" "$4/Book.db"', "{place.repository}/Book.db itself, by a hard link"),
    ],
)
def test_a_database_that_is_a_link_is_found_and_not_looked_into(
    drilled: Place, tools: Tools, script: str, finding: str
) -> None:
    """The link may lead to the live database, so nothing was restored."""
    tools.write("osrestore", f"{RESTORED}{script}")
    error = failure(drilled, FaultFound)
    assert isinstance(error, FaultFound)
    (found,) = error.findings
    assert found.startswith(f"{scratch_of(drilled)}/csf-drill-a.img@")
    assert found.rpartition("Book.db")[0] + "Book.db" in found
    assert finding.format(place=drilled) in found
    assert not (tools.directory / "osverifydb.seen").exists()


def test_a_directory_that_is_a_link_is_found_and_what_it_leads_to_stays(
    drilled: Place, tools: Tools
) -> None:
    """Neither osverifydb nor the removal of the copy follows the link."""
    tools.write("osrestore", f'{RESTORED}rm -r "$4"; ln -s "$3" "$4"')
    error = failure(drilled, FaultFound)
    assert isinstance(error, FaultFound)
    assert error.findings[0].startswith(
        f"{drilled.repository}, where databases were restored to, is not in"
    )
    assert not (tools.directory / "osverifydb.seen").exists()


@pytest.mark.parametrize("stream", [1, 2])
@pytest.mark.parametrize(
    "words",
    [
        "Pointer to nonpersistent storage",
        "  Pointer type mismatch in segment 4",
        "POINTER TO DELETED STORAGE",
        "Pointer Location: 0x1000  Contents: 0xdead",
        "<err-0025-0151>Invalid schema key (err_schema)",
    ],
)
def test_a_fault_that_osverifydb_names_counts_whatever_its_exit_status(
    drilled: Place, tools: Tools, words: str, stream: int
) -> None:
    """Its exit status after a fault is not documented."""
    line = f"echo '{words}' >&{stream}"
    tools.write("osverifydb", f'echo "Verifying database $1"; {line}; seq 50')
    with pytest.raises(FaultFound) as caught:
        run(drilled)
    (first, _second) = caught.value.findings
    assert first.endswith(f"Book.db: exit 0, and printed: {words.strip()}")


def test_a_databases_name_is_no_fault(drilled: Place, tools: Tools) -> None:
    """A database's name may look like a message of osverifydb."""
    line = "Verifying database /Pointer type mismatch/$1"
    tools.write("osverifydb", f'echo "{line}"; echo "Verifying segment 4 Size: 512 bytes"')
    assert run(drilled).warnings == ()


def test_each_database_that_osverifydb_faults_is_named_with_its_words(
    drilled: Place, tools: Tools
) -> None:
    """All faulty databases are named."""
    tools.write("osverifydb", 'echo "dangling pointer"; exit 1')
    error = failure(drilled, FaultFound)
    assert isinstance(error, FaultFound)
    assert len(error.findings) == 2
    assert all("dangling pointer" in finding for finding in error.findings)


@pytest.mark.parametrize("suffix", ["", ".dbn"])
def test_a_damaged_image_is_not_restored(drilled: Place, tools: Tools, suffix: str) -> None:
    """Its record would describe another image; verify reports more."""
    with open(drilled.image + suffix, "ab") as file:
        file.write(b"x")
    error = failure(drilled, FaultFound)
    assert f"csf admin_database_verify -image-file localhost:{drilled.image}" in error.next_step
    assert not (tools.directory / "osrestore.arguments").exists()


@pytest.mark.parametrize("databases", [{}, {"/r/../etc/x.db": 1}])
def test_a_receipt_that_could_lead_osrestore_elsewhere_is_refused(
    drilled: Place, databases: dict[str, int]
) -> None:
    """Without a pair for a database, osrestore would restore it over the repository."""
    reseal(drilled, databases=databases, master=next(iter(databases), "/r/x.db"))
    assert "kept away from the repository" in failure(drilled, FaultFound).what


def test_the_scratch_directory_must_be_one_that_can_be_written_to(
    drilled: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So must the image's directory, for the record; the scratch must be outside the repository."""
    look = LocalHost.look

    def refused(where: str, match: str, *, unwritable: str = "") -> None:
        def looked(host: LocalHost, paths: Any) -> Any:
            return [
                facts._replace(writable=facts.writable and facts.resolved != unwritable)
                for facts in look(host, paths)
            ]

        monkeypatch.setattr(LocalHost, "look", looked)
        request = DrillRequest.parse(f"localhost:{drilled.image}", where)
        with pytest.raises(UnsafeImagePath, match=match):
            drill(request, LocalHost(), Memory())

    scratch, inside = str(scratch_of(drilled)), drilled.repository / "sub"
    inside.mkdir()
    before = drilled.tree()
    refused(f"{scratch}/none", "does not exist")
    refused(drilled.master, "is not a directory")
    refused(str(drilled.repository), "inside the repository")
    refused(str(inside), "inside the repository")
    refused(scratch, "scratch .*is not writable", unwritable=scratch)
    refused(scratch, "could not be recorded there", unwritable=str(drilled.images))
    os.mkdir(f"{drilled.image}.drill.json")
    refused(scratch, "a.img.drill.json is a directory, so the drill could not be recorded")
    os.rmdir(f"{drilled.image}.drill.json")
    assert drilled.tree() == before


def test_a_scratch_directory_without_room_is_refused(
    drilled: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused before anything is created."""
    monkeypatch.setattr(room_and_time, "RESERVE", 1 << 60)
    assert "name another -scratch-dir" in failure(drilled, NoSpace).next_step


def test_osrestore_must_be_there(drilled: Place, tools: Tools) -> None:
    """The message lists where it looked."""
    (tools.directory / "osrestore").unlink()
    failure(drilled, UtilityMissing)


@pytest.mark.parametrize("utility", ["osrestore", "osverifydb"])
def test_a_utility_that_does_not_end_is_stopped(
    drilled: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch, utility: str
) -> None:
    """The restored copy is removed."""
    tools.write(utility, "exec sleep 60")
    monkeypatch.setattr(trial, "default_timeout", lambda _: 0.3)
    assert f"{utility} did not end within 0 s on localhost" in failure(drilled, TimedOut).what


@pytest.mark.parametrize("signum", SIGNALS)
def test_a_signal_stops_osrestore_and_leaves_nothing(
    drilled: Place, tools: Tools, signum: signal.Signals
) -> None:
    """The exit code is that of a shell for the signal."""
    tools.write(
        "osrestore", f'echo part > "$4/lib.db"; kill -{signum.name[3:]} {os.getpid()}; sleep 60'
    )
    with deferred_signals("It") as cancellation:
        host = LocalHost(cancellation=cancellation)
        assert failure(drilled, Interrupted, host).exit_code == 128 + signum


def test_a_failed_drill_is_recorded_in_place_of_an_earlier_one(
    drilled: Place, tools: Tools
) -> None:
    """The record has the findings; the next successful drill has none."""
    run(drilled)
    assert recorded(drilled)["findings"] == []
    restore = (tools.directory / "osrestore").read_text()
    tools.write("osrestore", "exit 1")
    error = failure(drilled, FaultFound)
    assert recorded(drilled)["findings"] == error.facts["findings"]
    assert "earlier drill" not in error.left
    (tools.directory / "osrestore").write_text(restore)
    run(drilled)
    assert recorded(drilled)["findings"] == []


def test_a_failure_that_cannot_be_recorded_is_reported(
    drilled: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The earlier record stays."""
    run(drilled)
    tools.write("osrestore", "exit 1")

    def full(path: str, *_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", path)

    monkeypatch.setattr(writing, "replace", full)
    left = failure(drilled, FaultFound).left
    record = f"{drilled.image}.drill.json"
    assert left.startswith(f"It could not be recorded in {record}: No space left on device. ")


def test_a_drill_that_cannot_be_made_leaves_an_earlier_record_and_says_so(
    drilled: Place, tools: Tools
) -> None:
    """The failure says nothing about the image."""
    run(drilled)
    (tools.directory / "osrestore").unlink()
    error = failure(drilled, UtilityMissing)
    assert error.left.endswith(f"{drilled.image}.drill.json, of an earlier drill, is as it was.")


def test_what_of_the_copy_cannot_be_removed_is_a_warning(
    drilled: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drill has succeeded, and is recorded."""

    def refuse(path: str, *, mine: bool) -> None:
        raise PermissionError(1, "Operation not permitted", path)

    monkeypatch.setattr(removal, "remove_tree", refuse)
    (warning,) = run(drilled).warnings
    assert warning.endswith("could not be removed: Operation not permitted")
    assert os.path.exists(f"{drilled.image}.drill.json")
    monkeypatch.undo()


def test_a_record_that_cannot_be_written_fails_the_drill(
    drilled: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The drill would be unknown to everybody; the earlier record is unchanged."""
    run(drilled)

    def full(path: str, *_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", path)

    monkeypatch.setattr(writing, "replace", full)
    assert "earlier drill" in failure(drilled, NoSpace).left


class Late:
    """A utility whose end is seen only at the second poll."""

    def __init__(self, running: Running) -> None:
        self._running = running
        self._polled = False

    def poll(self) -> tuple[Completed | None, int]:
        if not self._polled:
            self._polled = True
            return None, 0
        return self._running.poll()


@pytest.mark.parametrize("gone", [False, True])
def test_a_host_that_is_gone_for_a_while_only_shows_no_progress(
    drilled: Place, *, gone: bool
) -> None:
    """osrestore runs on its host, and in the end everything is restored."""

    class Flaky(LocalHost):
        @contextlib.contextmanager
        def start(self, *arguments: Any, **options: Any) -> Iterator[Running]:
            with super().start(*arguments, **options) as running:
                yield Late(running)

        def look(self, paths: Any) -> Any:
            paths = list(paths)
            if gone and "csf-drill-" in paths[0] and len(paths) == 1:
                raise HostUnreachable("Host db9 cannot be reached.", "Try.")
            return super().look(paths)

    listener = Memory()
    made = run(drilled, listener, Flaky())
    steps = [step for step in listener.steps if step[0] == "restoring"]
    assert len(steps) == (1 if gone else 2)
    assert steps[-1] == ("restoring", made.plan.size, made.plan.size)


def test_whether_there_was_an_earlier_record_may_not_be_known(drilled: Place) -> None:
    """The host is gone, and the first error is reported."""

    class Gone(LocalHost):
        def stat(self, paths: Any) -> Any:
            paths = list(paths)
            if paths == [f"{drilled.image}.drill.json"]:
                raise HostUnreachable("Host db9 cannot be reached.", "Try.")
            return super().stat(paths)

    os.unlink(f"{drilled.image}.receipt.json")
    assert "has no receipt" in failure(drilled, FaultFound, Gone()).what


@pytest.mark.parametrize("directory", ["", "/", "scratch", "/a\nb"])
def test_a_directory_that_is_none_is_a_usage_error(directory: str) -> None:
    """The message has an example."""
    with pytest.raises(UsageError, match="-scratch-dir") as caught:
        DrillRequest.parse("localhost:/b/a.img", directory)
    assert "/var/tmp" in caught.value.next_step


def test_a_slash_at_its_end_is_nothing() -> None:
    """Completion by a shell adds the slash."""
    made = DrillRequest.parse("db1:/b/a.img", "/var//tmp/")
    assert made == DrillRequest(ImagePath("db1", "/b/a.img"), "/var/tmp")


def test_a_repository_that_is_none_is_a_usage_error() -> None:
    """A drill refuses what a backup refuses."""
    with pytest.raises(UsageError, match="-database"):
        DrillRequest.parse("db1:/b/a.img", "/var/tmp", "lib.db")
    made = DrillRequest.parse("db1:/b/a.img", "/var/tmp", "/r/lib.db")
    assert made.repository == Repository("/r/lib.db")


def test_the_record_is_readable(drilled: Place) -> None:
    """It is a JSON document, as the receipt is."""
    run(drilled)
    document = json.loads(Path(f"{drilled.image}.drill.json").read_bytes())
    assert document["schema"] == "csf-backup/drill/1"


def drill_of(place: Place, image: str, master: str | None) -> Drill:
    """Drill an image by another name, or for a repository that is named."""
    request = DrillRequest.parse(f"localhost:{image}", str(scratch_of(place)), master)
    return drill(request, LocalHost(), Memory())


def test_the_image_of_another_repository_than_is_named_is_not_drilled(
    drilled: Place, tools: Tools, tmp_path: Path
) -> None:
    """A drill of the wrong repository would prove nothing."""
    assert drill_of(drilled, drilled.image, drilled.master).plan.image.path == drilled.image
    os.unlink(f"{drilled.image}.drill.json")
    (tools.directory / "osrestore.arguments").unlink()
    with pytest.raises(WrongRepository) as caught:
        drill_of(drilled, drilled.image, str(tmp_path / "lib.db"))
    assert caught.value.exit_code == ExitCode.REPOSITORY_INCOMPLETE
    assert f"{tmp_path}/lib.db is another repository" in caught.value.what
    assert not (tools.directory / "osrestore.arguments").exists()
    assert not os.path.exists(f"{drilled.image}.drill.json")


def test_the_latest_of_a_repository_is_drilled(drilled: Place) -> None:
    """Of several in the directory, the named one counts; without a name the choice is unknown."""
    facts = sealed_json.decode(Path(f"{drilled.image}.receipt.json").read_bytes())
    other = {"repository_id": "2" * 32, "master": "/q/x.db", "databases": {"/q/x.db": 1}}
    other |= {"databases_after": {"/q/x.db": 1}, "changed": []}
    Path(f"{drilled.image}2.receipt.json").write_bytes(sealed_json.encode({**facts, **other}))
    latest = str(drilled.images / "latest")
    assert drill_of(drilled, latest, drilled.master).plan.image.path == drilled.image
    with pytest.raises(WrongRepository, match="holds images of several repositories"):
        drill_of(drilled, latest, None)


def test_whether_the_latest_is_the_newest_must_be_certain(drilled: Place, tools: Tools) -> None:
    """A drill of an older image would be taken for a drill of the newest."""
    newer = Path(f"{drilled.image}2.receipt.json")
    newer.write_bytes(b"damaged")
    os.utime(newer, (2**31, 2**31))
    latest = str(drilled.images / "latest")
    with pytest.raises(FaultFound, match="is the newest image is not certain") as caught:
        drill_of(drilled, latest, None)
    (finding,) = caught.value.findings
    assert finding.endswith(f"it may be newer than localhost:{drilled.image}")
    assert not (tools.directory / "osrestore.arguments").exists()
    os.utime(newer, (1, 1))
    (warning,) = drill_of(drilled, latest, None).warnings
    assert warning.startswith(f"skipped: localhost:{drilled.image}2 has a receipt that is da")


def test_the_newest_image_from_the_future_is_a_finding(drilled: Place) -> None:
    """This holds however it is named; an older image from the future is a warning."""
    reseal(drilled, started="2126-01-01T00:00:00+00:00")
    error = failure(drilled, FaultFound)
    assert "is the newest image is not certain" in error.what
    assert "which is in the future" in error.what
    facts = sealed_json.decode(Path(f"{drilled.image}.receipt.json").read_bytes())
    newer = sealed_json.encode({**facts, "number": 2})
    Path(f"{drilled.image}2.receipt.json").write_bytes(newer)
    (warning,) = run(drilled).warnings
    assert "which is in the future" in warning


def leave(place: Place, name: str = "b.img") -> Path:
    """Leave what a killed drill leaves; return its directory."""
    machine = LocalHost().machine().name
    left = scratch_of(place) / f"csf-drill-{name}@{machine}-20261123T021000.000000Z"
    (left / "restored").mkdir(parents=True)
    (left / "restored" / "x.db").write_bytes(b"copy")
    Path(f"{left}.lock").touch()
    return left


def test_what_a_killed_drill_has_left_is_removed_and_reported(drilled: Place) -> None:
    """It is removed before the restore, which needs the room."""
    left = leave(drilled)
    assert run(drilled).warnings == (f"{left}, left by a drill that was killed, was removed",)
    assert list(scratch_of(drilled).iterdir()) == []


def test_a_copy_that_stays_is_told_of_a_drill_whose_record_cannot_be_written(
    drilled: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both may be on a disk that has failed."""

    def refuse(path: str, *_: object, **__: object) -> None:
        raise OSError(errno.EIO, "Input/output error", path)

    monkeypatch.setattr(removal, "remove_tree", refuse)
    monkeypatch.setattr(writing, "replace", refuse)
    with pytest.raises(BackupError) as caught:
        run(drilled)
    (left,) = scratch_of(drilled).glob("*Z")
    assert caught.value.left == (
        f"{left} could not be removed: Input/output error. Nothing else was created or changed."
    )


def test_what_was_removed_is_told_of_a_drill_that_fails_too(
    drilled: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The removal is reported although the drill failed."""
    left = leave(drilled)
    monkeypatch.setattr(preflight, "space_needed", lambda _size: 1 << 62)
    error = failure(drilled, NoSpace)
    assert error.left == (
        f"{left}, left by a drill that was killed, was removed. "
        "Nothing else was created or changed."
    )


def test_an_image_that_is_replaced_meanwhile_has_not_been_drilled(
    drilled: Place, tools: Tools
) -> None:
    """The record would describe another image."""
    swap = f'[ "$1" = -t ] || {{ cp "$2" "$2.new"; mv "$2.new" "$2"; }}{OSRESTORE}'
    tools.write("osrestore", swap)
    assert "was changed or replaced" in failure(drilled, FaultFound).what
    assert not os.path.exists(f"{drilled.image}.drill.json")
