"""A copy of a proven set, in memory: what is made, in which order, and what prevents it."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
from typing import TYPE_CHECKING

import pytest
from copying import COPY, NOW, ORIGINAL, copied, hosts, receipt_at, target
from sets_in_memory import LIST, add_set, host_with

from csf_backup_plugin.errors import (
    BackupError,
    FaultFound,
    HostUnreachable,
    ImageExists,
    ImageUnproven,
    Interrupted,
    NoReceipt,
    NoSpace,
    TimedOut,
    UnsafeImagePath,
    WrongRepository,
)
from csf_backup_plugin.hosts.protocol.steps import Withdrawal
from csf_backup_plugin.hosts.protocol.values import Machine
from csf_backup_plugin.image import receipt_format, sealed_json
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.receipt import Copied, Placement
from doubles import Memory, MemoryHost, MemorySink, MemorySource

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from contextlib import AbstractContextManager

SET = {COPY.path, COPY.import_file, COPY.receipt}


def resealed(host: MemoryHost, image: ImagePath, **facts: object) -> None:
    """Change facts in the receipt of an image, and seal it again."""
    said = sealed_json.decode(host.files[image.receipt])
    host.files[image.receipt] = sealed_json.encode({**said, **facts})


def without_cards(host: MemoryHost) -> set[str]:
    """Return the files without those of recovery cards."""
    return {path for path in host.files if "card" not in path and "RESTORE" not in path}


def test_a_copy_is_the_whole_set() -> None:
    """Image, import file and receipt are there and nothing else; the original is unchanged."""
    source, host = hosts()
    before, listener = dict(source.files), Memory()
    made = copied(source, host, listener=listener)
    assert (made.source, made.image, made.made_now, made.warnings) == (ORIGINAL, COPY, True, ())
    assert without_cards(host) == SET
    assert host.files[COPY.path] == source.files[ORIGINAL.path]
    assert host.files[COPY.import_file] == LIST
    assert source.files == before
    size = len(before[ORIGINAL.path])
    assert [step for step in listener.steps if step[1] == size] == [
        ("copying", size, size),
        ("checking", size, size),
    ]
    assert b"/c/1.img" in host.files["/c/RESTORE.txt"]


def test_its_receipt_says_what_the_originals_does_and_where_that_was() -> None:
    """Only the image's name differs, and that no rotation has put the copy into a place."""
    source, host = hosts()
    resealed(source, ORIGINAL, place="monday", slot="2026-11-23", run_id="night")
    copied(source, host)
    original, made = receipt_at(source, ORIGINAL), receipt_at(host)
    assert original.placement == Placement("monday", datetime.date(2026, 11, 23), "night")
    wanted = Copied(ORIGINAL, NOW, "night")
    assert made == original._replace(image=COPY, placement=None, copied=wanted)
    assert made.run_id == original.run_id == "night"
    before, after = (
        sealed_json.decode(data)
        for data in (source.files[ORIGINAL.receipt], host.files[COPY.receipt])
    )
    same = before.keys() - {"host", "image", "place", "slot"}
    assert {key: after[key] for key in same} == {key: before[key] for key in same}


def test_a_copy_of_a_copy_tells_the_nearest() -> None:
    """The run id is still that of the original."""
    source, host = hosts()
    resealed(source, ORIGINAL, place="monday", slot="2026-11-23", run_id="night")
    copied(source, host)
    third = target()
    third.name, third.itself = "db3", Machine("c" * 32, "db3", NOW)
    made = copied(host, third, COPY.name, to="db3:/c")
    assert made.receipt.copied == Copied(COPY, NOW, "night")


def test_latest_is_the_newest_image() -> None:
    """The copy gets the name of the image that is found."""
    source, host = hosts(1, 2)
    assert copied(source, host, "db1:/b/latest").image == ImagePath("db2", "/c/2.img")


def test_latest_may_be_that_of_a_repository() -> None:
    """It is needed if the directory has images of several repositories."""
    source, host = hosts()
    add_set(source, "/b/x.img", 7, "2" * 32, "/r/x.db")
    with pytest.raises(WrongRepository, match="several repositories"):
        copied(source, host, "db1:/b/latest")
    made = copied(source, host, "db1:/b/latest", master="/r/x.db")
    assert made.image.path == "/c/x.img"
    with pytest.raises(WrongRepository):
        copied(source, host, master="/r/x.db")


def test_without_a_checksum_the_bytes_that_are_sent_tell() -> None:
    """The copy's receipt has a checksum."""
    source, host = hosts()
    resealed(source, ORIGINAL, image_sha256=None)
    copied(source, host)
    data = source.files[ORIGINAL.path]
    assert receipt_at(host).sha256 == hashlib.sha256(data).hexdigest()


class Damaging(MemoryHost):
    """A host where one byte is changed in transfer."""

    def digest(self, path: str, progress: Callable[[int], None]) -> tuple[int, str]:
        self.files[path] = b"X" + self.files[path][1:]
        return super().digest(path, progress)


@pytest.mark.parametrize("checksum", ["taken", None])
def test_what_arrives_damaged_is_no_copy(checksum: str | None) -> None:
    """With or without a checksum in the receipt, nothing of the copy stays."""
    source, host = hosts(to=Damaging)
    if checksum is None:
        resealed(source, ORIGINAL, image_sha256=None)
    with pytest.raises(ImageUnproven, match=r"is not db1:/b/1\.img") as caught:
        copied(source, host)
    assert "csf admin_database_verify -image-file db1:/b/1.img" in caught.value.next_step
    assert caught.value.left.startswith("What this run had created was removed")
    assert host.files == {}


@pytest.mark.parametrize("missing", ["receipt", "path", "import_file"])
def test_only_a_proven_set_is_copied(missing: str) -> None:
    """All files of the set must be there; otherwise nothing is created."""
    source, host = hosts()
    del source.files[getattr(ORIGINAL, missing)]
    with pytest.raises(FaultFound) as caught:
        copied(source, host)
    assert isinstance(caught.value, NoReceipt) == (missing == "receipt")
    assert caught.value.left == "Nothing was created or changed."
    assert host.files == {}


def test_a_set_whose_removal_has_begun_is_not_copied() -> None:
    """Its receipt is being removed; a set that is being copied is not removed."""
    source, host = hosts()
    going = Withdrawal(ORIGINAL.receipt, ORIGINAL.removing, ORIGINAL.keep)
    with source.reading(ORIGINAL.receipt):
        assert source.withdraw([going]) == ["is being read"]
    assert source.withdraw([going]) == [""]
    with pytest.raises(NoReceipt) as caught:
        copied(source, host)
    assert caught.value.findings[0].startswith("a rotation has begun to remove it")
    assert host.files == {}


def test_an_image_of_other_bytes_than_its_receipt_says_is_not_copied() -> None:
    """The message says how many bytes there are."""
    source, host = hosts()
    source.files[ORIGINAL.path] += b"more"
    with pytest.raises(FaultFound, match="is not copied:\n  the image holds "):
        copied(source, host)


class Growing(MemoryHost):
    """A host whose image is changed while it is sent."""

    def sending(self, path: str) -> AbstractContextManager[MemorySource]:
        self.files[path] += b"more"
        return super().sending(path)


def test_an_image_that_changes_meanwhile_is_not_copied() -> None:
    """The message says that the original has changed."""
    source, host = hosts(kind=Growing)
    with pytest.raises(FaultFound, match=r"has changed: \d+ bytes of it were read"):
        copied(source, host)
    assert host.files == {}


def test_the_original_is_held_meanwhile() -> None:
    """A rotation does not remove it meanwhile."""
    held: list[list[str]] = []

    class Watching(MemoryHost):
        def sending(self, path: str) -> AbstractContextManager[MemorySource]:
            held.append([*self.being_read])
            return super().sending(path)

    source, host = hosts(kind=Watching)
    copied(source, host)
    assert held == [[ORIGINAL.receipt]]
    assert source.being_read == []


@pytest.mark.parametrize("ending", ["", ".dbn", ".receipt.json", ".run", ".keep", ".copying.part"])
def test_nothing_is_overwritten(ending: str) -> None:
    """Any file with one of the set's names stays."""
    source, host = hosts()
    host.files[COPY.path + ending] = b"somebody's"
    with pytest.raises(ImageExists, match=r"exists; a copy never overwrites") as caught:
        copied(source, host)
    assert caught.value.left.startswith("What this run had created was removed")
    assert host.files == {COPY.path + ending: b"somebody's"}
    with pytest.raises(ImageExists):
        copied(source, host, dry_run=True)


def test_an_original_is_not_overwritten_by_itself() -> None:
    """A directory cannot have both."""
    source = host_with(1)
    with pytest.raises(ImageExists):
        copied(source, source, to="db1:/b")


def test_what_is_copied_already_is_not_copied_again() -> None:
    """This is no error; a record that a killed copy left there is removed."""
    source, host = hosts()
    copied(source, host)
    host.files[COPY.copying] = b"left"
    made = copied(source, host)
    assert (made.made_now, made.also_done) == (False, (f"{ORIGINAL} was copied to {COPY} already",))
    assert COPY.copying not in host.files
    assert copied(source, host, dry_run=True).also_done == made.also_done


def test_a_copy_of_another_set_of_the_name_stays() -> None:
    """Last week's image may have the same name."""
    source, host = hosts()
    copied(source, host)
    add_set(source, ORIGINAL.path, 8)
    with pytest.raises(ImageExists):
        copied(source, host)


@pytest.mark.parametrize("path", [COPY.path, COPY.import_file])
def test_a_damaged_copy_stays(path: str) -> None:
    """A damaged copy does not count as an existing one."""
    source, host = hosts()
    copied(source, host)
    host.files[path] += b"more"
    with pytest.raises(ImageExists):
        copied(source, host)


def test_a_copy_without_its_import_file_is_none() -> None:
    """It cannot be restored as it is."""
    source, host = hosts()
    copied(source, host)
    del host.files[COPY.import_file]
    with pytest.raises(ImageExists):
        copied(source, host)


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"kind": "missing"}, "does not exist"),
        ({"kind": "file"}, "is not a directory"),
        ({"writable": False}, "is not writable"),
    ],
)
def test_the_directory_must_be_one_that_can_be_written_to(
    facts: dict[str, object], why: str
) -> None:
    """Otherwise nothing is created."""
    source, host = hosts()
    host.facts["/c"] = facts
    with pytest.raises(UnsafeImagePath, match=why):
        copied(source, host)


def test_room_is_looked_for_before() -> None:
    """A dry run checks it, too; the claim is removed again."""
    source, host = hosts()
    host.facts["/c"] = {"free": 1000}
    for dry_run in (False, True):
        with pytest.raises(NoSpace, match="has 1,000 bytes free; the copy may need "):
            copied(source, host, dry_run=dry_run)
    assert host.files == {}


def test_a_linked_directory_is_reported() -> None:
    """The receipt has the resolved path."""
    source, host = hosts()
    host.links["/d"] = "/c"
    listener = Memory()
    made = copied(source, host, to="db2:/d", listener=listener)
    assert made.image == COPY
    assert listener.notes == ["db2:/d/latest is db2:/c/latest"]


def test_a_copy_on_the_same_disk_is_reported() -> None:
    """The failure of one disk would destroy both."""
    source = host_with(1)
    source.directories.add("/c")
    made = copied(source, source, to="db1:/c")
    (warning,) = made.warnings
    assert warning.startswith("db1:/c/1.img lies on the same disk as db1:/b/1.img")
    source = host_with(1)
    source.directories.add("/c")
    source.facts = {"/c": {"device": 2, "vital": frozenset({"sdb"})}}
    assert copied(source, source, to="db1:/c").warnings == ()


def test_a_dry_run_creates_nothing() -> None:
    """It reports where the copy would be."""
    source, host = hosts()
    made = copied(source, host, dry_run=True)
    assert (made.image, made.made_now, host.files) == (COPY, False, {})


class SlowSink(MemorySink):
    """A file that accepts no bytes at first, and then few; its end is late."""

    asked = ended = 0

    def give(self, data: memoryview) -> int:
        self.asked += 1
        return 0 if self.asked == 1 else super().give(data[:3])

    def end(self) -> bool:
        self.ended += 1
        return self.ended > 1


class SlowSource(MemorySource):
    """A file that gives no bytes at first."""

    asked = 0

    def take(self) -> bytes | None:
        self.asked += 1
        return None if self.asked == 1 else super().take()


class Slow(MemoryHost):
    """A host at the end of a slow network."""

    @contextlib.contextmanager
    def sending(self, path: str) -> Iterator[SlowSource]:
        yield SlowSource(self.files[path])

    @contextlib.contextmanager
    def receiving(self, path: str) -> Iterator[SlowSink]:
        self.files[path] = b""
        yield SlowSink(self, path)


@pytest.mark.parametrize("checksum", ["taken", None])
def test_bytes_may_take_their_time(checksum: str | None) -> None:
    """Slow reads and slow writes do not matter."""
    source, host = hosts(kind=Slow, to=Slow)
    if checksum is None:
        resealed(source, ORIGINAL, image_sha256=None)
    copied(source, host)
    assert host.files[COPY.path] == source.files[ORIGINAL.path]


def test_a_copy_that_takes_too_long_is_given_up() -> None:
    """Everything of it is removed."""
    source, host = hosts()
    with pytest.raises(TimedOut, match=r"had not ended after 1e-09 s") as caught:
        copied(source, host, timeout=1e-9)
    assert caught.value.left.startswith("What this run had created was removed")
    assert host.files == {}


def test_a_signal_ends_a_copy() -> None:
    """Everything that it has created is removed."""
    source, host = hosts()

    class Signalled(Memory):
        def advance(self, phase: str, done: int, total: int) -> None:
            host.cancellation.cancel(15)

    with pytest.raises(Interrupted):
        copied(source, host, listener=Signalled())
    assert host.files == {}


class Failing(MemoryHost):
    """A host where one step fails, before or after its work.

    Attributes:
        step: which: the ending of the file that is made.
        error: how.
        is_done: whether it is done all the same.
    """

    step = ""
    error: Exception = OSError(5, "Input/output error")
    is_done = False

    @contextlib.contextmanager
    def _failing(self, path: str) -> Iterator[None]:
        is_struck = path == COPY.path + self.step
        if is_struck and not self.is_done:
            raise self.error
        yield
        if is_struck:
            raise self.error

    def publish(self, path: str, data: bytes, like: str | None = None) -> str:
        with self._failing(path):
            return super().publish(path, data, like)

    def move(self, moves: Iterable[tuple[str, str]]) -> None:
        for one in moves:
            with self._failing(one[1]):
                super().move([one])


@pytest.mark.parametrize("is_done", [False, True])
@pytest.mark.parametrize("step", [".dbn", "", ".receipt.json"])
def test_whatever_step_fails_nothing_stays(
    step: str,
    is_done: bool,  # noqa: FBT001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """This holds whether or not the step was carried out."""
    monkeypatch.setattr(Failing, "step", step)
    monkeypatch.setattr(Failing, "is_done", is_done)
    error = HostUnreachable("gone", "wait") if is_done else OSError(28, "No space", "/c/x")
    monkeypatch.setattr(Failing, "error", error)
    source, host = hosts(to=Failing)
    with pytest.raises(HostUnreachable if is_done else NoSpace):
        copied(source, host)
    assert host.files == {}


@pytest.mark.parametrize("step", [".dbn", "", ".receipt.json"])
def test_what_appears_meanwhile_stays(step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another command has made it."""
    monkeypatch.setattr(Failing, "step", step)
    monkeypatch.setattr(Failing, "error", FileExistsError(17, "File exists"))
    source, host = hosts(to=Failing)
    with pytest.raises(ImageExists, match="has appeared just now"):
        copied(source, host)


def test_a_record_that_cannot_be_made_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is created after that."""
    monkeypatch.setattr(Failing, "step", ".copying")
    source, host = hosts(to=Failing)
    with pytest.raises(BackupError, match="Input/output error on db2"):
        copied(source, host)
    assert host.files == {}


def test_an_error_of_the_original_is_one_of_its_host() -> None:
    """The message names the host of the original."""

    class Unreadable(MemorySource):
        def take(self) -> bytes | None:
            raise OSError(5, "Input/output error", ORIGINAL.path)

    class Broken(MemoryHost):
        def sending(self, path: str) -> AbstractContextManager[MemorySource]:
            return contextlib.nullcontext(Unreadable(self.files[path]))

    source, host = hosts(kind=Broken)
    with pytest.raises(BackupError, match=r"Input/output error: /b/1\.img on db1"):
        copied(source, host)
    assert host.files == {}


def test_a_receipt_that_tells_of_no_possible_copy_is_damaged() -> None:
    """Each fact in the receipt must have a valid form."""
    source, host = hosts()
    copied(source, host)
    said = sealed_json.decode(host.files[COPY.receipt])
    good = said["copied_from"]
    wrongs: list[object] = [[], {}, {**good, "at": "today"}, {**good, "image": "x"}]
    for wrong in wrongs:
        with pytest.raises(sealed_json.CorruptDocument, match="where the copy was made from"):
            receipt_format.decode(sealed_json.encode({**said, "copied_from": wrong}))
    with pytest.raises(sealed_json.CorruptDocument):
        receipt_format.decode(sealed_json.encode({**said, "run_id": 7}))
