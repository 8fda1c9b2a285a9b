"""A restore from lock to manifest, with utilities that are not the simulator's."""

from __future__ import annotations

import errno
import os
import shutil
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from csf_backup_plugin import operations
from csf_backup_plugin.cancellation import Cancellation, deferred_signals
from csf_backup_plugin.errors import (
    BackupError,
    Declined,
    ExtraDatabases,
    FaultFound,
    Interrupted,
    LockBusy,
    NotMounted,
    OsrestoreFailed,
    RepositoryIncomplete,
    RepositoryNotFound,
    TimedOut,
    UnsafeImagePath,
    WrongRepository,
)
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.hosts.local import entries, removal, writing
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.hosts.local.job import started
from csf_backup_plugin.hosts.local.lock_file import LockFile
from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.operations.backup import back_up
from csf_backup_plugin.operations.backup.request import BackupRequest
from csf_backup_plugin.operations.restore import Restored, restore
from csf_backup_plugin.operations.restore.request import RestoreRequest
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.system_errors import HalfDone
from doubles import Memory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from conftest import Place, Tools

    from csf_backup_plugin.repository.manifest import Manifest

pytestmark = pytest.mark.usefixtures("backed_up")

LIST = '[ "$1" != -t ] || exec tar -tP --quoting-style=literal -f "$3"\n'


@pytest.fixture
def backed_up(place: Place, tools: Tools) -> dict[str, bytes]:
    """Back the repository up, then create a class and another master database."""
    back_up(BackupRequest.parse(place.master, f"localhost:{place.image}"), LocalHost(), Memory())
    before = databases(place)
    (place.repository / "New.db").write_bytes(b"new")
    Path(place.master).write_bytes(b"later" * 200)
    return before


def databases(place: Place) -> dict[str, bytes]:
    """Return the databases in the repository's directory."""
    return {path: data for path, data in place.tree().items() if path.endswith(".db")}


def run(
    place: Place, host: LocalHost | None = None, *, agreed: bool = True, **options: Any
) -> Restored:
    """Restore the repository."""
    request = RestoreRequest.parse(place.master, f"localhost:{place.image}", **options)
    return restore(request, host or LocalHost(), Memory(), lambda _plan: agreed)


def recorded(master: object) -> Manifest:
    """Return the contents of a repository's manifest."""
    return manifest.decode(Path(f"{master}.manifest").read_bytes())


def reseal(place: Place, **changes: Any) -> None:
    """Change facts in the receipt, and seal it again."""
    path = Path(f"{place.image}.receipt.json")
    path.write_bytes(sealed_json.encode({**sealed_json.decode(path.read_bytes()), **changes}))


def failure(place: Place, kind: type[BackupError], **options: Any) -> BackupError:
    """Return how a restore fails; check that nothing has changed."""
    before = place.tree()
    with pytest.raises(kind) as caught:
        run(place, **options)
    after = place.tree()
    assert {path for path in after if not path.endswith(".lock")} == {
        path for path in before if not path.endswith(".lock")
    }
    assert databases(place) == {path: before[path] for path in databases(place)}
    return caught.value


def test_everything_is_as_it_was_at_the_backup(
    place: Place, tools: Tools, backed_up: dict[str, bytes]
) -> None:
    """osrestore is called as documented, and the manifest keeps track of moved databases."""
    done = run(place, quarantine=True)
    assert databases(place) == backed_up
    assert (tools.directory / "osrestore.arguments").read_text() == f"-f\n{place.image}\n"
    assert done.place is not None
    assert Path(done.place.directory, "New.db").read_bytes() == b"new"
    assert recorded(place.master).names == ("lib.db", "Book.db")
    assert done.warnings == ()


def test_the_repository_is_the_same_one_afterwards(place: Place) -> None:
    """Its numbers continue, so that the next image is the newest."""
    before = recorded(place.master)
    run(place, quarantine=True)
    after = recorded(place.master)
    assert after.identity == before.identity is not None
    assert after.number == before.number == 1
    os.unlink(f"{place.master}.manifest")
    run(place)
    assert recorded(place.master)._replace(backups=after.backups) == after
    request = BackupRequest.parse(place.master, f"localhost:{place.image}2")
    assert back_up(request, LocalHost(), Memory()).origin.number == 2
    assert run(place).plan.number == 2  # the older image, again
    assert recorded(place.master).number == 2


def test_what_links_lead_to_is_restored_and_reported(
    place: Place, backed_up: dict[str, bytes], tmp_path: Path
) -> None:
    """The image was made of the link's targets."""
    master, image = place.master, place.image
    for name in ("repository", "images"):
        (tmp_path / f"{name}-link").symlink_to(tmp_path / name)
    listener = Memory()
    request = RestoreRequest.parse(
        f"{tmp_path}/repository-link/lib.db",
        f"localhost:{tmp_path}/images-link/../images-link/a.img",
        quarantine=True,
    )
    done = restore(request, LocalHost(), listener, lambda _plan: True)
    assert listener.notes[:2] == [
        f"{tmp_path}/repository-link/lib.db is {master}",
        f"localhost:{tmp_path}/images-link/../images-link/a.img is localhost:{image}",
    ]
    assert (done.plan.request.repository.master, done.plan.request.image.path) == (master, image)
    assert databases(place) == backed_up


def test_a_mount_point_that_is_none_now_stops_it(place: Place) -> None:
    """It is refused before anything is changed; -accept-unmounted overrides that."""
    reseal(place, mounts={str(place.repository): str(place.repository)})
    error = failure(place, NotMounted, quarantine=True)
    assert error.exit_code == ExitCode.UNSAFE_IMAGE_PATH
    assert run(place, quarantine=True, accept_unmounted=True).plan.overwritten


LATER = "2126-01-01T00:00:00+00:00"


def test_the_latest_from_the_future_is_not_restored_unattended(
    place: Place, backed_up: dict[str, bytes]
) -> None:
    """As a clock was wrong, a person decides at a terminal, or names the image."""
    reseal(place, started=LATER)
    image, place.image = place.image, str(place.images / "latest")
    error = failure(place, FaultFound, quarantine=True, unattended=True)
    assert f"backup began at {LATER}, which is in the future" in error.what
    assert error.next_step.endswith(
        f"csf admin_database_restore -database {place.master} -image-file localhost:{image} "
        "-quarantine"
    )
    attended = run(place, quarantine=True).warnings
    assert databases(place) == backed_up
    place.image = image
    named = run(place, unattended=True).warnings
    for warnings in (attended, named):
        assert [w for w in warnings if f"began at {LATER}, which is in the future" in w]


def test_the_latest_is_not_restored_while_another_may_be_newer(
    place: Place, backed_up: dict[str, bytes]
) -> None:
    """At a terminal the plan would show the wrong image, too; a named image is restored."""
    newer = Path(f"{place.image}2.receipt.json")
    newer.write_bytes(b"damaged")
    os.utime(newer, (2**31, 2**31))
    image, place.image = place.image, str(place.images / "latest")
    error = failure(place, FaultFound, quarantine=True)
    assert f"{image}2 has a receipt that is damaged" in error.what
    assert f"it may be newer than localhost:{image}" in error.what
    place.image = image
    run(place, quarantine=True)
    assert databases(place) == backed_up


def test_another_repositorys_databases_stay_where_they_are(place: Place) -> None:
    """They lie beside ours; -quarantine does not move them."""
    zoo = place.repository / "zoo.db"
    zoo.write_bytes(b"zoo")
    Path(f"{zoo}.manifest").write_bytes(manifest.encode(["zoo.db", "New.db"]))
    done = run(place, quarantine=True)
    assert (done.place, done.plan.extra) == (None, ())
    assert (place.repository / "New.db").read_bytes() == b"new"
    assert zoo.read_bytes() == b"zoo"


def test_another_repositorys_database_is_not_overwritten(place: Place) -> None:
    """Its manifest lists a database that is in the image."""
    zoo = place.repository / "zoo.db"
    zoo.write_bytes(b"zoo")
    Path(f"{zoo}.manifest").write_bytes(manifest.encode(["zoo.db", "Book.db"]))
    error = failure(place, WrongRepository, quarantine=True)
    assert error.exit_code == ExitCode.REPOSITORY_INCOMPLETE
    assert f"{place.repository}/Book.db" in error.what


def test_extra_databases_are_refused_and_a_dry_run_says_so(place: Place) -> None:
    """Nothing is changed; with -quarantine, the dry run succeeds."""
    error = failure(place, ExtraDatabases)
    assert f"{place.repository}/New.db" in error.what
    before = place.tree()
    planned = run(place, dry_run=True)
    assert planned.refusal is not None
    assert planned.refusal.exit_code == ExitCode.EXTRA_DATABASES
    assert run(place, dry_run=True, quarantine=True).refusal is None
    assert place.tree() == before


def test_who_does_not_agree_changes_nothing(place: Place) -> None:
    """The question comes before the first change."""
    error = failure(place, Declined, quarantine=True, agreed=False)
    assert error.left == "Nothing was created or changed."


def test_a_new_disk_is_filled(place: Place, backed_up: dict[str, bytes]) -> None:
    """Its empty directory exists; without one nothing is done."""
    shutil.rmtree(place.repository)
    with pytest.raises(RepositoryNotFound):
        run(place)
    place.repository.mkdir()
    assert run(place).plan.overwritten == ()
    assert databases(place) == backed_up


def test_into_another_directory(place: Place, backed_up: dict[str, bytes], tmp_path: Path) -> None:
    """The original repository is unchanged."""
    before, other = databases(place), tmp_path / "other"
    other.mkdir()
    place.master = str(other / "lib.db")
    with pytest.raises(WrongRepository):
        run(place)
    run(place, into=str(other))
    assert databases(place) == before
    assert {path.name: path.read_bytes() for path in other.glob("*.db")} == {
        os.path.basename(path): data for path, data in backed_up.items()
    }
    assert recorded(place.master).names == ("lib.db", "Book.db")


def test_what_is_restored_into_another_directory_is_a_new_repository(
    place: Place, tmp_path: Path
) -> None:
    """Its images and those of the first one are never mixed."""
    other = tmp_path / "other"
    other.mkdir()
    first, place.master = place.master, str(other / "lib.db")
    run(place, into=str(other))
    made, own = recorded(place.master), recorded(first)
    assert made.identity is not None
    assert own.identity is not None
    assert made.identity.id != own.identity.id
    assert made.identity.master == place.master
    assert made.number == 0


def test_a_damaged_image_and_a_held_lock_stop_it(place: Place) -> None:
    """They are refused before anything is changed."""
    with LocalHost().lock(f"{place.master}.lock", "class_create", 0, print):
        failure(place, LockBusy, quarantine=True, wait=0)
    with open(place.image, "ab") as image:
        image.write(b"x")
    failure(place, FaultFound, quarantine=True)


@pytest.mark.parametrize(
    ("script", "timeout", "kind", "message"),
    [
        ("echo no room; exit 7", 60, OsrestoreFailed, r"exit 7, and printed:\n    no room"),
        ("#!/none/such\n", 60, OsrestoreFailed, "could not be run on localhost"),
        ("exec sleep 60", 1, TimedOut, "did not end within 1 s"),
    ],
)
def test_a_failure_that_changed_nothing_undoes_the_quarantine(
    place: Place, tools: Tools, script: str, timeout: int, kind: type[BackupError], message: str
) -> None:
    """Every file is at its place again."""
    tools.write("osrestore", f"{LIST}{script}")
    if script.startswith("#!"):
        tools.write("osrestore", f"#!/bin/sh\n{LIST.replace('exec tar', 'rm $0; exec tar')}")
    error = failure(place, kind, quarantine=True, timeout=timeout)
    assert error.left == "No database was changed.\nThe extra databases are where they were."
    with pytest.raises(type(error), match=message):
        raise error


def test_while_osrestore_cannot_be_ended_nothing_is_said_to_be_unchanged(
    place: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Quarantine, record and the mark that blocks backups stay."""
    tools.write("osrestore", f"{LIST}exit 1")
    monkeypatch.setattr(LockFile, "is_left", True)
    with pytest.raises(OsrestoreFailed) as caught:
        run(place, quarantine=True)
    assert caught.value.left.startswith("osrestore could not be ended on localhost, and may still")
    assert "The extra databases are where they were, or in " in caught.value.left
    assert not (place.repository / "New.db").exists()
    assert (place.repository / "lib.db.restore.run" / "pid").exists()
    with pytest.raises(RepositoryIncomplete):
        back_up(
            BackupRequest.parse(place.master, f"localhost:{place.image}2"), LocalHost(), Memory()
        )


def test_after_a_lock_was_lost_nothing_is_cleaned_up(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command that has the lock now may own record, mark and databases."""

    def lost(*_: object) -> NoReturn:
        (place.repository / "lib.db.restore.run").mkdir()
        raise LockBusy("The repository is locked.", "Let it end.")

    monkeypatch.setattr(operations.restore, "run_osrestore", lost)
    with pytest.raises(LockBusy) as caught:
        run(place, quarantine=True)
    assert caught.value.left.startswith("Another command has taken the repository's lock since: ")
    assert "The extra databases are where they were, or in " in caught.value.left
    assert (place.repository / "lib.db.restore.run").exists()
    assert (place.repository / "lib.db.unfinished-restore").exists()


def test_a_failure_half_way_keeps_the_quarantine_and_can_be_repeated(
    place: Place, tools: Tools, backed_up: dict[str, bytes]
) -> None:
    """The state of each database is reported; the repeated restore has no extra databases."""
    tools.write("osrestore", f"{LIST}: > '{place.master}'; rm '{place.repository}/Book.db'; exit 1")
    with pytest.raises(OsrestoreFailed) as caught:
        run(place, quarantine=True)
    assert f"    restored or changed: {place.master}\n" in caught.value.left
    assert f"    gone: {place.repository}/Book.db\n" in caught.value.left
    where = caught.value.facts["quarantine"]
    assert f"The extra databases are kept in {where}." in caught.value.left
    tools.write("osrestore", f'{LIST}exec tar -xP -f "$2"')
    assert run(place, quarantine=True).place is None
    assert databases(place) == backed_up
    assert Path(str(where), "New.db").read_bytes() == b"new"


def test_a_success_that_is_none_is_found_out(place: Place, tools: Tools) -> None:
    """osrestore's exit status is not all that counts."""
    tools.write("osrestore", f"{LIST}rm '{place.repository}/Book.db'")
    with pytest.raises(OsrestoreFailed, match=r"reported success .*Book.db is missing"):
        run(place, quarantine=True)


def test_a_database_that_cannot_be_moved_moves_none(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """osrestore is not started."""
    (place.repository / "Other.db").touch()
    move = entries.move

    def refuse(old: str, new: str) -> None:
        if old.endswith("Other.db"):
            raise OSError(1, "Operation not permitted", old)
        move(old, new)

    monkeypatch.setattr(entries, "move", refuse)
    error = failure(place, BackupError, quarantine=True)
    assert "Operation not permitted" in error.what
    assert error.left == "No database was changed.\nThe extra databases are where they were."


def test_a_signal_during_the_question_changes_nothing(place: Place) -> None:
    """The signal counts, whatever the answer was."""

    def agreed(_plan: object) -> bool:
        os.kill(os.getpid(), signal.SIGTERM)
        return True

    request = RestoreRequest.parse(place.master, f"localhost:{place.image}", quarantine=True)
    before = databases(place)
    with deferred_signals("The restore") as cancellation, pytest.raises(Interrupted) as caught:
        restore(request, LocalHost(cancellation=cancellation), Memory(), agreed)
    assert caught.value.left == "Nothing was created or changed."
    assert databases(place) == before
    assert not list(place.repository.parent.glob("*.quarantine-*"))


def test_a_signal_while_osrestore_runs_stops_it_and_tells_the_state(
    place: Place, tools: Tools
) -> None:
    """osrestore has changed nothing yet, so the quarantine is undone."""
    tools.write("osrestore", f"{LIST}kill -TERM {os.getpid()}; exec sleep 60")
    with deferred_signals("The restore") as cancellation:
        host = LocalHost(cancellation=cancellation)
        error = failure(place, Interrupted, host=host, quarantine=True)
    assert error.exit_code == 128 + signal.SIGTERM
    assert error.left == "No database was changed.\nThe extra databases are where they were."


@pytest.mark.parametrize("damage", [b"", b"damage\n"])
def test_a_manifest_that_cannot_be_written_is_a_warning(
    place: Place, monkeypatch: pytest.MonkeyPatch, backed_up: dict[str, bytes], damage: bytes
) -> None:
    """The message has the command that makes it; a damaged manifest stays."""
    with open(f"{place.master}.manifest", "ab") as file:
        file.write(damage)
    replace = writing.replace

    def refuse(path: str, *rest: Any) -> None:
        if path.endswith(".manifest"):
            raise OSError(28, "No space left on device", path)
        replace(path, *rest)

    monkeypatch.setattr(writing, "replace", refuse)
    warning = run(place, quarantine=True).warnings[-1]
    assert "No space left on device" in warning
    assert Path(f"{place.master}.manifest").read_bytes().endswith(damage)
    assert warning.endswith(f"-host localhost -rebuild -image-file localhost:{place.image}")
    assert databases(place) == backed_up


def test_a_damaged_manifest_is_kept_beside_the_new_one(place: Place) -> None:
    """The message says so; it also names a listed database elsewhere that is not in the image."""
    far = place.images / "Far.db"
    far.write_bytes(b"far")
    damaged = manifest.encode([str(far)]) + b"damage\n"
    Path(f"{place.master}.manifest").write_bytes(damaged)
    stays, kept = run(place, quarantine=True).warnings
    assert stays.startswith(f"{far} is not in the image, and stays where it is; ")
    assert stays.endswith("may not list it")
    assert Path(kept.rpartition(" ")[2]).read_bytes() == damaged
    assert far.read_bytes() == b"far"


def test_what_a_killed_csf_left_of_its_record_is_removed(place: Place) -> None:
    """Files that osrestore left there are removed, too."""
    left = place.repository / "lib.db.restore.run"
    left.mkdir()
    for name in ("pid", "started", "output", "status", "osrestore.record"):
        (left / name).touch()
    run(place, quarantine=True)
    assert not left.exists()


def test_without_locks_no_second_osrestore_is_started_beside_the_first(place: Place) -> None:
    """The message says how to end the first one, whose record stays."""
    record = place.repository / "lib.db.restore.run"
    with started(["sleep", "60"], os.devnull, None, str(record), Cancellation()):
        error = failure(place, LockBusy, quarantine=True)
        group = (record / "pid").read_text().split()[0]
    assert f"An earlier osrestore (process group {group}) is still running" in error.what
    assert f"kill -- -{group}\n" in error.next_step


def test_a_record_that_cannot_be_removed_at_the_end_is_a_warning(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The restore has succeeded."""
    left = place.repository / "lib.db.restore.run"

    def refuse(self: LocalHost, paths: Iterable[str], *, mine: bool) -> None:
        raise PermissionError(1, "Operation not permitted", *paths)

    monkeypatch.setattr(LocalHost, "remove_trees", refuse)
    (warning,) = run(place, quarantine=True).warnings
    assert warning.startswith(f"{left} could not be removed: ")


HALF = 'echo half > "$(tar -tP -f "$2" | head -n 1)"; exit 3'


def test_after_half_a_restore_there_is_no_backup_until_it_was_repeated(
    place: Place, tools: Tools, backed_up: dict[str, bytes]
) -> None:
    """The databases do not fit together; the message has the command to repeat the restore."""
    whole = (tools.directory / "osrestore").read_text()
    tools.write("osrestore", LIST + HALF)
    with pytest.raises(OsrestoreFailed):
        run(place, quarantine=True)
    request = BackupRequest.parse(place.master, f"localhost:{place.image}2")
    with pytest.raises(RepositoryIncomplete, match="has begun and not succeeded") as caught:
        back_up(request, LocalHost(), Memory())
    again = (
        f"csf admin_database_restore -database {place.master} -image-file localhost:{place.image}"
    )
    assert f"{again} -quarantine" in caught.value.next_step
    assert f"{place.master}.unfinished-restore" in caught.value.next_step
    tools.write("osrestore", "echo no; exit 1")  # nothing is restored, and all is as bad as before
    with pytest.raises(FaultFound):
        run(place, quarantine=True)
    tools.write("osrestore", f"{LIST}echo no; exit 1")
    with pytest.raises(OsrestoreFailed):
        run(place, quarantine=True)
    with pytest.raises(RepositoryIncomplete):
        back_up(request, LocalHost(), Memory())
    tools.write("osrestore", whole)
    run(place, quarantine=True)
    assert databases(place) == backed_up
    assert back_up(request, LocalHost(), Memory()).proof


def test_a_restore_that_changed_nothing_stops_no_backup(place: Place, tools: Tools) -> None:
    """All databases are unchanged."""
    tools.write("osrestore", f"{LIST}exit 1")
    failure(place, OsrestoreFailed, quarantine=True)
    assert not os.path.exists(f"{place.master}.unfinished-restore")


def test_a_mark_that_cannot_be_removed_is_reported(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mark blocks every backup; the record is removed nevertheless."""
    remove_tree = removal.remove_tree

    def refuse(path: str, **options: bool) -> None:
        if path.endswith(".unfinished-restore"):
            raise PermissionError(1, "Operation not permitted", path)
        remove_tree(path, **options)

    monkeypatch.setattr(removal, "remove_tree", refuse)
    monkeypatch.setattr(entries, "remove", refuse)
    (warning,) = run(place, quarantine=True).warnings
    assert "could not be removed, and stops every backup until it is: " in warning
    assert not os.path.exists(f"{place.master}.restore.run")


@pytest.mark.parametrize("name", [".unfinished-restore", ".restore.run"])
def test_a_removal_that_may_not_have_reached_the_disk_is_reported(
    place: Place, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """It may be that of the mark or of the record; both are removed."""
    sync_after = entries.sync_after

    def refuse(path: str, what: str) -> None:
        if path.endswith(name):
            raise HalfDone(OSError(5, "Input/output error", path), f"{path} {what}.")
        sync_after(path, what)

    monkeypatch.setattr(removal, "sync_after", refuse)
    (warning,) = run(place, quarantine=True).warnings
    assert warning == f"Input/output error; {place.master}{name} was removed"
    assert not os.path.exists(f"{place.master}.unfinished-restore")
    assert not os.path.exists(f"{place.master}.restore.run")


def test_a_record_that_cannot_be_removed_is_reported(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mark has been removed before it."""
    remove_tree = removal.remove_tree

    def refuse(path: str, **options: bool) -> None:
        if path.endswith(".restore.run"):
            raise PermissionError(1, "Operation not permitted", path)
        remove_tree(path, **options)

    monkeypatch.setattr(removal, "remove_tree", refuse)
    (warning,) = run(place, quarantine=True).warnings
    assert warning.startswith(f"{place.master}.restore.run could not be removed: ")
    assert not os.path.exists(f"{place.master}.unfinished-restore")


def test_a_mark_that_stays_after_a_failure_is_reported(
    place: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is reported even if nothing else is left, unless it was never written."""
    remove, mark = entries.remove, f"{place.master}.unfinished-restore"

    def refuse(path: str) -> None:
        if path == mark:
            raise OSError(5, "Input/output error", path)
        remove(path)

    tools.write("osrestore", f"{LIST}exit 1")
    monkeypatch.setattr(entries, "remove", refuse)
    with pytest.raises(OsrestoreFailed) as caught:
        run(place, quarantine=True)
    assert caught.value.left.endswith(
        f"\n{mark} could not be removed, and stops every backup until it is: Input/output error."
    )
    os.unlink(mark)

    def dead(path: str, *_: object) -> str:
        raise OSError(5, "Input/output error", path)

    monkeypatch.setattr(writing, "replace", dead)
    error = failure(place, BackupError, quarantine=True)
    assert error.left == "No database was changed.\nThe extra databases are where they were."


def test_an_earlier_record_that_is_a_link_goes_alone(place: Place, tmp_path: Path) -> None:
    """The link's target stays."""
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "pid").touch()
    os.symlink(tmp_path / "precious", f"{place.master}.restore.run")
    run(place, quarantine=True)
    assert os.listdir(tmp_path / "precious") == ["pid"]
    assert not os.path.lexists(f"{place.master}.restore.run")


def test_an_osrestore_that_writes_nothing_has_not_succeeded(place: Place, tools: Tools) -> None:
    """Its exit status does not matter."""
    tools.write("osrestore", f"{LIST}exit 0")
    error = failure(place, OsrestoreFailed, quarantine=True)
    assert f"{place.master} was not written" in error.what


def test_an_image_that_is_replaced_after_its_check_is_not_restored(place: Place) -> None:
    """The new image was not checked."""

    def replaced(_plan: object) -> bool:
        shutil.copy(place.image, f"{place.image}.new")
        os.replace(f"{place.image}.new", place.image)
        return True

    before = databases(place)
    request = RestoreRequest.parse(place.master, f"localhost:{place.image}", quarantine=True)
    with pytest.raises(FaultFound, match="was changed or replaced"):
        restore(request, LocalHost(), Memory(), replaced)
    assert databases(place) == before


def test_an_image_is_not_restored_into_its_own_directory(place: Place) -> None:
    """It would be overwritten, or moved away as an extra database."""
    master = f"{place.images}/lib.db"
    request = RestoreRequest.parse(master, f"localhost:{place.image}", into=str(place.images))
    before = place.tree()
    with pytest.raises(UnsafeImagePath, match="lies in the directory that is to be restored to"):
        restore(request, LocalHost(), Memory(), lambda _plan: True)
    assert place.tree() == before


def test_links_are_not_followed_into_another_directory(place: Place, tmp_path: Path) -> None:
    """Their targets may belong to another repository."""
    into = tmp_path / "into"
    into.mkdir()
    (into / "Book.db").symlink_to(place.repository / "Book.db")
    request = RestoreRequest.parse(
        f"{into}/lib.db", f"localhost:{place.image}", into=str(into), quarantine=True
    )
    before = databases(place)
    with pytest.raises(RepositoryIncomplete, match="a link"):
        restore(request, LocalHost(), Memory(), lambda _plan: True)
    assert databases(place) == before


def test_without_its_import_file_an_image_is_restored_all_the_same(
    place: Place, backed_up: dict[str, bytes]
) -> None:
    """osrestore does not need it; there is a warning."""
    os.unlink(f"{place.image}.dbn")
    (warning,) = run(place, quarantine=True).warnings
    assert warning == f"the import file {place.image}.dbn is missing"
    assert databases(place) == backed_up


def test_between_two_mounts_of_one_file_system_quarantine_is_inside(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rename between two mounts of one file system fails."""
    move = LocalHost.move

    def across(self: LocalHost, moves: Any) -> None:
        pairs = list(moves)
        if f"{place.repository}.quarantine-" in pairs[0][1]:
            raise OSError(errno.EXDEV, "Invalid cross-device link", pairs[0][0])
        move(self, pairs)

    monkeypatch.setattr(LocalHost, "move", across)
    done = run(place, quarantine=True)
    assert done.place is not None
    assert done.place.directory.startswith(f"{place.repository}/quarantine-")
    assert os.listdir(done.place.directory) == ["New.db"]
    assert not list(place.repository.parent.glob("repository.quarantine-*"))


def test_a_move_that_fails_otherwise_is_undone(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The restore is not carried out."""

    def refuse(_self: LocalHost, moves: Any) -> None:
        if [*moves]:
            raise OSError(errno.EIO, "Input/output error", "New.db")

    monkeypatch.setattr(LocalHost, "move", refuse)
    failure(place, BackupError, quarantine=True)


def test_what_an_earlier_restore_moved_away_is_reported(place: Place) -> None:
    """Somebody may look for those databases."""
    first = run(place, quarantine=True).place
    assert first is not None
    (place.repository / "Later.db").write_bytes(b"later")
    (warning,) = run(place, quarantine=True).warnings
    assert warning == f"{first.directory} has what an earlier restore moved away"


def test_a_machine_without_flock_is_told_what_that_means_to_a_restore(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is restored nevertheless."""
    monkeypatch.setattr(LockFile, "is_freed", False)
    (warning,) = run(place, quarantine=True).warnings
    assert warning.startswith("there is no flock(1), so osrestore does not hold")


def test_what_osrestore_leaves_in_its_working_directory_goes(place: Place, tools: Tools) -> None:
    """It is removed after a failure, too."""
    leave = ": > osrestore.record; mkdir d; : > d/f"
    tools.write("osrestore", f"{LIST}{leave}; exit 3")
    failure(place, OsrestoreFailed, quarantine=True)
    tools.write("osrestore", f'{LIST}{leave}; exec tar -xP -f "$2"')
    run(place, quarantine=True)
    assert not os.path.lexists(f"{place.master}.restore.run")


@pytest.mark.parametrize("kind", ["file", "directory"])
def test_what_a_killed_run_owes_is_settled_last(place: Place, kind: str) -> None:
    """Servers must not run during the restore; their state is reported in any case."""
    debt = Path(f"{place.master}.quiesced")
    if kind == "file":
        debt.write_bytes(b"of an older version")
    else:
        debt.mkdir()
    restored = run(place, quarantine=True)
    (told,) = [text for text in restored.warnings if str(debt) in text]
    assert ("cannot be read" if kind == "file" else "is not known") in told
    assert not os.path.exists(f"{place.master}.unfinished-restore")
