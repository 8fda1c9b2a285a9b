"""A backup from lock to receipt, with utilities that know nothing of the simulator."""

from __future__ import annotations

import errno
import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from csf_backup_plugin import interrupts, manifest, receipt
from csf_backup_plugin.backup import Backup, back_up
from csf_backup_plugin.backup.request import BackupRequest
from csf_backup_plugin.errors import (
    BackupError,
    ExitCode,
    HostUnreachable,
    ImageExists,
    ImageUnproven,
    Interrupted,
    LockBusy,
    NoSpace,
    OsbackupFailed,
    RepositoryNotFound,
    TimedOut,
)
from csf_backup_plugin.hosts.local import LocalHost, reading, writing
from doubles import Memory

if TYPE_CHECKING:
    from conftest import Place, Tools

pytestmark = pytest.mark.usefixtures("tools")


def run(place: Place, watcher: Memory | None = None, **options: Any) -> Backup:
    """Back the place's repository up."""
    request = BackupRequest.parse(place.master, f"localhost:{place.image}", **options)
    return back_up(request, LocalHost(), watcher or Memory())


def failure(place: Place, kind: type[BackupError], **options: Any) -> BackupError:
    """Return how a backup fails, having made sure that nothing is left of it."""
    before = place.tree()
    with pytest.raises(kind) as caught:
        run(place, **options)
    assert place.tree() == before
    return caught.value


def test_a_backup_leaves_image_import_file_receipt_and_manifest(place: Place) -> None:
    """And tells what it did."""
    made = run(place)
    with open(f"{place.image}.dbn") as file:
        assert file.read().splitlines() == [place.master, str(place.repository / "Book.db")]
    with open(f"{place.master}.manifest", "rb") as journal:
        assert manifest.decode(journal.read()).names == ("lib.db", "Book.db")
    with open(f"{place.image}.receipt.json", "rb") as proof:
        facts = receipt.decode(proof.read())
    assert made.proof is not None
    digest = reading.digest(place.image, lambda _: None)
    assert (facts["image_bytes"], facts["image_sha256"]) == digest == made.proof
    assert facts["image_bytes"] == os.path.getsize(place.image)
    assert list(facts["databases"]) == [str(place.repository / "Book.db"), place.master]


def test_osbackup_is_called_once_for_all_databases_with_nothing_to_read(
    place: Place, tools: Tools
) -> None:
    """Exactly as the original says."""
    run(place)
    assert tools.calls == [["-a", "-I", f"{place.image}.dbn", "-f", place.image]]
    assert (tools.directory / "osbackup.stdin").read_bytes() == b""


def test_a_dry_run_returns_what_would_be_and_leaves_nothing(place: Place, tools: Tools) -> None:
    """Not even a lock file."""
    before = place.tree()
    assert run(place, dry_run=True).proof is None
    assert place.tree() == before
    assert tools.calls == []


def test_progress_is_told_in_bytes(place: Place) -> None:
    """First the image's growth against the databases, then the checksum."""
    watcher = Memory()
    run(place, watcher)
    assert {phase for phase, _, _ in watcher.steps} == {"backing up", "checking"}
    assert watcher.steps[-1] == ("checking", *[os.path.getsize(place.image)] * 2)


def test_a_missing_master_is_refused_before_a_lock_is_taken(place: Place) -> None:
    """There is nothing to lock."""
    os.unlink(place.master)
    failure(place, RepositoryNotFound)


def test_a_locked_repository_is_refused_and_the_wait_announced(place: Place) -> None:
    """Also in a dry run."""
    with LocalHost().lock(f"{place.master}.lock", "class_create", 0, print):
        for dry_run in (False, True):
            watcher = Memory()
            with pytest.raises(LockBusy, match="csf class_create"):
                run(place, watcher, wait=0.1, dry_run=dry_run)
            assert watcher.notes[0].startswith("waiting up to 0.1 s for csf class_create")


def test_an_osbackup_that_fails_leaves_nothing_and_its_words_are_told(
    place: Place, tools: Tools
) -> None:
    """A partial image goes too."""
    tools.write("osbackup", 'echo part > "$5"; echo "<err-0001-0040>no (err_x)" >&2; exit 1')
    error = failure(place, OsbackupFailed)
    assert "<err-0001-0040>no (err_x)" in str(error)
    assert "was removed" in error.left


def test_an_osbackup_that_cannot_be_started_leaves_nothing(place: Place, tools: Tools) -> None:
    """The program is named."""
    tools.write("osbackup", "#!/nonexistent/interpreter\n")
    assert str(tools.directory / "osbackup") in failure(place, OsbackupFailed).what


def test_a_disk_too_full_to_start_osbackup_is_a_full_disk(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And no failure of osbackup."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", f"{place.image}.run")

    monkeypatch.setattr(LocalHost, "start", full)
    assert f"{place.image}.run" in failure(place, NoSpace).what


def test_a_record_of_another_run_is_left_alone(place: Place, tools: Tools) -> None:
    """It is all there is to tell how that ended."""
    os.mkdir(f"{place.image}.run")
    assert f"{place.image}.run exists" in failure(place, ImageExists).what
    assert tools.calls == []
    assert os.path.isdir(f"{place.image}.run")


def test_an_osbackup_that_does_not_end_is_stopped(place: Place, tools: Tools) -> None:
    """The lock is free again."""
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
    """No image, an empty one, one that cannot be read, one with the wrong databases."""
    tools.write("osbackup", script)
    failure(place, ImageUnproven)


@pytest.mark.parametrize("signum", interrupts.SIGNALS)
def test_a_signal_stops_osbackup_and_leaves_nothing(
    place: Place, tools: Tools, signum: signal.Signals
) -> None:
    """Its exit code is the shell's for that signal."""
    tools.write("osbackup", f'echo part > "$5"; kill -{signum.name[3:]} $PPID; exec sleep 60')
    with interrupts.noted("It"):
        assert failure(place, Interrupted).exit_code == 128 + signum


def test_a_signal_before_the_first_file_creates_nothing(place: Place, tools: Tools) -> None:
    """The refusal says so."""
    with interrupts.noted("It"):
        os.kill(os.getpid(), signal.SIGTERM)
        assert "Nothing was created" in str(failure(place, Interrupted))
    assert tools.calls == []


def test_two_backups_to_one_image_cannot_both_pass(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The import file is the claim: the second finds it, even after its pre-flight."""
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
    """Its exit code is the one for space."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", f"{place.image}.dbn")

    monkeypatch.setattr(writing, "create", full)
    assert failure(place, NoSpace).exit_code == ExitCode.NO_SPACE


def test_a_receipt_that_cannot_be_written_takes_the_image_with_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a receipt it would be no backup."""

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
    assert "lib.db.manifest was not updated: No space" in run(place).warnings[-1]
    assert os.path.exists(f"{place.image}.receipt.json")


@pytest.mark.parametrize("suffix", ["", ".receipt.json"])
def test_a_file_that_comes_between_pre_flight_and_claim_is_not_ours_to_touch(
    place: Place, monkeypatch: pytest.MonkeyPatch, suffix: str
) -> None:
    """It is looked for once more under the claim."""
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


def test_a_receipt_that_appears_during_the_run_is_not_replaced(place: Place, tools: Tools) -> None:
    """Whoever made it; our image goes."""
    tools.write("osbackup", 'echo precious > "$5.receipt.json"; exec tar -cPf "$5" -T "$3"')
    with pytest.raises(BackupError):
        run(place)
    assert os.listdir(place.images) == ["a.img.receipt.json"]
    assert place.tree()[f"{place.image}.receipt.json"] == b"precious\n"


@pytest.mark.parametrize("script", ['rm "$3"', 'echo /else.db >> "$3"'])
def test_an_osbackup_that_meddles_with_the_import_file_is_found_out(
    place: Place, tools: Tools, script: str
) -> None:
    """The list that is left must be the list of what was backed up."""
    tools.write("osbackup", f'tar -cPf "$5" -T "$3"; {script}')
    assert "import file" in failure(place, ImageUnproven).what


def test_an_image_that_still_grows_is_found_out(
    place: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """osbackup may leave a daemon behind."""
    digest = reading.digest

    def late(path: str, progress: Any) -> tuple[int, str]:
        with open(path, "ab") as file:
            file.write(b"more")
        return digest(path, progress)

    monkeypatch.setattr(reading, "digest", late)
    assert "still being written" in failure(place, ImageUnproven).what


def test_a_database_that_cannot_be_looked_at_stops_the_backup(
    place: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there, and it would be missing from the image."""
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


def test_the_claim_goes_last_when_a_run_fails(
    place: Place, tools: Tools, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as the image is there, its name is ours; and so is the repository."""
    tools.write("osbackup", 'echo part > "$5"; exit 1')
    removed = []
    remove = writing.remove

    def noted(path: str) -> None:
        with pytest.raises(LockBusy), LocalHost().lock(f"{place.master}.lock", "x", 0, print):
            pass
        removed.append(path)
        remove(path)

    monkeypatch.setattr(writing, "remove", noted)
    failure(place, OsbackupFailed)
    assert removed[-2:] == [place.image, f"{place.image}.dbn"]


def test_the_image_is_on_the_disk_before_the_receipt_says_so(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file, then its directory, then the receipt."""
    steps: list[str] = []
    sync, publish = writing.sync, writing.publish

    def synced(path: str) -> None:
        steps.append(path)
        sync(path)

    def published(path: str, *rest: Any) -> None:
        steps.append(path)
        publish(path, *rest)

    monkeypatch.setattr(writing, "sync", synced)
    monkeypatch.setattr(writing, "publish", published)
    run(place)
    own = [step for step in steps if step.startswith(place.image)]
    assert own == [place.image, f"{place.image}.receipt.json"]
    assert steps[steps.index(place.image) + 1] == str(place.images)


def test_a_growing_repository_is_backed_up_whole_each_time(place: Place) -> None:
    """What was found on disk is in the next image, and in the manifest, and told."""
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
    """It is told."""
    remove = LocalHost.remove

    def refuse(self: LocalHost, paths: Any) -> None:
        listed = list(paths)
        if listed[-1].endswith(".run"):
            raise PermissionError(1, "Operation not permitted", listed[-1])
        remove(self, listed)

    monkeypatch.setattr(LocalHost, "remove", refuse)
    (warning,) = [text for text in run(place).warnings if "could not be removed" in text]
    assert warning.startswith(f"{place.image}.run could not be removed: ")
    assert os.path.exists(f"{place.image}.receipt.json")


def test_a_receipt_that_may_have_been_written_is_removed_with_the_rest(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An image that is gone must have none."""
    publish = LocalHost.publish

    def cut(self: LocalHost, path: str, data: bytes, like: str | None = None) -> None:
        publish(self, path, data, like)
        if path.endswith(".receipt.json"):
            raise HostUnreachable("Host db1 cannot be reached.", "Look.")

    monkeypatch.setattr(LocalHost, "publish", cut)
    failure(place, HostUnreachable)
    assert os.listdir(place.images) == []
