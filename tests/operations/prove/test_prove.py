"""Proving an image without a receipt: what is examined, and what is reported if it is missing."""

from __future__ import annotations

import contextlib
import errno
from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING, Any, cast

import pytest
from receipts import made, receipt_of

from csf_backup_plugin.errors import (
    NOTHING_LEFT,
    BackupError,
    CannotBeProven,
    FaultFound,
    HostUnreachable,
    Interrupted,
    LockBusy,
    NoSpace,
)
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.hosts.protocol.values import Completed
from csf_backup_plugin.image import copy_record, receipt_format, sealed_json
from csf_backup_plugin.image.copy_record import CopyRecord
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.receipt import Origin
from csf_backup_plugin.operations.prove import Proof
from csf_backup_plugin.operations.prove import prove as prove_image
from csf_backup_plugin.operations.prove.request import ProveRequest
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.identity import Identity
from doubles import Memory, MemoryHost

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host

IMAGE = ImagePath("db1", "/b/a.img")
LIST = b"/r/lib.db\n/r/Book.db\n"


@pytest.fixture
def host() -> MemoryHost:
    """Return a host on which osbackup has succeeded after its csf was killed."""
    there = MemoryHost(
        {
            "/b/a.img": b"image",
            "/b/a.img.dbn": LIST,
            "/b/a.img.run/status": b"0\n",
            "/b/a.img.run/started": b"2026-11-23T02:10:00Z\n",
        }
    )
    there.listing = Completed(0, LIST)
    return there


def prove(host: MemoryHost, listener: Memory | None = None) -> Proof:
    """Prove the image."""
    return prove_image(ProveRequest(IMAGE, 0), host, listener or Memory())


def numbered(host: MemoryHost, master: str = "/r/lib.db") -> None:
    """Create the repository with a manifest that has the number of the backup.

    Args:
        host: where.
        master: where the repository was when it got its identity.
    """
    identity = Identity("1" * 32, host.itself.id, host.itself.name, master)
    recorded = manifest.encode(["lib.db"], identity, {"/b/a.img": 7})
    host.files |= {"/r/lib.db.manifest": recorded, "/r/lib.db.lock": b""}
    host.directories.add("/r")
    host.facts["/r"] = {"mount": "/r"}


def findings(host: MemoryHost) -> tuple[str, ...]:
    """Return the reasons why the image cannot be proven."""
    with pytest.raises(CannotBeProven) as caught:
        prove(host)
    assert caught.value.exit_code == ExitCode.IMAGE_UNPROVEN
    assert IMAGE.receipt not in host.files
    return caught.value.findings


def test_a_copy_is_not_proven_and_says_how_it_is_made_again(host: MemoryHost) -> None:
    """The message says that the same copy command replaces it."""
    numbered(host)
    record = CopyRecord("db2:/x/a.img", "process 7 on driver", "2026-11-25", ("1", 1, "", 1, ""))
    host.files[IMAGE.copying] = copy_record.encode(record)
    with pytest.raises(CannotBeProven) as caught:
        prove(host)
    (finding,) = caught.value.findings
    assert finding.startswith("it is a copy of db2:/x/a.img (by process 7 on driver")
    typed = "csf admin_database_copy -image-file db2:/x/a.img -to db1:/b"
    assert caught.value.next_step.endswith(typed)


def test_where_there_are_no_locks_that_is_reported(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The image is proven nevertheless."""

    class Powerless:
        unsupported = "No locks available"
        release = staticmethod(lambda: None)

    numbered(host)
    monkeypatch.setattr(host, "lock", lambda *_, create: contextlib.nullcontext(Powerless()))
    (warning,) = prove(host).warnings
    assert warning.startswith("/r/lib.db.lock cannot be locked (No locks available): ")


def test_the_receipt_says_what_can_be_known(host: MemoryHost) -> None:
    """It also says that prove made it; the run record is removed."""
    listener = Memory()
    numbered(host)
    done = prove(host, listener)
    assert (done.written, done.warnings) == (True, ())
    facts = sealed_json.decode(host.files[IMAGE.receipt])
    assert facts["proven_by"] == "admin_database_prove"
    assert facts["master"] == "/r/lib.db"
    assert facts["databases"] == {"/r/lib.db": None, "/r/Book.db": None}
    assert facts["started"] == "2026-11-23T02:10:00+00:00"
    assert facts["import_file_sha256"] == sealed_json.sha256(LIST)
    assert (facts["image_bytes"], facts["image_sha256"]) == (5, sha256(b"image").hexdigest())
    assert facts["shared_disk"] == "unknown"
    assert (facts["repository_id"], facts["number"]) == ("1" * 32, 7)
    assert (facts["machine_id"], facts["machine"], facts["settled"]) == ("a" * 32, "db1", True)
    assert facts["mounts"] == {}  # the mounts of that time are unknown
    assert facts["finished"] == host.itself.now
    assert not [path for path in host.files if ".run/" in path]
    assert listener.steps == [("checking", 5, 5)]


@pytest.mark.parametrize(
    "recorded",
    [
        None,
        manifest.encode(["lib.db"]),
        manifest.encode(["lib.db"], None, {"/b/a.img": 7}),
        manifest.encode(["lib.db"], Identity("1" * 32, "", "db1", "/r/lib.db"), {"/b/b.img": 7}),
        PermissionError(13, "Permission denied", "/r/lib.db.manifest"),
    ],
)
def test_an_image_without_a_known_number_is_proven_and_never_the_latest(
    host: MemoryHost, recorded: bytes | OSError | None
) -> None:
    """The manifest may be lost, unreadable or without the number; there is a warning."""
    numbered(host)
    del host.files["/r/lib.db.manifest"]
    if isinstance(recorded, bytes):
        host.files["/r/lib.db.manifest"] = recorded
    elif recorded is not None:
        host.unreadable["/r/lib.db.manifest"] = recorded
    done = prove(host)
    (warning,) = done.warnings
    assert warning.endswith("so its image is never the latest one")
    found = receipt_format.decode(host.files[IMAGE.receipt]).origin
    assert found == Origin(machine_id="a" * 32, machine="db1")
    assert done.receipt.origin == found


def test_a_damaged_manifest_tells_no_number(host: MemoryHost) -> None:
    """The damaged line may have had a later number for the same path."""
    numbered(host)
    host.files["/r/lib.db.manifest"] += b"damage\n"
    done = prove(host)
    assert done.receipt.origin.number is None
    assert "never the latest" in done.warnings[0]


def test_a_moved_or_copied_repository_is_not_settled(host: MemoryHost) -> None:
    """The image is kept apart from those made before."""
    numbered(host, "/was/lib.db")
    done = prove(host)
    assert done.receipt.origin.settled is False
    assert receipt_format.decode(host.files[IMAGE.receipt]) == done.receipt


def test_a_receipt_that_came_while_the_lock_was_waited_for_counts(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The backup itself, or another prove, has finished in the meantime."""
    its_own = receipt_of(made("/b/a.img", 7, size=5))

    def lock(*_: object, **__: object) -> contextlib.nullcontext[None]:
        host.files[IMAGE.receipt] = its_own
        return contextlib.nullcontext()

    monkeypatch.setattr(host, "lock", lock)
    found = prove(host)
    assert (found.written, found.receipt.origin.number) == (False, 7)
    assert host.files[IMAGE.receipt] == its_own


def test_a_receipt_that_appears_as_it_is_written_counts(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where no locks are possible, two may prove at once."""
    its_own = receipt_of(made("/b/a.img", 7, size=5))

    def publish(path: str, _data: bytes) -> None:
        host.files[path] = its_own
        raise FileExistsError(path)

    monkeypatch.setattr(host, "publish", publish)
    found = prove(host)
    assert (found.written, found.receipt.origin.number) == (False, 7)
    assert "/b/a.img.run/status" in host.files


def test_a_receipt_that_has_gone_again_is_written(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only an existing receipt is reported as existing."""
    publish, refusals = host.publish, ["gone again"]

    def refuse_once(path: str, data: bytes) -> None:
        if refusals:
            raise FileExistsError(refusals.pop())
        publish(path, data)

    monkeypatch.setattr(host, "publish", refuse_once)
    assert prove(host).written
    assert IMAGE.receipt in host.files


def test_where_no_receipt_can_be_and_none_is_there_nothing_is_told_to_be_written(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link to nothing may have its name."""

    def refuse(path: str, _data: bytes) -> None:
        raise FileExistsError(path)

    monkeypatch.setattr(host, "publish", refuse)
    assert findings(host) == ("/b/a.img.receipt.json is there, and leads nowhere",)
    assert "/b/a.img.run/status" in host.files


def test_a_good_receipt_is_reported_and_nothing_is_changed(host: MemoryHost) -> None:
    """Files that a killed csf has left beside it are reported, and stay."""
    host.files[IMAGE.receipt] = receipt_of(made("/b/a.img", 7, size=5))
    before = dict(host.files)
    found = prove(host)
    assert (found.written, found.receipt.origin.number) == (False, 7)
    assert found.warnings == ("/b/a.img.run is not needed any more: rm -r /b/a.img.run",)
    assert host.files == before
    host.remove_trees([IMAGE.run], mine=False)
    assert prove(host).warnings == ()


@pytest.mark.parametrize("data", [b"", b"{}", b"damaged"])
def test_a_damaged_receipt_is_never_overwritten(host: MemoryHost, data: bytes) -> None:
    """Its contents are unknown."""
    host.files[IMAGE.receipt] = data
    with pytest.raises(FaultFound, match="a.img.receipt.json is damaged") as caught:
        prove(host)
    assert caught.value.exit_code == ExitCode.FAULT_FOUND
    assert host.files[IMAGE.receipt] == data


@pytest.mark.parametrize(
    ("image", "finding"),
    [
        (b"imag", "the image holds 4 bytes; its receipt says 5"),
        (b"", "the image /b/a.img is empty"),
        (None, "the image /b/a.img is missing"),
    ],
)
def test_a_receipt_of_another_image_is_a_fault(
    host: MemoryHost, image: bytes | None, finding: str
) -> None:
    """It would be wrong to say that the image has its receipt."""
    host.files[IMAGE.receipt] = receipt_of(made("/b/a.img", 7, size=5))
    del host.files["/b/a.img"]
    if image is not None:
        host.files["/b/a.img"] = image
    with pytest.raises(FaultFound) as caught:
        prove(host)
    assert caught.value.exit_code == ExitCode.FAULT_FOUND
    assert caught.value.findings == (finding,)
    assert "csf admin_database_verify -image-file db1:/b/a.img" in caught.value.next_step


@pytest.fixture
def at_work(host: MemoryHost) -> MemoryHost:
    """Return the host with an osbackup that is still running."""
    host.files |= {
        "/b/a.img.run/status": b"running\n",
        "/b/a.img.run/pid": b"4711 boot-1   \n",
        "/proc/sys/kernel/random/boot_id": b"boot-1\n",
        "/proc/4711/stat": b"4711 (sh) S 1 4711 4711 0 -1",
    }
    return host


def test_an_osbackup_at_work_is_named_to_who_waits_for_it(
    at_work: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The dead csf that had taken the lock is not named; the exit code is 20."""

    def lock(
        _path: str, _purpose: str, wait: float, waiting: Callable[[str], None], *, create: bool
    ) -> contextlib.nullcontext[None]:
        waiting("waiting up to 0 s for csf (process 1)")
        raise LockBusy("The repository is locked: by csf (process 1).", "Wait.")

    monkeypatch.setattr(at_work, "lock", lock)
    listener = Memory()
    named = "osbackup (process group 4711, started 2026-11-23T02:10:00+00:00)"
    with pytest.raises(LockBusy) as caught:
        prove(at_work, listener)
    assert caught.value.what == f"{named} is still running on db1, and writes db1:/b/a.img."
    assert "-wait SECONDS" in caught.value.next_step
    assert listener.notes == [f"waiting up to 0 s for {named}"]
    del at_work.files["/proc/4711/stat"]
    with pytest.raises(LockBusy, match="process 1"):
        prove(at_work, listener)
    assert listener.notes[1:] == ["waiting up to 0 s for csf (process 1)"]


def test_an_osbackup_at_work_is_found_without_a_lock(at_work: MemoryHost) -> None:
    """Where no lock file can be made, the run record shows it."""
    with pytest.raises(LockBusy, match="process group 4711"):
        prove(at_work)


@pytest.mark.parametrize(
    "stat", [b"4711 (sh) Z 1 4711 4711 0", b"4711 (a) b) S 1 4711 9 0", b"", b"4711 (sh) S 1"]
)
def test_another_process_of_its_number_is_no_osbackup(at_work: MemoryHost, stat: bytes) -> None:
    """A zombie is not a running osbackup either."""
    at_work.files["/proc/4711/stat"] = stat
    assert findings(at_work) == (
        "osbackup ended without recording its exit status in /b/a.img.run",
    )


@pytest.mark.parametrize(
    ("pid", "also"),
    [
        (b"4711 boot-0", ": the machine was rebooted meanwhile"),
        (b"starting", ""),
        (b"", ""),
        (b"9" * 5000, ""),
    ],
)
def test_an_osbackup_that_did_not_live_to_its_end_proves_nothing(
    at_work: MemoryHost, pid: bytes, also: str
) -> None:
    """After a reboot, its process number may belong to another process."""
    at_work.files["/b/a.img.run/pid"] = pid
    assert findings(at_work) == (
        f"osbackup ended without recording its exit status in /b/a.img.run{also}",
    )


def test_a_receipt_that_cannot_be_written_is_reported_and_nothing_is_changed(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run record stays, so that the command can be repeated."""

    def full(path: str, _data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", path)

    monkeypatch.setattr(host, "publish", full)
    before = dict(host.files)
    with pytest.raises(NoSpace) as caught:
        prove(host)
    assert caught.value.what == (
        "The receipt of db1:/b/a.img could not be written. "
        "No space left on device: /b/a.img.receipt.json on db1."
    )
    assert caught.value.left == NOTHING_LEFT
    assert "another file system" not in caught.value.next_step
    assert host.files == before


def test_a_host_that_is_lost_as_the_receipt_is_written_may_have_written_it(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same command finds out."""

    def lost(*_: object) -> None:
        raise HostUnreachable("Host db1 is gone.", "Find out why.")

    monkeypatch.setattr(host, "publish", lost)
    with pytest.raises(HostUnreachable) as caught:
        prove(host)
    assert caught.value.left.startswith("/b/a.img.receipt.json may have been written")
    assert "csf admin_database_prove -image-file db1:/b/a.img" in caught.value.next_step


def test_a_name_that_nothing_bears_is_reported_as_that(host: MemoryHost) -> None:
    """The name was mistyped, and there is nothing to remove."""
    del host.files["/b/a.img"], host.files["/b/a.img.dbn"]
    with pytest.raises(FaultFound, match="There is no image db1:/b/a.img.") as caught:
        prove(host)
    assert caught.value.exit_code == ExitCode.FAULT_FOUND


def test_all_that_is_wrong_is_reported_at_once(host: MemoryHost) -> None:
    """Both osbackup's end and databases missing from the image are reported."""
    host.files["/b/a.img.run/status"] = b"139"
    host.listing = Completed(0, b"/r/lib.db\n")
    assert findings(host) == (
        "osbackup failed: signal 11, and printed nothing.",
        "missing from the image: /r/Book.db",
    )


@pytest.mark.parametrize("contents", [None, b"", b"/r/lib.db\n/r/Bo", b"lib.db\n"])
def test_without_a_whole_import_file_nothing_is_known(
    host: MemoryHost, contents: bytes | None
) -> None:
    """It may be half written."""
    del host.files["/b/a.img.dbn"]
    if contents is not None:
        host.files["/b/a.img.dbn"] = contents
    (finding,) = findings(host)
    assert finding.startswith("the import file /b/a.img.dbn is ")


def test_without_a_record_nobody_knows_how_osbackup_ended(host: MemoryHost) -> None:
    """A sound image is not enough."""
    host.directories.discard("/b/a.img.run")
    (finding,) = findings(host)
    assert finding == "how osbackup ended was not recorded: there is no /b/a.img.run"


def test_an_empty_image_is_not_asked_for_its_list(host: MemoryHost) -> None:
    """A missing image is not listed either."""
    host.files["/b/a.img"] = b""
    host.listing = Completed(1, b"never")
    assert findings(host) == ("the image /b/a.img is empty",)
    del host.files["/b/a.img"]
    assert findings(host) == ("the image /b/a.img is missing",)


def test_a_backup_of_no_known_time_is_not_proven(host: MemoryHost) -> None:
    """It would be unknown which work is not in it."""
    del host.files["/b/a.img.run/started"]
    assert findings(host) == ("when its backup began is not known",)


def test_an_image_that_still_grows_is_not_proven(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It does not matter which process writes to it."""
    monkeypatch.setattr(host, "digest", lambda *_: (6, "digest"))
    assert findings(host) == ("it is still being written",)


def test_a_record_that_cannot_be_removed_is_a_warning(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receipt counts."""

    def refuse(_paths: object, *, mine: bool) -> None:
        raise PermissionError(13, "Permission denied", "/b/a.img.run")

    monkeypatch.setattr(host, "remove_trees", refuse)
    numbered(host)
    done = prove(host)
    (warning,) = done.warnings
    assert warning.startswith("/b/a.img.run could not be removed: ")
    assert IMAGE.receipt in host.files


@pytest.mark.parametrize("error", [FileNotFoundError, PermissionError])
def test_where_no_lock_can_be_there_is_no_osbackup(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch, error: type[OSError]
) -> None:
    """The repository is lost or another user's; an existing lock file is never ignored."""

    def refuse(*_: object, **__: object) -> None:
        raise error(0, "no", "/r/lib.db.lock")

    monkeypatch.setattr(host, "lock", refuse)
    host.files["/r/lib.db.lock"] = b""
    with pytest.raises(BackupError, match="/r/lib.db.lock on db1"):
        prove(host)
    del host.files["/r/lib.db.lock"]
    assert prove(host).written


def test_a_directory_that_is_not_brought_to_the_disk_is_reported(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup gives the same warning."""
    numbered(host)
    monkeypatch.setattr(host, "sync", lambda _paths: ["/b"])
    (warning,) = prove(host).warnings
    assert warning.startswith("the file system of /b on db1 does not say when")


def test_the_image_is_on_the_disk_before_the_receipt_says_so(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The order is that of a backup."""
    steps: list[Sequence[str]] = []

    def sync(paths: Sequence[str]) -> list[str]:
        steps.append(paths)
        return []

    monkeypatch.setattr(host, "sync", sync)
    monkeypatch.setattr(host, "publish", lambda path, _data: steps.append([path]))
    prove(host)
    assert steps == [["/b/a.img", "/b/a.img.dbn"], ["/b/a.img.receipt.json"]]


@pytest.mark.parametrize("order", [b"/r/Book.db\n/r/lib.db\n", b"/r/lib.db\n/r/b\n/r/a\n"])
def test_an_import_file_in_another_order_names_no_master(host: MemoryHost, order: bytes) -> None:
    """The receipt would belong to another repository."""
    host.files["/b/a.img.dbn"], host.listing = order, Completed(0, order)
    host.files["/r/lib.db"] = host.files["/r/lib.db.lock"] = b""
    host.directories.add("/r")
    (finding,) = findings(host)
    assert "is not known to be a master" in finding


def test_nobody_is_told_to_remove_anything(host: MemoryHost) -> None:
    """The named file may be a directory, or the only one left."""
    del host.files["/b/a.img.dbn"]
    with pytest.raises(CannotBeProven) as caught:
        prove(host)
    assert "rm " not in str(caught.value)
    assert "osrestore -t -f /b/a.img" in caught.value.next_step


class Gone(BaseException):
    """The process was killed."""


class Dying:
    """A host whose caller is killed at its N-th call, before or after the call is done.

    Args:
        host: what answers.
        count: N.
        answered: whether what is asked for is still done.
    """

    def __init__(self, host: MemoryHost, count: int, *, answered: bool) -> None:
        self._host = host
        self._left = count
        self._answered = answered

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._host, name)
        return self._counted(found) if callable(found) else found

    def _counted(self, ask: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **options: Any) -> Any:
            self._left -= 1
            if self._left:
                return ask(*arguments, **options)
            if self._answered:
                ask(*arguments, **options)
            raise Gone

        return counted


@pytest.mark.parametrize("answered", [False, True])
def test_a_proof_that_is_killed_anywhere_is_done_by_the_next(
    host: MemoryHost, *, answered: bool
) -> None:
    """There is no receipt or a complete one, and what the next prove needs."""
    numbered(host)
    files, directories, proofs = dict(host.files), {*host.directories}, set()
    for count in range(1, 100):
        host.files, host.directories = dict(files), {*directories}
        try:
            prove_image(
                ProveRequest(IMAGE, 0),
                cast("Host", Dying(host, count, answered=answered)),
                Memory(),
            )
            break
        except Gone:
            proofs.add(prove(host).written)
            assert receipt_format.decode(host.files[IMAGE.receipt]).origin.number == 7
    assert 10 < count < 99
    assert proofs == {True, False}


def test_a_signal_before_the_receipt_is_written_leaves_all_as_it_is(host: MemoryHost) -> None:
    """The same command can be repeated."""
    host.cancellation.cancel(15)
    before = dict(host.files)
    with pytest.raises(Interrupted) as caught:
        prove(host)
    assert caught.value.left == NOTHING_LEFT
    assert host.files == before


@pytest.mark.parametrize("facts", [{"stamp": "2"}, {"kind": "missing", "stamp": ""}])
def test_an_image_that_changes_while_it_is_proven_gets_no_receipt(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch, facts: dict[str, Any]
) -> None:
    """The backup that made it may have reconnected and failed."""
    host.facts["/b/a.img"] = {"stamp": "1"}
    publish = host.publish

    def change(path: str, data: bytes) -> None:
        publish(path, data)
        host.facts["/b/a.img"] = facts

    monkeypatch.setattr(host, "publish", change)
    assert findings(host) == ("it was changed or removed while it was proven",)
    assert "/b/a.img.run/status" in host.files


def test_a_receipt_that_cannot_be_taken_back_is_named(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would prove an image that does not exist any more."""
    host.facts["/b/a.img"] = {"stamp": "1"}

    def change(_path: str, _data: bytes) -> None:
        host.facts["/b/a.img"] = {"stamp": "2"}

    def refuse(_paths: list[str]) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(host, "publish", change)
    monkeypatch.setattr(host, "remove", refuse)
    with pytest.raises(CannotBeProven) as caught:
        prove(host)
    stays = "/b/a.img.receipt.json could not be removed: Input/output error."
    assert caught.value.left == stays
    assert caught.value.findings == ("it was changed or removed while it was proven",)


def test_a_receipt_that_was_written_is_taken_back_if_the_image_cannot_be_seen(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise the next run would find the receipt, and not compare the image again."""
    publish = host.publish

    def published(path: str, data: bytes) -> str:
        monkeypatch.setattr(host, "stat", stale)
        return publish(path, data)

    def stale(_paths: list[str]) -> None:
        raise OSError(errno.ESTALE, "Stale file handle", "/b/a.img")

    monkeypatch.setattr(host, "publish", published)
    (why,) = findings(host)
    assert why.endswith("while it was proven cannot be seen: Stale file handle")
