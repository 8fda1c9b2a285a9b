"""Every image of a directory is verified in turn, so that none stays unread for ever."""

from __future__ import annotations

import contextlib
import errno
import signal
from typing import TYPE_CHECKING

import pytest
from sets_in_memory import DIRECTORY, LIST, OTHERS, OURS, add_record, add_set, host_with

from csf_backup_plugin import timestamps
from csf_backup_plugin.errors import (
    BackupError,
    FaultFound,
    HostUnreachable,
    Interrupted,
    LockBusy,
    UtilityMissing,
)
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.image.promise_name import promise_name
from csf_backup_plugin.operations.verify.all_images import verify_all
from csf_backup_plugin.operations.verify.request import VerifyAllRequest
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.identity import Identity
from doubles import Memory, MemoryHost

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from csf_backup_plugin.hosts.protocol.values import Entry
    from csf_backup_plugin.operations.verify.summary import VerifiedAll

    Read = tuple[list[Entry], dict[str, bytes | OSError | None]]

DAY = 86400.0
NOW = "2026-11-25T12:00:00+00:00"  # by the clock of a host in memory


def run(
    host: MemoryHost,
    older_than: float | None = None,
    budget: float | None = None,
    *,
    master: str | None = None,
    listener: Memory | None = None,
    clock: Callable[[], float] = lambda: 0.0,
) -> VerifiedAll:
    """Verify all images of the directory."""
    request = VerifyAllRequest.parse(DIRECTORY, master, older_than, budget)
    return verify_all(request, host, listener or Memory(), clock)


def read(made: VerifiedAll) -> list[str]:
    """Return the paths of the images of a run, in order."""
    return [one.image.path for one in made.results]


def code(made: VerifiedAll) -> int:
    """Return the exit code of a run."""
    return int(made.problem.exit_code) if made.problem else 0


class Clock:
    """A clock that advances by some seconds each time that it is read."""

    def __init__(self, step: float) -> None:
        self._step = step
        self._now = 0.0

    def __call__(self) -> float:
        self._now += self._step
        return self._now


def test_those_never_verified_come_first_and_then_the_oldest_verification() -> None:
    """Of those never verified, the newest comes first."""
    host = host_with(1, 2, 3, 4, 5)
    add_record(host, "/b/5.img", 5, "2026-11-20T00:00:00+00:00")
    add_record(host, "/b/2.img", 2, "2026-11-10T00:00:00+00:00")
    made = run(host)
    assert read(made) == [f"/b/{number}.img" for number in (4, 3, 1, 2, 5)]
    assert (code(made), made.warnings, made.left, made.recent) == (0, [], [], [])
    assert all(f"/b/{number}.img.verify.json" in host.files for number in range(1, 6))


def test_images_in_places_and_of_several_repositories_take_turns() -> None:
    """The newest of each comes before the older ones of any; those without a number come last."""
    host = host_with(1, 2)
    add_set(host, "/b/monday/3.img", 3)
    add_set(host, "/b/x.img", 1, OTHERS, "/r/x.db")
    add_set(host, "/b/none.img", None)
    made = run(host)
    assert read(made) == ["/b/monday/3.img", "/b/x.img", "/b/2.img", "/b/1.img", "/b/none.img"]


def test_what_was_verified_lately_is_left_out() -> None:
    """A record that is dated in the future does not count."""
    host = host_with(1, 2, 3, 4)
    add_record(host, "/b/1.img", 1, timestamps.later(NOW, -31 * DAY))
    add_record(host, "/b/2.img", 2, timestamps.later(NOW, -29 * DAY))
    add_record(host, "/b/3.img", 3, timestamps.later(NOW, +3 * DAY))
    add_record(host, "/b/4.img", 4, timestamps.later(NOW, +100))
    made = run(host, 30 * DAY)
    assert read(made) == ["/b/3.img", "/b/1.img"]
    assert [one.image.path for one in made.recent] == ["/b/2.img", "/b/4.img"]


def test_bit_rot_in_an_old_image_is_found_while_younger_ones_are_good() -> None:
    """It is reported at once and recorded, and stays a fault until another verification."""
    host, listener = host_with(1, 2, 3), Memory()
    sound = host.files["/b/1.img"]
    host.files["/b/1.img"] = sound.replace(b"image", b"imagf")
    made = run(host, listener=listener)
    (at_fault,) = made.at_fault
    assert (at_fault.image.path, len(made.sound)) == ("/b/1.img", 2)
    (note,) = listener.notes
    assert note.startswith("at fault db1:/b/1.img: the image's SHA-256 is ")
    assert code(made) == ExitCode.FAULT_FOUND
    assert "db1:/b/1.img: It is on record in /b/1.img.verify.json. " in str(made.problem)
    again = run(host, 30 * DAY)
    assert (read(again), code(again)) == ([], ExitCode.FAULT_FOUND)
    assert "its last verification failed, as /b/1.img.verify.json says" in str(again.problem)
    host.files["/b/1.img"] = sound
    assert code(run(host)) == 0
    assert code(run(host, 30 * DAY)) == 0


def test_no_further_image_is_begun_once_the_budget_is_used_up() -> None:
    """Several runs verify all of them; each run verifies at least one."""
    host, seen = host_with(1, 2, 3, 4), []
    for night in range(1, 4):
        host.itself = host.itself._replace(now=timestamps.later(NOW, night * 3600))
        made = run(host, 30 * DAY, 5.0, clock=Clock(2.0))
        seen.append((read(made), len(made.left), len(made.recent)))
        assert code(made) == 0
    assert seen == [
        (["/b/4.img", "/b/3.img"], 2, 0),
        (["/b/2.img", "/b/1.img"], 0, 2),
        ([], 0, 4),
    ]
    assert read(run(host, None, 1.0, clock=Clock(9.0))) == ["/b/4.img"]


def test_a_fault_on_record_counts_also_where_the_image_is_left_for_the_next_run() -> None:
    """Otherwise a short run would report that all is well."""
    host = host_with(1, 2)
    add_record(host, "/b/1.img", 1, timestamps.later(NOW, -DAY), ["x"])
    made = run(host, None, 1.0, clock=Clock(9.0))
    assert [one.image.path for one in made.on_record] == ["/b/1.img"]
    assert code(made) == ExitCode.FAULT_FOUND


class Changing(MemoryHost):
    """A host on which something happens while the first image is read.

    Attributes:
        happens: what.
    """

    happens: Callable[[], None]

    def digest(self, path: str, progress: Callable[[int], None]) -> tuple[int, str]:
        happens, self.happens = self.happens, lambda: None
        happens()
        return super().digest(path, progress)


def changing(*numbers: int) -> Changing:
    """Return such a host."""
    host = host_with(*numbers, kind=Changing)
    assert isinstance(host, Changing)
    return host


def test_an_image_that_is_removed_meanwhile_is_a_warning() -> None:
    """A rotation removes the receipt first."""
    host = changing(1, 2, 3)

    def remove() -> None:
        for ending in ("", ".dbn", ".receipt.json"):
            del host.files[f"/b/2.img{ending}"]
        host.files["/b/1.img.removing"] = host.files.pop("/b/1.img.receipt.json")

    host.happens = remove
    made = run(host)
    assert (len(made.sound), made.at_fault, code(made)) == (1, [], 0)
    gone, begun = made.warnings
    assert gone == "db1:/b/2.img was not verified: There is no image db1:/b/2.img."
    assert begun.startswith("db1:/b/1.img was not verified: db1:/b/1.img has no receipt")


def test_an_image_that_is_about_to_be_removed_is_a_warning() -> None:
    """Another command holds its receipt."""

    class Busy(MemoryHost):
        @contextlib.contextmanager
        def reading(self, path: str) -> Iterator[None]:
            if path == "/b/2.img.receipt.json":
                raise LockBusy("It is held.", "Wait.")
            with super().reading(path):
                yield

    made = run(host_with(1, 2, kind=Busy))
    assert made.warnings == ["db1:/b/2.img was not verified: It is held."]
    assert code(made) == 0


def test_what_cannot_be_verified_is_a_warning_unless_nothing_else_was() -> None:
    """The user may not be allowed to read the image."""
    host = host_with(1, 2)
    host.unreadable["/b/2.img.dbn"] = PermissionError(errno.EACCES, "No.", "/b/2.img.dbn")
    made = run(host)
    (warning,) = made.warnings
    assert warning.startswith("db1:/b/2.img was not verified: No.")
    assert code(made) == 0
    host.unreadable["/b/1.img.dbn"] = host.unreadable["/b/2.img.dbn"]
    assert code(run(host)) == ExitCode.UNEXPECTED


def test_what_holds_for_all_images_ends_the_run() -> None:
    """The message says how far the run got, and what it found."""
    host = changing(1, 2, 3)
    host.files["/b/3.img"] = b"x"  # it is not read, since its size is wrong already

    def be_gone() -> None:
        raise HostUnreachable("Gone.", "Look.")

    host.happens = be_gone
    with pytest.raises(HostUnreachable) as caught:
        run(host)
    assert caught.value.left == (
        "1 of 3 images had been verified, and 1 were at fault: /b/3.img. "
        "Nothing else was created or changed."
    )
    host.utilities.clear()
    with pytest.raises(UtilityMissing):
        run(host)


def test_a_signal_stops_between_images() -> None:
    """The message says how many images were verified."""
    host = changing(1, 2, 3)
    host.happens = lambda: host.cancellation.cancel(signal.SIGTERM)
    with pytest.raises(Interrupted) as caught:
        run(host)
    assert caught.value.exit_code == 128 + signal.SIGTERM
    assert "1 of 3 images had been verified, and 0 were at fault. " in caught.value.left


def test_a_receipt_that_cannot_be_used_is_a_fault() -> None:
    """The image is not read, as its contents should be known from the receipt."""
    host = host_with(1)
    host.files |= {"/b/2.img.receipt.json": b"{}", "/b/2.img": b"x", "/b/3.img.dbn": LIST}
    made = run(host)
    assert [one.image.path for one in made.at_fault] == ["/b/2.img"]
    assert made.skipped[0].startswith("skipped: db1:/b/3.img has no receipt")
    assert code(made) == ExitCode.FAULT_FOUND
    del host.files["/b/2.img.receipt.json"], host.files["/b/3.img.dbn"]
    assert run(host).warnings == []


def test_a_receipt_that_is_put_right_meanwhile_is_no_fault() -> None:
    """The next run verifies that image."""

    class PutRight(MemoryHost):
        def read_directory(self, path: str, ending: str) -> Read:
            entries, read = super().read_directory(path, ending)
            return entries, dict.fromkeys(read, b"{}")

    made = run(host_with(1, kind=PutRight))
    assert (made.results, code(made)) == ([], 0)


def test_a_directory_without_an_image_is_a_fault() -> None:
    """Nothing there is known to be good."""
    with pytest.raises(FaultFound, match="db1:/b holds no image that has a receipt"):
        run(host_with())
    with pytest.raises(FaultFound, match="holds no image of /r/y.db that has a receipt"):
        run(host_with(1), master="/r/y.db")
    with pytest.raises(BackupError, match="No such file"):
        run(MemoryHost({}))


def test_a_directory_that_a_rotation_has_not_come_to_fill_yet_is_no_fault() -> None:
    """The first night fills one of two directories; the schedule verifies both that day."""
    host = host_with()
    host.files[f"/b/{promise_name(OURS)}"] = b"{}"
    made = run(host, 30 * DAY)
    assert (made.results, made.warnings, code(made)) == ([], [], 0)
    with pytest.raises(FaultFound, match="holds no image of /r/lib.db that has a receipt"):
        run(host, master="/r/lib.db")
    host.directories.add("/b/monday")
    with pytest.raises(FaultFound, match="holds no image that has a receipt"):
        run(host)


def test_a_rotation_of_the_wanted_repository_may_be_about_to_fill_a_directory() -> None:
    """Rotations of other repositories do not count; a fleet names each one."""
    host = host_with()
    host.files[f"/b/{promise_name(OURS)}"] = b"{}"
    for name, its in (("lib", OURS), ("x", OTHERS)):
        identity = Identity(its, "a" * 32, "db1", f"/r/{name}.db")
        host.files[f"/r/{name}.db.manifest"] = manifest.encode([f"{name}.db"], identity)
    assert code(run(host, master="/r/lib.db")) == 0
    with pytest.raises(FaultFound, match="holds no image of /r/x.db that has a receipt"):
        run(host, master="/r/x.db")


@pytest.mark.parametrize(
    ("number", "promise", "is_fault"),
    [
        (1, {"image_directories": ["/a", "/b"]}, False),
        (2, {"image_directories": ["/a", "/b"]}, True),
        (0, {"image_directories": ["/a", "/b"]}, True),
        (1, {"image_directories": 7}, True),
        (1, None, True),
    ],
)
def test_a_rotation_may_be_about_to_fill_a_directory_that_others_have_filled(
    number: int, promise: dict[str, object] | None, *, is_fault: bool
) -> None:
    """As long as it has made fewer backups than it has directories; else its sets have vanished."""
    host = host_with(1)
    host.directories.add("/b/monday")
    add_set(host, "/b/monday/x.img", 1, OTHERS, "/r/x.db")
    identity = Identity("3" * 32, "a" * 32, "db1", "/r/new.db")
    host.files["/r/new.db.manifest"] = manifest.encode(["new.db"], identity, known=number)
    sealed = sealed_json.encode(promise, sealed_json.PROMISE) if promise else b"damaged"
    host.files[f"/b/{promise_name(identity.id)}"] = sealed
    with pytest.raises(FaultFound) if is_fault else contextlib.nullcontext():
        assert code(run(host, master="/r/new.db")) == 0


def test_the_images_of_one_repository_can_be_told() -> None:
    """The id in its manifest decides, or else its path."""
    host = host_with(1)
    add_set(host, "/b/x.img", 1, OTHERS, "/r/x.db")
    host.files |= {"/b/y.img.receipt.json": b"{}", "/b/y.img.dbn": b"/r/y.db\n"}
    assert read(run(host, master="/r/x.db")) == ["/b/x.img"]
    identity = Identity(OURS, "a" * 32, "db1", "/old/lib.db")
    host.files["/r/new.db.manifest"] = manifest.encode(["new.db"], identity)
    assert read(run(host, master="/r/new.db")) == ["/b/1.img"]


@pytest.mark.parametrize("number", [errno.EACCES, errno.ENOSPC])
def test_that_nothing_can_be_recorded_is_reported(number: int) -> None:
    """Otherwise every run would read the same images."""

    class ReadOnly(MemoryHost):
        def replace(self, path: str, data: bytes, like: str | None = None) -> str:
            raise OSError(number, "No.", path)

    made = run(host_with(1, 2, kind=ReadOnly))
    assert made.warnings[-1].startswith("2 verifications could not be recorded beside their images")
    assert code(made) == 0
