"""Proving an image without a receipt: what is asked for, and what is told where it is not there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from csf_backup_plugin import manifest, proven, receipt
from csf_backup_plugin.errors import FaultFound
from csf_backup_plugin.hosts.protocol import Completed
from csf_backup_plugin.identity import Identity
from csf_backup_plugin.image_path import ImagePath
from csf_backup_plugin.proven import Origin, Proven
from csf_backup_plugin.verify.afresh import prove_afresh
from doubles import Memory, MemoryHost

IMAGE = ImagePath("db1", "/b/a.img")
LIST = b"/r/lib.db\n/r/Book.db\n"


@pytest.fixture
def host() -> MemoryHost:
    """Return a host on which osbackup has ended well, and nobody was there to see it."""
    made = MemoryHost(
        {
            "/b/a.img": b"image",
            "/b/a.img.dbn": LIST,
            "/b/a.img.run/status": b"0\n",
            "/b/a.img.run/started": b"2026-11-23T02:10:00Z\n",
        }
    )
    made.listing = Completed(0, LIST)
    return made


def prove(host: MemoryHost, watcher: Memory | None = None) -> tuple[Proven, tuple[str, ...]] | None:
    """Prove the image."""
    return prove_afresh(IMAGE, None, "osrestore", 0, host.machine(), host, watcher or Memory())


def numbered(host: MemoryHost, master: str = "/r/lib.db") -> None:
    """Let the repository be there, with a manifest that tells the number of the backup.

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
    """Return why the image cannot be proven."""
    with pytest.raises(FaultFound) as caught:
        prove(host)
    assert IMAGE.receipt not in host.files
    return caught.value.findings


def test_the_receipt_says_what_can_be_known(host: MemoryHost) -> None:
    """And that it is no backup's own; the record of the run goes."""
    watcher = Memory()
    numbered(host)
    made = prove(host, watcher)
    assert made is not None
    assert made[1] == ()
    facts = receipt.decode(host.files[IMAGE.receipt])
    assert facts["proven_by"] == "admin_database_verify"
    assert facts["master"] == "/r/lib.db"
    assert facts["databases"] == {"/r/lib.db": None, "/r/Book.db": None}
    assert facts["started"] == "2026-11-23T02:10:00+00:00"
    assert facts["import_file_sha256"] == receipt.sha256(LIST)
    assert (facts["image_bytes"], facts["image_sha256"]) == (5, "digest of /b/a.img")
    assert facts["shared_disk"] == "unknown"
    assert (facts["repository_id"], facts["number"]) == ("1" * 32, 7)
    assert (facts["machine_id"], facts["machine"], facts["settled"]) == ("a" * 32, "db1", True)
    assert facts["mounts"] == {}  # what was mounted then is not known
    assert facts["finished"] == host.itself.now
    assert not [path for path in host.files if ".run/" in path]
    assert watcher.steps == [("checking", 5, 5)]


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
    """The manifest is lost, does not tell it, or may not be read; that is a warning."""
    numbered(host)
    del host.files["/r/lib.db.manifest"]
    if isinstance(recorded, bytes):
        host.files["/r/lib.db.manifest"] = recorded
    elif recorded is not None:
        host.unreadable["/r/lib.db.manifest"] = recorded
    made = prove(host)
    assert made is not None
    (warning,) = made[1]
    assert warning.endswith("so its image is never the latest one")
    found = proven.decode(host.files[IMAGE.receipt]).origin
    assert found == Origin(machine_id="a" * 32, machine="db1")
    assert made[0].origin == found


def test_a_damaged_manifest_tells_no_number(host: MemoryHost) -> None:
    """The line that was lost may have had a later one for the same path."""
    numbered(host)
    host.files["/r/lib.db.manifest"] += b"damage\n"
    made = prove(host)
    assert made is not None
    assert made[0].origin.number is None
    assert "never the latest" in made[1][0]


def test_a_moved_or_copied_repository_is_not_settled(host: MemoryHost) -> None:
    """The image is kept apart from those made before."""
    numbered(host, "/was/lib.db")
    made = prove(host)
    assert made is not None
    assert made[0].origin.settled is False
    assert proven.decode(host.files[IMAGE.receipt]) == made[0]


def test_a_receipt_that_came_while_the_lock_was_waited_for_counts(host: MemoryHost) -> None:
    """The backup has ended by itself."""
    host.files[IMAGE.receipt] = b"its own"
    assert prove(host) is None
    assert host.files[IMAGE.receipt] == b"its own"


def test_a_name_that_nothing_bears_is_told_as_that(host: MemoryHost) -> None:
    """It was mistyped, and there is nothing to remove."""
    del host.files["/b/a.img"], host.files["/b/a.img.dbn"]
    assert findings(host) == ("There is no image db1:/b/a.img.",)


def test_all_that_is_wrong_is_told_at_once(host: MemoryHost) -> None:
    """How osbackup ended, and what is not in the image."""
    host.files["/b/a.img.run/status"] = b"139"
    host.listing = Completed(0, b"/r/lib.db\n")
    assert findings(host) == (
        "osbackup failed: exit 139, and it said nothing.",
        "missing from the image: /r/Book.db",
    )


@pytest.mark.parametrize("contents", [None, b"", b"/r/lib.db\n/r/Bo", b"lib.db\n"])
def test_without_a_whole_import_file_nothing_is_known(
    host: MemoryHost, contents: bytes | None
) -> None:
    """It may have been written half."""
    del host.files["/b/a.img.dbn"]
    if contents is not None:
        host.files["/b/a.img.dbn"] = contents
    (finding,) = findings(host)
    assert finding.startswith("the import file /b/a.img.dbn is ")


def test_without_a_record_nobody_knows_how_osbackup_ended(host: MemoryHost) -> None:
    """A sound list does not make up for it."""
    host.directories.discard("/b/a.img.run")
    (finding,) = findings(host)
    assert finding == "how osbackup ended was not recorded: there is no /b/a.img.run"


def test_an_empty_image_is_not_asked_for_its_list(host: MemoryHost) -> None:
    """And neither is a missing one."""
    host.files["/b/a.img"] = b""
    host.listing = Completed(1, b"never")
    assert findings(host) == ("the image /b/a.img is empty",)
    del host.files["/b/a.img"]
    assert findings(host) == ("the image /b/a.img is missing",)


def test_a_backup_of_no_known_time_is_not_proven(host: MemoryHost) -> None:
    """Nobody could say which work is not in it."""
    del host.files["/b/a.img.run/started"]
    assert findings(host) == ("when its backup began is not known",)


def test_an_image_that_still_grows_is_not_proven(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever it is that writes to it."""
    monkeypatch.setattr(host, "digest", lambda *_: (6, "digest"))
    assert findings(host) == ("it is still being written",)


def test_a_record_that_cannot_be_removed_is_a_warning(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The receipt counts."""

    def refuse(_paths: Any) -> None:
        raise PermissionError(13, "Permission denied", "/b/a.img.run")

    monkeypatch.setattr(host, "remove", refuse)
    numbered(host)
    made = prove(host)
    assert made is not None
    (warning,) = made[1]
    assert warning.startswith("/b/a.img.run could not be removed: ")
    assert IMAGE.receipt in host.files


@pytest.mark.parametrize("error", [FileNotFoundError, PermissionError])
def test_where_no_lock_can_be_there_is_no_osbackup(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch, error: type[OSError]
) -> None:
    """The repository is lost, or another user's; but a lock that is there is not passed over."""

    def refuse(*_: object, **__: object) -> None:
        raise error(0, "no", "/r/lib.db.lock")

    monkeypatch.setattr(host, "lock", refuse)
    host.files["/r/lib.db.lock"] = b""
    with pytest.raises(error):
        prove(host)
    del host.files["/r/lib.db.lock"]
    assert prove(host)


def test_the_image_is_on_the_disk_before_the_receipt_says_so(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a backup."""
    steps: list[Sequence[str]] = []
    monkeypatch.setattr(host, "sync", steps.append)
    monkeypatch.setattr(host, "publish", lambda path, _data: steps.append([path]))
    prove(host)
    assert steps == [["/b/a.img", "/b/a.img.dbn"], ["/b/a.img.receipt.json"]]


@pytest.mark.parametrize("order", [b"/r/Book.db\n/r/lib.db\n", b"/r/lib.db\n/r/b\n/r/a\n"])
def test_an_import_file_in_another_order_names_no_master(host: MemoryHost, order: bytes) -> None:
    """The receipt would be another repository's."""
    host.files["/b/a.img.dbn"], host.listing = order, Completed(0, order)
    host.files["/r/lib.db"] = host.files["/r/lib.db.lock"] = b""
    host.directories.add("/r")
    (finding,) = findings(host)
    assert "is not known to be a master" in finding


def test_nobody_is_told_to_remove_anything(host: MemoryHost) -> None:
    """What was named may be a directory, or all that is left."""
    del host.files["/b/a.img.dbn"]
    with pytest.raises(FaultFound) as caught:
        prove(host)
    assert "rm " not in str(caught.value)
    assert "osrestore -t -f /b/a.img" in caught.value.next_step
