"""A backup from lock to receipt, with utilities that are not the simulator's."""

from __future__ import annotations

import errno
import os
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import pytest

from csf_backup_plugin.cancellation import SIGNALS, Cancellation, deferred_signals
from csf_backup_plugin.errors import (
    NOTHING_LEFT,
    BackupError,
    HostUnreachable,
    ImageExists,
    ImageUnproven,
    Interrupted,
    LockBusy,
    NoSpace,
    OsbackupFailed,
    RepositoryIncomplete,
    RepositoryNotFound,
    TimedOut,
    UnsafeImagePath,
)
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.hosts.local import appending, entries, reading, syncing, writing
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.hosts.local.job import Job
from csf_backup_plugin.hosts.local.lock_file import LockFile
from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.operations.backup import Backup, back_up, site
from csf_backup_plugin.operations.backup.request import BackupRequest
from csf_backup_plugin.operations.prove import prove as prove_image
from csf_backup_plugin.operations.prove.request import ProveRequest
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.manifest_lines import encode_lines
from csf_backup_plugin.system_errors import HalfDone
from doubles import Memory, last_first

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from conftest import Place, Tools

    from csf_backup_plugin.hosts.protocol.values import Completed
    from csf_backup_plugin.repository.manifest import Manifest

pytestmark = pytest.mark.usefixtures("tools")


def run(
    place: Place,
    listener: Memory | None = None,
    host: LocalHost | None = None,
    **options: Any,
) -> Backup:
    """Back the place's repository up."""
    request = BackupRequest.parse(place.master, f"localhost:{place.image}", **options)
    return back_up(request, host or LocalHost(), listener or Memory())


def tree(place: Place) -> dict[str, bytes]:
    """Return every file; of the lock file, which names its last holder, only that it exists."""
    files = place.tree()
    return {path: b"" if path.endswith(".lock") else data for path, data in files.items()}


def failure(place: Place, kind: type[BackupError], **options: Any) -> BackupError:
    """Return how a backup fails; check that nothing of it is left."""
    before = tree(place)
    with pytest.raises(kind) as caught:
        run(place, **options)
    assert tree(place) == before
    return caught.value


def read_receipt(place: Place) -> dict[str, Any]:
    """Return what the image's receipt says."""
    with open(f"{place.image}.receipt.json", "rb") as file:
        return sealed_json.decode(file.read())


def recorded(place: Place) -> Manifest:
    """Return what the manifest says."""
    with open(f"{place.master}.manifest", "rb") as file:
        return manifest.decode(file.read())


def test_a_backup_leaves_image_import_file_receipt_and_manifest(place: Place) -> None:
    """The result describes what was made."""
    made = run(place)
    with open(f"{place.image}.dbn") as file:
        assert file.read().splitlines() == [place.master, str(place.repository / "Book.db")]
    with open(f"{place.master}.manifest", "rb") as journal:
        assert manifest.decode(journal.read()).names == ("lib.db", "Book.db")
    with open(f"{place.image}.receipt.json", "rb") as proof:
        facts = sealed_json.decode(proof.read())
    assert made.proof is not None
    digest = reading.digest(place.image, lambda _: None, Cancellation())
    assert (facts["image_bytes"], facts["image_sha256"]) == digest == made.proof[:2]
    assert facts["image_bytes"] == os.path.getsize(place.image)
    assert list(facts["databases"]) == [str(place.repository / "Book.db"), place.master]


def test_osbackup_is_called_once_for_all_databases_with_nothing_to_read(
    place: Place, tools: Tools
) -> None:
    """It is called as the original description says."""
    run(place)
    assert tools.calls == [["-a", "-I", f"{place.image}.dbn", "-f", place.image]]
    assert (tools.directory / "osbackup.stdin").read_bytes() == b""


def test_a_dry_run_returns_what_would_be_and_leaves_nothing(place: Place, tools: Tools) -> None:
    """Not even a lock file is made."""
    before = place.tree()
    assert run(place, dry_run=True).proof is None
    assert place.tree() == before
    assert tools.calls == []


def without(monkeypatch: pytest.MonkeyPatch, way: str, **lacking: Any) -> None:
    """Take a permission away from this user, for every path, in `stat` or `look`."""
    ask = getattr(LocalHost, way)

    def told(host: LocalHost, paths: Iterable[str]) -> list[Any]:
        return [one._replace(**lacking) for one in ask(host, paths)]

    monkeypatch.setattr(LocalHost, way, told)


def test_a_dry_run_fails_where_osbackup_could_not_read(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only osbackup itself knows for certain, so a real run tries it."""
    without(monkeypatch, "stat", readable=False)
    assert "lib.db" in failure(place, OsbackupFailed, dry_run=True).what
    assert run(place).proof


def test_a_dry_run_of_what_may_only_be_read_foretells_the_warnings(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It warns that neither lock file nor manifest can be made."""
    without(monkeypatch, "look", writable=False)
    monkeypatch.setattr(site, "_check_directory", lambda *_: None)
    told = [text for text in run(place, dry_run=True).warnings if "(Permission denied)" in text]
    assert [text.split(place.master)[0] for text in told] == ["the lock file ", "the manifest "]


def test_a_lock_file_that_cannot_be_made_is_a_warning(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a lock file exists, somebody may hold it, and the backup is refused."""

    def denied(_host: LocalHost, path: str, *_: object, create: bool) -> NoReturn:
        raise PermissionError(errno.EACCES, "Permission denied", path if create else None)

    monkeypatch.setattr(LocalHost, "lock", denied)
    assert any("of another user during this backup" in text for text in run(place).warnings)
    Path(f"{place.master}.lock").touch()
    with pytest.raises(BackupError, match="Permission denied"):
        run(place)


def test_progress_is_reported_in_bytes(place: Place) -> None:
    """First the growth of the image is reported, then the progress of the checksum."""
    listener = Memory()
    run(place, listener)
    assert {phase for phase, _, _ in listener.steps} == {"backing up", "checking"}
    assert listener.steps[-1] == ("checking", *[os.path.getsize(place.image)] * 2)


def test_a_missing_master_is_refused_before_a_lock_is_taken(place: Place) -> None:
    """Without a master database there is nothing to lock."""
    os.unlink(place.master)
    failure(place, RepositoryNotFound)


def test_a_locked_repository_is_refused_and_the_wait_announced(place: Place) -> None:
    """A dry run waits for the lock and is refused, too."""
    with LocalHost().lock(f"{place.master}.lock", "class_create", 0, print):
        for dry_run in (False, True):
            listener = Memory()
            with pytest.raises(LockBusy, match="csf class_create"):
                run(place, listener, wait=0.1, dry_run=dry_run)
            assert listener.notes[0].startswith("waiting up to 0.1 s for csf class_create")


def test_a_lock_that_may_be_held_unseen_is_a_refusal(place: Place) -> None:
    """A backup without a lock is made only where no lock file can exist."""
    os.mkdir(f"{place.master}.lock")
    with pytest.raises(BackupError, match="lib.db.lock on localhost"):
        run(place)
    assert not os.path.exists(place.image)


def test_an_osbackup_that_fails_leaves_nothing_and_its_words_are_reported(
    place: Place, tools: Tools
) -> None:
    """A partial image is removed, too."""
    tools.write("osbackup", 'echo part > "$5"; echo "<err-0001-0040>no (err_x)" >&2; exit 1')
    error = failure(place, OsbackupFailed)
    assert "<err-0001-0040>no (err_x)" in str(error)
    assert "was removed" in error.left


def test_what_an_osbackup_may_still_write_stays(
    place: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If osbackup cannot be ended, its image stays: removed, it would still take up room."""
    tools.write("osbackup", ': > "$5"; exit 3')
    monkeypatch.setattr(LockFile, "is_left", True)
    with pytest.raises(OsbackupFailed) as caught:
        run(place)
    assert caught.value.left.startswith("osbackup could not be ended on localhost, and may still")
    assert f"{place.image}.dbn, {place.image}, " in caught.value.left
    assert "admin_database_prove" in caught.value.next_step
    assert os.path.exists(place.image)
    assert os.path.exists(f"{place.image}.run/pid")


def test_an_osbackup_that_cannot_be_started_leaves_nothing(place: Place, tools: Tools) -> None:
    """The message names the program."""
    tools.write("osbackup", "#!/nonexistent/interpreter\n")
    assert str(tools.directory / "osbackup") in failure(place, OsbackupFailed).what


def test_a_disk_too_full_to_start_osbackup_is_a_full_disk(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is not reported as a failure of osbackup."""

    def full(*_: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", f"{place.image}.run")

    monkeypatch.setattr(LocalHost, "start", full)
    assert f"{place.image}.run" in failure(place, NoSpace).what


def test_a_record_of_another_run_is_left_alone(place: Place, tools: Tools) -> None:
    """The record is the only trace of how the other run ended."""
    os.mkdir(f"{place.image}.run")
    assert f"{place.image}.run exists" in failure(place, ImageExists).what
    assert tools.calls == []
    assert os.path.isdir(f"{place.image}.run")


def test_an_osbackup_that_does_not_end_is_stopped(place: Place, tools: Tools) -> None:
    """After that the lock is free again."""
    tools.write("osbackup", 'echo part > "$5"; exec sleep 60')
    assert "within 0 s" in failure(place, TimedOut, timeout=0.3).what
    with LocalHost().lock(f"{place.master}.lock", "x", 0, print):
        pass


@pytest.mark.parametrize(
    "script", ["exit 0", ': > "$5"', 'echo nonsense > "$5"', 'tar -cPf "$5" "$3"']
)
def test_an_osbackup_that_lies_is_found_out_by_the_proof(
    place: Place, tools: Tools, script: str
) -> None:
    """There may be no image, an empty or unreadable one, or one with other databases."""
    tools.write("osbackup", script)
    failure(place, ImageUnproven)


@pytest.mark.parametrize("signum", SIGNALS)
def test_a_signal_stops_osbackup_and_leaves_nothing(
    place: Place, tools: Tools, signum: signal.Signals
) -> None:
    """The exit code is that of a shell for the signal."""
    tools.write(
        "osbackup", f'echo part > "$5"; kill -{signum.name[3:]} {os.getpid()}; exec sleep 60'
    )
    with deferred_signals("It") as cancellation:
        host = LocalHost(cancellation=cancellation)
        assert failure(place, Interrupted, host=host).exit_code == 128 + signum


def test_a_signal_before_the_first_file_creates_nothing(place: Place, tools: Tools) -> None:
    """The message says that nothing was created."""
    with deferred_signals("It") as cancellation:
        os.kill(os.getpid(), signal.SIGTERM)
        host = LocalHost(cancellation=cancellation)
        assert "Nothing was created" in str(failure(place, Interrupted, host=host))
    assert tools.calls == []


def test_two_backups_to_one_image_cannot_both_pass(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second one finds the first one's import file, even after its preflight."""
    create = writing.create

    def beaten(path: str, data: bytes) -> None:
        if path.endswith(".dbn") and not os.path.exists(path):
            create(path, b"another run's\n")
        create(path, data)

    monkeypatch.setattr(writing, "create", beaten)
    with pytest.raises(ImageExists, match=r"a\.img\.dbn appeared just now"):
        run(place)
    assert place.tree()[f"{place.image}.dbn"] == b"another run's\n"
    assert not os.path.exists(place.image)


def test_a_full_disk_under_the_import_file_leaves_nothing(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The exit code is the one for too little space."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", f"{place.image}.dbn")

    monkeypatch.setattr(writing, "create", full)
    assert failure(place, NoSpace).exit_code == ExitCode.NO_SPACE


def test_a_receipt_that_cannot_be_written_takes_the_image_with_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a receipt the image would not count as a backup."""

    def full(path: str, *_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", path)

    monkeypatch.setattr(writing, "publish", full)
    failure(place, NoSpace)


def test_a_manifest_that_cannot_be_made_is_a_warning(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backup is proven and kept."""
    publish = writing.publish

    def full(path: str, data: bytes, like: str | None = None) -> None:
        if path.endswith(".manifest"):
            raise OSError(errno.ENOSPC, "No space left on device", path)
        publish(path, data, like)

    monkeypatch.setattr(writing, "publish", full)
    made = run(place)
    why = "lib.db.manifest cannot be written (No space left on device): this image has no number"
    assert why in made.warnings[-1]
    assert (made.origin.id, made.origin.number) == (None, None)
    assert read_receipt(place)["number"] is read_receipt(place)["repository_id"] is None
    assert not os.path.exists(f"{place.master}.manifest")


def test_a_manifest_that_was_half_made_is_told_of_a_backup_that_fails(
    place: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the failure, the message still has the warning about the manifest."""
    left = f"{place.master}.manifest was made, and could not be removed again."

    def half(path: str, *_: object) -> str:
        raise HalfDone(OSError(errno.EIO, "Input/output error", path), left)

    monkeypatch.setattr(writing, "publish", half)
    tools.write("osbackup", "exit 1")
    with pytest.raises(OsbackupFailed) as caught:
        run(place)
    assert caught.value.left == f"What this run had created was removed. {left}"


def test_a_manifest_that_cannot_be_appended_to_is_a_warning(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receipt has the number, and the next backup gets another one."""
    first = run(place).origin
    (place.repository / "New.db").write_bytes(b"new")

    def full(path: str, _lines: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", path)

    with monkeypatch.context() as patch:
        patch.setattr(appending, "append", full)
        place.image += "2"
        made = run(place)
    number, update = made.warnings[-2:]
    assert (
        "lib.db.manifest cannot be written (No space left on device): the number 2 is not" in number
    )
    assert "lib.db.manifest was not updated: No space left on device" in update
    assert (made.origin.id, made.origin.number) == (first.id, 2)
    assert read_receipt(place)["number"] == 2
    assert recorded(place).number == 1
    place.image += "3"
    assert run(place).origin.number == 3
    assert recorded(place).number == 3


def test_each_backup_of_a_repository_has_a_number_of_its_own(place: Place) -> None:
    """The number is in the manifest, in the receipt and in the result."""
    ids = set()
    for number in (1, 2, 3):
        place.image = str(place.images / f"{number}.img")
        made = run(place)
        facts, manifest_says = read_receipt(place), recorded(place)
        assert made.origin.number == facts["number"] == manifest_says.number == number
        assert manifest_says.backups[place.image] == number
        assert manifest_says.identity is not None
        assert manifest_says.identity.id == made.origin.id == facts["repository_id"]
        assert (facts["settled"], manifest_says.identity.master) == (True, place.master)
        ids.add(made.origin.id)
    assert len(ids) == 1


@pytest.mark.parametrize("earlier", [False, True])
def test_the_number_is_in_the_manifest_before_osbackup_begins(
    place: Place, tools: Tools, *, earlier: bool
) -> None:
    """No other backup gets the number, whatever happens to this process."""
    if earlier:
        run(place)
        place.image += "2"
    osbackup = (tools.directory / "osbackup").read_text().partition("\n")[2]
    tools.write("osbackup", f'cp "{place.master}.manifest" "$0.manifest"\n{osbackup}')
    run(place)
    then = manifest.decode((tools.directory / "osbackup.manifest").read_bytes())
    assert then == recorded(place)
    assert then.backups[place.image] == 1 + earlier


def test_a_backup_that_fails_has_used_its_number_up_and_says_so(place: Place, tools: Tools) -> None:
    """The next backup gets another number, and the databases are unchanged."""
    run(place)
    before = tree(place)
    place.image += "2"
    whole = (tools.directory / "osbackup").read_text()
    tools.write("osbackup", "exit 1")
    with pytest.raises(OsbackupFailed) as caught:
        run(place)
    manifest_path = f"{place.master}.manifest"
    assert caught.value.left == (
        f"What this run had created was removed. The number 2 is used up in {manifest_path}."
    )
    after = tree(place)
    assert after.pop(manifest_path) != before.pop(manifest_path)
    assert after == before
    assert recorded(place).number == 2
    tools.write("osbackup", whole)
    assert run(place).origin.number == 3


def test_a_backup_that_is_refused_uses_no_number(place: Place) -> None:
    """A refused backup has not begun."""
    run(place)
    assert failure(place, ImageExists).left == NOTHING_LEFT
    place.image += "2"
    assert run(place, dry_run=True).origin.number == 2
    assert recorded(place).number == 1


@pytest.mark.parametrize("operation", ["publish", "append"])
def test_a_host_that_is_gone_when_the_number_is_written_may_have_it(
    place: Place, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    """Whatever may exist there is removed, or named in the message."""
    if operation == "append":
        run(place)
        place.image += "2"
    before, original = tree(place), getattr(LocalHost, operation)

    def cut(self: LocalHost, path: str, *rest: Any, **options: Any) -> None:
        original(self, path, *rest, **options)
        if path.endswith(".manifest"):
            raise HostUnreachable("Host db1 cannot be reached.", "Look.")

    monkeypatch.setattr(LocalHost, operation, cut)
    with pytest.raises(HostUnreachable) as caught:
        run(place)
    assert tree(place) == before or f"{place.master}.manifest" in caught.value.left


def test_where_the_manifest_is_lost_receipts_tell_what_it_said(place: Place) -> None:
    """Id, number and databases, also those elsewhere, come from the receipts, with a warning."""
    far = place.images.parent / "far.db"
    far.write_bytes(b"far")
    run(place)
    with open(f"{place.master}.manifest", "ab") as file:
        file.write(encode_lines([str(far)]))
    place.image += "2"
    second = run(place)
    os.unlink(f"{place.master}.manifest")
    place.image += "3"
    made = run(place)
    assert (made.origin.id, made.origin.number) == (second.origin.id, 3)
    assert str(far) in made.plan.found.coverage.paths
    assert sorted(recorded(place).names) == sorted(["lib.db", "Book.db", str(far)])
    (told,) = [text for text in made.warnings if "does not say which repository" in text]
    assert told.endswith(f"from the receipt of localhost:{place.image[:-1]}, backup 2")


def test_a_lost_database_is_noticed_although_the_manifest_is_lost_too(place: Place) -> None:
    """The receipt still lists the database."""
    run(place)
    os.unlink(f"{place.master}.manifest")
    os.unlink(place.repository / "Book.db")
    place.image += "2"
    error = failure(place, RepositoryIncomplete)
    assert f"{place.repository}/Book.db" in error.what


def test_a_repository_that_was_moved_is_backed_up_and_reported(place: Place) -> None:
    """Its images are kept apart until the user says whether it was moved or copied."""
    first = run(place)
    was, place.repository = place.repository, place.repository.parent / "moved"
    was.rename(place.repository)
    place.master = str(place.repository / "lib.db")
    place.image += "2"
    made = run(place)
    assert (made.origin.id, made.origin.settled) == (first.origin.id, False)
    assert read_receipt(place)["settled"] is False
    (told,) = [text for text in made.warnings if "was moved or copied" in text]
    assert f"the path was {was}/lib.db and is {place.master}" in told
    assert f"-database {place.master} -host localhost -rebuild -moved" in told
    assert f"-database {place.master} -host localhost -rebuild -copied" in told


def test_what_links_lead_to_is_backed_up_and_reported(place: Place, tools: Tools) -> None:
    """Receipt, import file and manifest have the resolved paths of the databases."""
    root, master, image = place.images.parent, place.master, place.image
    (root / "r").symlink_to(place.repository)
    (root / "i").symlink_to(place.images)
    place.master, place.image = f"{root}/r/../r/lib.db", f"{root}/i/a.img"
    listener = Memory()
    made = run(place, listener)
    assert listener.notes[:2] == [
        f"{place.master} is {master}",
        f"localhost:{place.image} is localhost:{image}",
    ]
    assert (made.request.repository.master, made.request.image.path) == (master, image)
    assert tools.calls == [["-a", "-I", f"{image}.dbn", "-f", image]]
    facts = read_receipt(place)
    assert (facts["master"], facts["image"]) == (master, image)
    assert master in facts["databases"]


def test_a_link_to_the_images_leaves_the_lock_as_it_is(place: Place) -> None:
    """What is looked at again is looked at under the same lock; a refusal removes its file."""
    link = place.images.parent / "i"
    link.symlink_to(place.images)
    place.image = f"{link}/a.img"
    assert run(place).request.image.path == f"{place.images}/a.img"
    os.unlink(f"{place.master}.lock")
    link.unlink()
    link.symlink_to(place.repository)
    place.image = f"{link}/b.img"
    assert "inside the repository" in failure(place, UnsafeImagePath).what
    assert not os.path.exists(f"{place.master}.lock")


def test_a_path_that_leads_elsewhere_only_at_the_moment_of_the_lock_is_locked(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk may be mounted just then: no backup runs without the lock, and without a warning."""
    real, asked = os.path.realpath, list[str]()

    def once(path: str, **options: Any) -> str:
        asked.append(path)
        return "/elsewhere" if asked == [place.master] else real(path, **options)

    monkeypatch.setattr(os.path, "realpath", once)
    made = run(place)
    assert os.path.exists(f"{place.master}.lock")
    assert not [text for text in made.warnings if "lock" in text]


def test_a_master_that_is_a_link_is_none(place: Place) -> None:
    """The other databases lie beside the link's target."""
    (place.images / "lib.db").symlink_to(place.master)
    master, place.master = place.master, str(place.images / "lib.db")
    error = failure(place, RepositoryNotFound)
    assert f"it is a link to {master}" in error.what


def test_the_receipt_tells_the_machine_the_clock_and_the_mounts(place: Place) -> None:
    """A restore compares them with those of the host."""
    before = LocalHost().machine()
    run(place)
    after, facts = LocalHost().machine(), read_receipt(place)
    assert (facts["machine_id"], facts["machine"]) == (before.id, before.name)
    assert before.now <= facts["started"] <= facts["finished"] <= after.now
    directories = [str(place.repository), str(place.images)]
    looked = dict(zip(directories, LocalHost().look(directories), strict=True))
    assert facts["mounts"] == {path: at.mount for path, at in looked.items()}
    assert all(facts["mounts"].values())


@pytest.mark.parametrize("suffix", ["", ".receipt.json"])
def test_a_file_that_comes_between_pre_flight_and_claim_is_not_ours_to_touch(
    place: Place, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """The claim is followed by a second look at the image's files."""
    create = writing.create

    def beaten(path: str, data: bytes) -> None:
        create(path, data)
        with open(place.image + suffix, "w") as file:
            file.write("precious")

    monkeypatch.setattr(writing, "create", beaten)
    with pytest.raises(ImageExists):
        run(place)
    assert os.listdir(place.images) == [os.path.basename(place.image + suffix)]
    assert place.tree()[place.image + suffix] == b"precious"


def test_a_directory_that_takes_the_records_name_during_the_run_is_not_removed(
    place: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A failed run removes only what it has created."""
    start = LocalHost.start

    def beaten(
        self: LocalHost,
        argv: list[str],
        watched: str,
        lock: Any,
        record: str,
        *rest: Any,
        **note: Any,
    ) -> Any:
        os.mkdir(record)
        with open(f"{record}/precious", "w"):
            return start(self, argv, watched, lock, record, *rest, **note)

    monkeypatch.setattr(LocalHost, "start", beaten)
    with pytest.raises(ImageExists, match=f"{place.image}.run appeared just now"):
        run(place)
    assert os.listdir(place.images) == ["a.img.run"]
    assert os.listdir(f"{place.image}.run") == ["precious"]
    assert tools.calls == []


def test_a_receipt_that_appears_during_the_run_is_not_replaced(place: Place, tools: Tools) -> None:
    """The image of the run is removed; the receipt of somebody else stays."""
    tools.write("osbackup", 'echo precious > "$5.receipt.json"; exec tar -cPf "$5" -T "$3"')
    with pytest.raises(BackupError):
        run(place)
    assert os.listdir(place.images) == ["a.img.receipt.json"]
    assert place.tree()[f"{place.image}.receipt.json"] == b"precious\n"


@pytest.mark.parametrize("script", ['rm "$3"', 'echo /else.db >> "$3"'])
def test_an_osbackup_that_meddles_with_the_import_file_is_found_out(
    place: Place, tools: Tools, script: str
) -> None:
    """The remaining list must be the list of what was backed up."""
    tools.write("osbackup", f'tar -cPf "$5" -T "$3"; {script}')
    assert "import file" in failure(place, ImageUnproven).what


@pytest.mark.parametrize("together", [LocalHost.together, last_first])
def test_an_image_that_still_grows_is_found_out(
    place: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch, together: Callable[..., Any]
) -> None:
    """osbackup may leave a daemon that writes, whatever the order of the host's work."""
    digest = reading.digest
    monkeypatch.setattr(LocalHost, "together", together)

    def late(path: str, *rest: Any) -> tuple[int, str]:
        with open(path, "ab") as file:
            file.write(b"more")
        return digest(path, *rest)

    monkeypatch.setattr(reading, "digest", late)
    assert "still being written" in failure(place, ImageUnproven).what


def test_a_database_that_cannot_be_looked_at_stops_the_backup(
    place: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The database exists, and would be missing from the image."""
    stat = os.stat

    def failing(path: Any, **options: Any) -> os.stat_result:
        if str(path).endswith("Book.db"):
            raise OSError(errno.EIO, "Input/output error", path)
        return stat(path, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", failing)
        with pytest.raises(BackupError, match=r"Input/output error: .*Book\.db on localhost"):
            run(place)
    assert tools.calls == []


def test_a_receipt_that_can_be_neither_kept_nor_removed_is_named(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backup has failed, and the message names the receipt that stays."""
    publish, remove, path = writing.publish, entries.remove, f"{place.image}.receipt.json"

    def published(at: str, *rest: Any) -> str:
        lost = publish(at, *rest)
        if at == path:
            left = f"{at} was made, and could not be removed again."
            raise HalfDone(OSError(5, "Input/output error", at), left)
        return lost

    def refuse(at: str) -> None:
        if at == path:
            raise OSError(5, "Input/output error", at)
        remove(at)

    monkeypatch.setattr(writing, "publish", published)
    monkeypatch.setattr(entries, "remove", refuse)
    with pytest.raises(BackupError) as caught:
        run(place)
    assert f"could not all be removed: {path} (Input/output error)." in caught.value.left
    assert os.listdir(place.images) == ["a.img.receipt.json"]


def test_the_claim_goes_last_when_a_run_fails(
    place: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While the image exists, its claim and the repository's lock are held."""
    tools.write("osbackup", 'echo part > "$5"; exit 1')
    removed = []
    remove = entries.remove

    def noted(path: str) -> None:
        with pytest.raises(LockBusy), LocalHost().lock(f"{place.master}.lock", "x", 0, print):
            pass
        removed.append(path)
        remove(path)

    monkeypatch.setattr(entries, "remove", noted)
    failure(place, OsbackupFailed)
    assert removed[-2:] == [place.image, f"{place.image}.dbn"]


def test_the_image_is_on_the_disk_before_the_receipt_says_so(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image is fsynced first, then its directory, then the receipt is written."""
    steps: list[str] = []
    sync, publish = entries.sync, writing.publish

    def synced(path: str) -> bool:
        steps.append(path)
        return sync(path)

    def published(path: str, *rest: Any) -> str:
        steps.append(path)
        return publish(path, *rest)

    monkeypatch.setattr(entries, "sync", synced)
    monkeypatch.setattr(syncing, "sync", synced)
    monkeypatch.setattr(writing, "publish", published)
    run(place)
    own = [step for step in steps if step.startswith(place.image) and ".run" not in step]
    assert own == [place.image, f"{place.image}.receipt.json"]
    assert steps[steps.index(place.image) + 1] == str(place.images)


def test_a_growing_repository_is_backed_up_whole_each_time(place: Place) -> None:
    """A new database is in the next image and in the manifest, and is reported."""
    run(place)
    (place.repository / "New.db").write_bytes(b"new")
    place.image += "2"
    made = run(place)
    assert str(place.repository / "New.db") in made.plan.found.coverage.paths
    assert any("New.db was not in the manifest" in warning for warning in made.warnings)
    place.image += "3"
    assert not any("manifest" in warning for warning in run(place).warnings)


def test_a_record_that_cannot_be_removed_costs_no_backup(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A warning names the record."""

    def refuse(_: LocalHost, paths: Iterable[str], *, mine: bool) -> None:
        raise PermissionError(1, "Operation not permitted", *paths)

    monkeypatch.setattr(LocalHost, "remove_trees", refuse)
    (warning,) = [text for text in run(place).warnings if "could not be removed" in text]
    assert warning.startswith(f"{place.image}.run could not be removed: ")
    assert os.path.exists(f"{place.image}.receipt.json")


def test_a_receipt_that_may_have_been_written_is_removed_with_the_rest(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its image, a receipt must not exist."""
    publish = LocalHost.publish

    def cut(self: LocalHost, path: str, data: bytes, like: str | None = None) -> None:
        publish(self, path, data, like)
        if path.endswith(".receipt.json"):
            raise HostUnreachable("Host db1 cannot be reached.", "Look.")

    monkeypatch.setattr(LocalHost, "publish", cut)
    failure(place, HostUnreachable)
    assert os.listdir(place.images) == []


@pytest.mark.parametrize("code", [0, 3])
def test_what_osbackup_leaves_in_its_working_directory_goes(
    place: Place, tools: Tools, code: int
) -> None:
    """Files of any name and kind are removed, but not the targets of links."""
    leave = f": > osbackup.record; mkdir d; : > d/f; ln -s '{place.repository}' link; mkfifo pipe"
    make = (tools.directory / "osbackup").read_text().replace("exec tar", f"{leave}; tar")
    tools.write("osbackup", f"{make}\nexit {code}")
    if code:
        failure(place, OsbackupFailed)
    else:
        run(place)
    assert not os.path.lexists(f"{place.image}.run")
    assert os.path.exists(place.master)


def test_a_machine_without_flock_is_told_what_that_means(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backup is as good as any other, but a warning says what is missing."""
    monkeypatch.setattr(LockFile, "is_freed", False)
    (warning,) = [text for text in run(place).warnings if "flock" in text]
    assert warning.startswith("there is no flock(1), so osbackup does not hold")


def test_a_host_that_is_lost_while_osbackup_runs_names_prove(
    place: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """osbackup continues there, and may succeed."""

    def lost(*_: object, **__: object) -> None:
        raise HostUnreachable("Host localhost cannot be reached.", "Find out why.")

    for name in ("start", "remove", "remove_trees"):
        monkeypatch.setattr(LocalHost, name, lost)
    with pytest.raises(HostUnreachable) as caught:
        run(place)
    assert caught.value.next_step.startswith("Find out why.\nosbackup may still run there.")
    prove = f"csf admin_database_prove -image-file localhost:{place.image}"
    assert caught.value.next_step.endswith(prove)


def test_a_lock_that_is_lost_during_a_cut_costs_no_image(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another command, which has the lock now, may be proving that image."""
    Path(f"{place.master}.lock").touch()  # the file stays if another command holds it
    poll = Job.poll

    def locked(job: Job) -> tuple[Completed | None, int]:
        completed, size = poll(job)
        if completed:
            raise LockBusy("The repository is locked: x is held by y.", "Run it again.")
        return completed, size

    monkeypatch.setattr(Job, "poll", locked)
    with pytest.raises(LockBusy) as caught:
        run(place)
    made = [f"{place.image}.dbn", place.image, f"{place.master}.manifest", f"{place.image}.run"]
    assert caught.value.what.startswith("The lock was lost while the connection was cut. The repo")
    assert all(path in caught.value.left and os.path.exists(path) for path in made)
    prove = f"csf admin_database_prove -image-file localhost:{place.image}"
    assert caught.value.next_step.endswith(prove)
    assert prove_image(
        ProveRequest.parse(f"localhost:{place.image}"), LocalHost(), Memory()
    ).written


def test_a_first_backup_that_fails_keeps_what_others_added_to_its_manifest(
    place: Place, tools: Tools
) -> None:
    """A csf that ignores the lock may have created a class in the meantime."""
    path = f"{place.master}.manifest"
    added = encode_lines(["New.db"]).decode()
    tools.write("osbackup", f"cat >> {path} <<'END'\n{added}END\nexit 1")
    with pytest.raises(OsbackupFailed) as caught:
        run(place)
    assert recorded(place).names == ("lib.db", "Book.db", "New.db")
    assert caught.value.left == (
        f"What this run had created was removed. The number 1 is used up in {path}."
    )
    assert not os.path.lexists(place.image)


def test_what_a_run_owes_is_found_with_all_else_and_settled_before(place: Place) -> None:
    """As the call may take long, everything else is examined again after it."""
    debt = Path(f"{place.master}.quiesced")
    debt.write_bytes(b"of an older version")
    made = run(place)
    (told,) = [text for text in made.warnings if str(debt) in text]
    assert told.startswith(f"{debt} on localhost cannot be read, so the `end`")


def test_a_record_that_stays_keeps_neither_the_receipt_nor_what_was_found(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of the warnings is reported separately."""
    run(place)
    (place.repository / "New.db").write_bytes(b"new")
    place.image += "2"

    def refuse(_host: LocalHost, paths: Iterable[str], **_: bool) -> NoReturn:
        raise PermissionError(errno.EPERM, "Not allowed", *paths)

    monkeypatch.setattr(LocalHost, "remove_trees", refuse)
    made = run(place)
    assert f"{place.image}.run could not be removed: Not allowed" in made.warnings
    assert "New.db" in recorded(place).names
    assert os.path.exists(f"{place.image}.receipt.json")


def test_a_signal_while_the_number_is_written_may_have_used_it_up(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says so, and the claim is removed or named."""
    run(place)
    place.image += "2"

    def signalled(_host: LocalHost, path: str, _lines: bytes) -> NoReturn:
        raise HostUnreachable(f"The connection was cut at {path}.", "Look.")

    monkeypatch.setattr(LocalHost, "append", signalled)
    with pytest.raises(HostUnreachable) as caught:
        run(place)
    assert caught.value.left == (
        f"The number 2 may be used up in {place.master}.manifest. It is not known whether "
        f"{place.image}.dbn, {place.master}.manifest was written on localhost."
    )
