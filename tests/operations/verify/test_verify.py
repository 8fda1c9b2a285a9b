"""Verifying an image finds each fault, and reports nothing that is right."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable

import pytest

from csf_backup_plugin.errors import (
    BackupError,
    FaultFound,
    OtherVersion,
    TimedOut,
    WrongRepository,
)
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.hosts.protocol.values import Completed
from csf_backup_plugin.image import receipt, receipt_format, sealed_json
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.operations.verify import Verified, verify
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.identity import Identity
from csf_backup_plugin.repository.model import Repository
from doubles import Memory, MemoryHost, last_first

IMAGE = ImagePath("db1", "/b/a.img")
LATEST = ImagePath("db1", "/b/latest")
LIST = b"/r/lib.db\n/r/Book.db\n"
OURS = "1" * 32
SHA256 = hashlib.sha256(b"image").hexdigest()
FUTURE = "2026-11-25T12:05:01+00:00"  # the host's clock shows 12:00, and 300 s are tolerated


def sealed(
    sha256: str | None = SHA256,
    image: ImagePath = IMAGE,
    started: str = "2026-11-23T02:10:00+00:00",
    number: int | None = 7,
) -> bytes:
    """Return the receipt of the image below."""
    made = receipt.Receipt(
        "/r/lib.db",
        {"/r/lib.db": 3, "/r/Book.db": 2},
        5,
        sha256,
        sealed_json.sha256(LIST),
        started,
        image,
        receipt.Origin(OURS, number, "a" * 32, "db1"),
    )
    return receipt_format.encode(
        made,
        finished=started,
        osbackup="/os/bin/osbackup",
        shared_disk="no",
        proven_by="admin_database_backup",
    )


@pytest.fixture
def host() -> MemoryHost:
    """Return a host with a sound image."""
    made = MemoryHost(
        {"/b/a.img": b"image", "/b/a.img.dbn": LIST, "/b/a.img.receipt.json": sealed()}
    )
    made.listing = Completed(0, LIST)
    return made


def outcome(
    host: MemoryHost,
    listener: Memory | None = None,
    named: ImagePath = IMAGE,
    repository: Repository | None = None,
) -> Verified:
    """Verify an image; check that nothing but its record has changed."""
    before = without_record(host)
    try:
        return verify(named, repository, host, listener or Memory())
    finally:
        assert without_record(host) == before


def without_record(host: MemoryHost) -> dict[str, bytes]:
    """Return every file but the record of a verification."""
    return {path: data for path, data in host.files.items() if not path.endswith(".verify.json")}


def findings(host: MemoryHost, named: ImagePath = IMAGE) -> tuple[str, ...]:
    """Return the findings."""
    with pytest.raises(FaultFound) as caught:
        outcome(host, named=named)
    for finding in caught.value.findings:
        assert finding in str(caught.value)
    return caught.value.findings


def test_a_sound_image_is_verified(host: MemoryHost) -> None:
    """Progress is reported in bytes."""
    listener = Memory()
    made = outcome(host, listener)
    assert (made.image, made.warnings) == (IMAGE, ())
    assert made.receipt.master == "/r/lib.db"
    assert listener.steps == [("checking", 5, 5)]


def test_an_image_without_a_receipt_is_a_finding_and_nothing_is_changed(host: MemoryHost) -> None:
    """It is so even if osbackup has succeeded; no lock is taken, and the advice names prove."""
    del host.files["/b/a.img.receipt.json"]
    host.files["/b/a.img.run/status"] = b"0"
    host.files["/b/a.img.run/started"] = b"2026-11-23T02:10:00Z"
    host.directories.add("/b/a.img.run")
    with pytest.raises(FaultFound, match="has no receipt") as caught:
        outcome(host)
    assert "csf admin_database_prove -image-file db1:/b/a.img" in caught.value.next_step


@pytest.mark.parametrize("known", [True, False])
def test_without_a_sha256_only_the_size_is_compared_and_that_is_reported(
    host: MemoryHost, *, known: bool
) -> None:
    """A receipt made for another name may belong to another image."""
    image = IMAGE if known else ImagePath("db1", "/b/b.img")
    host.files["/b/a.img.receipt.json"] = sealed(None, image)
    warnings = outcome(host).warnings
    assert warnings[0].startswith("the receipt has no SHA-256")
    assert [w for w in warnings if "made for db1:/b/b.img" in w] == list(warnings[1:])
    assert len(warnings) == (1 if known else 2)


def test_a_copy_is_as_good_if_the_bytes_are_the_same(host: MemoryHost) -> None:
    """The outcome has the name that it had when it was made."""
    made_as = ImagePath("db1", "/old/x.img")
    host.files["/b/a.img.receipt.json"] = sealed(image=made_as)
    made = outcome(host)
    assert (made.warnings, made.receipt.image) == ((), made_as)


def gone(host: MemoryHost) -> None:
    """Remove the image."""
    del host.files["/b/a.img"]


def emptied(host: MemoryHost) -> None:
    """Empty the image."""
    host.files["/b/a.img"] = b""


def replaced(host: MemoryHost) -> None:
    """Replace the image by a directory."""
    gone(host)
    host.directories.add("/b/a.img")


def shortened(host: MemoryHost) -> None:
    """Truncate the image."""
    host.files["/b/a.img"] = b"imag"


def flipped(host: MemoryHost) -> None:
    """Change the image's bytes."""
    host.files["/b/a.img.receipt.json"] = sealed("0" * 64)


def relisted(host: MemoryHost) -> None:
    """Replace it by another image."""
    host.listing = Completed(0, b"/r/lib.db\n/r/New.db\n")


def unlistable(host: MemoryHost) -> None:
    """Make it unreadable for osrestore."""
    host.listing = Completed(3, b"not an image\n")


def unnamed(host: MemoryHost) -> None:
    """Remove the import file."""
    del host.files["/b/a.img.dbn"]


def renamed(host: MemoryHost) -> None:
    """Edit the import file."""
    host.files["/b/a.img.dbn"] = b"/r/lib.db\n/r/Boot.db\n"


def reordered(host: MemoryHost) -> None:
    """Reorder the lines of the import file."""
    host.files["/b/a.img.dbn"] = b"/r/Book.db\n/r/lib.db\n"


def unsealed(host: MemoryHost) -> None:
    """Edit the receipt."""
    host.files["/b/a.img.receipt.json"] = sealed().replace(b"Book", b"Boot")


DAMAGES: list[tuple[Callable[[MemoryHost], None], list[str]]] = [
    (gone, ["the image /b/a.img is missing"]),
    (emptied, ["the image /b/a.img is empty"]),
    (replaced, ["the image /b/a.img is not a file"]),
    (shortened, ["the image holds 4 bytes; its receipt says 5"]),
    (flipped, [f"the image's SHA-256 is {SHA256}; its receipt says {'0' * 64}"]),
    (relisted, ["missing from the image: /r/Book.db", "not expected in the image: /r/New.db"]),
    (unlistable, ["osrestore -t cannot read the image: exit 3, and printed:\n    not an image"]),
    (unnamed, ["the import file /b/a.img.dbn is missing"]),
    (
        renamed,
        [
            "the import file /b/a.img.dbn was changed since the backup",
            "missing from the import file: /r/Book.db",
            "not expected in the import file: /r/Boot.db",
        ],
    ),
    (reordered, ["the import file /b/a.img.dbn was changed since the backup"]),
    (
        unsealed,
        ["The receipt db1:/b/a.img.receipt.json is damaged: changed since it was written"],
    ),
]


@pytest.mark.parametrize(("damage", "expected"), DAMAGES, ids=lambda d: getattr(d, "__name__", ""))
def test_each_damage_is_named(
    host: MemoryHost, damage: Callable[[MemoryHost], None], expected: list[str]
) -> None:
    """No other finding is reported."""
    damage(host)
    assert [finding.rstrip(".") for finding in findings(host)] == expected


def test_a_newer_receipt_is_no_damage(host: MemoryHost) -> None:
    """Other damage of the image is still reported."""
    host.files[IMAGE.receipt] = host.files[IMAGE.receipt].replace(b"receipt/1", b"receipt/2")
    with pytest.raises(OtherVersion, match="newer version"):
        outcome(host)
    unnamed(host)
    assert [text for text in findings(host) if "import file" in text]


def test_damages_are_named_together(host: MemoryHost) -> None:
    """All three files are examined; a damaged receipt does not hide the others."""
    unsealed(host)
    unnamed(host)
    gone(host)
    assert len(findings(host)) == 3


@pytest.mark.parametrize("change", [gone, unnamed])
def test_a_backup_that_ends_meanwhile_is_no_fault(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch, change: Callable[[MemoryHost], None]
) -> None:
    """Its receipt may be read after image and import file were examined."""
    whole, sound = dict(host.files), host.files[IMAGE.receipt]
    read = host.read

    def late(path: str) -> bytes | None:
        if path == IMAGE.receipt:
            host.files = whole
            return sound
        return read(path)

    monkeypatch.setattr(MemoryHost, "together", last_first)
    monkeypatch.setattr(host, "read", late)
    host.files = dict(whole)
    change(host)
    assert verify(IMAGE, None, host, Memory()).receipt.size == 5


def test_what_a_failing_disk_does_not_give_back_is_a_finding(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be the image, the import file or the receipt."""

    def failing(path: str, *_: object) -> None:
        raise OSError(errno.EIO, "Input/output error", path)

    with monkeypatch.context() as patch:
        patch.setattr(host, "digest", failing)
        assert findings(host) == ("the image cannot be read: Input/output error",)
    monkeypatch.setattr(host, "read", failing)
    assert findings(host)[:2] == (
        "The receipt db1:/b/a.img.receipt.json cannot be read: Input/output error.",
        "the import file /b/a.img.dbn cannot be read: Input/output error",
    )


def test_the_next_step_is_a_command_that_can_be_typed(host: MemoryHost) -> None:
    """It is a new backup with an unused name."""
    gone(host)
    with pytest.raises(FaultFound) as caught:
        outcome(host)
    assert caught.value.next_step.endswith(
        "csf admin_database_backup -database /r/lib.db -image-file db1:/b/a.img-again"
    )


def test_an_osrestore_that_does_not_end_is_a_timeout(
    host: MemoryHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """osrestore may be waiting for an operator."""

    def hang(*_: object) -> None:
        raise TimeoutError

    monkeypatch.setattr(host, "run", hang)
    with pytest.raises(TimedOut, match="db1:/b/a.img within 600 s"):
        outcome(host)


def test_where_nothing_tells_what_should_be_in_it_nothing_is_unexpected(host: MemoryHost) -> None:
    """There is neither receipt nor import file; osrestore must still list the image."""
    unsealed(host)
    unnamed(host)
    assert len(findings(host)) == 2
    unlistable(host)
    assert len(findings(host)) == 3


def test_who_may_not_read_is_told_so(host: MemoryHost, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no fault of the image."""
    for refused in ("/b/a.img.receipt.json", "/b/a.img.dbn", "/b/a.img"):

        def refuse(path: str, *_: object, refused: str = refused) -> bytes | None:
            if path == refused:
                raise PermissionError(errno.EACCES, "Permission denied", path)
            return host.files.get(path)

        with monkeypatch.context() as patch:
            patch.setattr(host, "read", refuse)
            if refused == "/b/a.img":
                patch.setattr(host, "digest", refuse)
            with pytest.raises(BackupError, match="Permission denied") as caught:
                outcome(host)
        assert caught.value.exit_code == 1


def test_a_receipt_that_names_no_databases_proves_nothing(host: MemoryHost) -> None:
    """Neither does an image without databases."""
    facts = sealed_json.decode(sealed())
    host.files[IMAGE.receipt] = sealed_json.encode(
        {**facts, "databases": {}, "databases_after": {}}
    )
    assert "the receipt names no databases" in findings(host)


def with_manifest(host: MemoryHost, master: str, identity: str | None) -> Repository:
    """Return another repository on the host, with a manifest."""
    home = Identity(identity, "a" * 32, "db1", master) if identity else None
    host.files |= {master: b"", f"{master}.manifest": manifest.encode(["lib.db"], home)}
    host.directories.add(master.rpartition("/")[0])
    return Repository(master)


@pytest.mark.parametrize(
    ("master", "identity"),
    [("/r/lib.db", OURS), ("/moved/lib.db", OURS), ("/r/lib.db", None)],
)
def test_an_image_of_the_repository_that_is_named_is_verified(
    host: MemoryHost, master: str, identity: str | None
) -> None:
    """Ids are compared or, if one is unknown, paths."""
    assert outcome(host, repository=with_manifest(host, master, identity)).image == IMAGE


@pytest.mark.parametrize(
    ("master", "identity"),
    [("/r/lib.db", "2" * 32), ("/q/lib.db", "2" * 32), ("/q/lib.db", None)],
)
def test_an_image_of_another_repository_than_is_named_is_refused(
    host: MemoryHost, master: str, identity: str | None
) -> None:
    """Both are named, even if the image is damaged."""
    shortened(host)
    with pytest.raises(WrongRepository) as caught:
        outcome(host, repository=with_manifest(host, master, identity))
    assert caught.value.exit_code == ExitCode.REPOSITORY_INCOMPLETE
    assert f"{IMAGE} is an image of /r/lib.db, repository {OURS}" in caught.value.what
    assert f"{master} is another repository" in caught.value.what


def test_a_repository_that_is_named_need_not_be_there_any_more(host: MemoryHost) -> None:
    """If it is lost, its path identifies it."""
    assert outcome(host, repository=Repository("/r/lib.db")).image == IMAGE
    with pytest.raises(WrongRepository):
        outcome(host, repository=Repository("/q/lib.db"))


def add_unusable(host: MemoryHost, modified: float, imported: bytes | None = None) -> None:
    """Put an image with a damaged receipt beside the sound one, whose receipt is of second 50."""
    host.files |= {"/b/z.img": b"image", "/b/z.img.receipt.json": sealed()[:-3] + b"...\n"}
    host.files |= {} if imported is None else {"/b/z.img.dbn": imported}
    host.modified |= {"/b/a.img.receipt.json": 50, "/b/z.img.receipt.json": modified}


@pytest.mark.parametrize("imported", [None, LIST])
def test_a_receipt_that_may_be_of_a_newer_image_is_a_finding_of_the_latest(
    host: MemoryHost, imported: bytes | None
) -> None:
    """It is not known which image is the newest; the image itself has no finding."""
    add_unusable(host, 51, imported)
    with pytest.raises(FaultFound, match="whether it is the newest image is not certain") as caught:
        outcome(host, named=LATEST)
    (finding,) = caught.value.findings
    assert finding.startswith("db1:/b/z.img has a receipt that is damaged: ")
    assert finding.endswith(": it may be newer than db1:/b/a.img")
    assert outcome(host).warnings == ()  # it was named


@pytest.mark.parametrize(("modified", "imported", "told"), [(49, LIST, 1), (51, b"/q/x.db\n", 0)])
def test_a_receipt_that_cannot_be_of_a_newer_image_is_a_warning_at_most(
    host: MemoryHost, modified: float, imported: bytes, told: int
) -> None:
    """It was written before, or belongs to another repository."""
    add_unusable(host, modified, imported)
    warnings = outcome(host, named=LATEST).warnings
    assert [text.partition(" has ")[0] for text in warnings] == ["skipped: db1:/b/z.img"] * told


def test_what_is_wrong_with_the_latest_and_with_its_choice_is_reported_together(
    host: MemoryHost,
) -> None:
    """The image is damaged, and may not be the newest."""
    add_unusable(host, 51)
    shortened(host)
    first, second = findings(host, LATEST)
    assert first == "the image holds 4 bytes; its receipt says 5"
    assert second.endswith("it may be newer than db1:/b/a.img")


@pytest.mark.parametrize("named", [IMAGE, LATEST])
def test_the_newest_image_whose_backup_began_in_the_future_is_a_finding(
    host: MemoryHost, named: ImagePath
) -> None:
    """This holds however it is named: a clock was wrong then, or is wrong now."""
    host.files["/b/a.img.receipt.json"] = sealed(started=FUTURE)
    (finding,) = findings(host, named)
    assert finding == (
        f"{IMAGE} says that its backup began at {FUTURE}, which is in the future: the host's clock "
        f"says {host.itself.now}"
    )
    host.files["/b/a.img.receipt.json"] = sealed(started="2026-11-25T12:05:00+00:00")
    assert outcome(host, named=named).warnings == ()


@pytest.mark.parametrize("number", [6, None])
def test_an_older_image_from_the_future_is_a_warning(host: MemoryHost, number: int | None) -> None:
    """It is not taken for the newest any more."""
    host.files["/b/a.img.receipt.json"] = sealed(started=FUTURE, number=number)
    host.files["/b/b.img.receipt.json"] = sealed(image=ImagePath("db1", "/b/b.img"))
    (warning,) = outcome(host).warnings
    assert warning.startswith(f"{IMAGE} says that its backup began at {FUTURE}, which is in the")
