"""What a receipt says about an image, read back."""

from __future__ import annotations

import datetime
import json

import pytest

from csf_backup_plugin.errors import FaultFound
from csf_backup_plugin.image import receipt, receipt_file, receipt_format, sealed_json
from csf_backup_plugin.image.contents import read_contents
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.receipt import Origin, Placement
from csf_backup_plugin.repository.identity import Identity
from doubles import MemoryHost

IMAGE = ImagePath("db1", "/b/a.img")


def test_a_receipt_that_leaves_something_out_is_none() -> None:
    """Sealed or not, it says too little about the image."""
    with pytest.raises(sealed_json.CorruptDocument, match="lacks 'databases'"):
        receipt_format.decode(sealed_json.encode({"image": "/b/a.img"}))


@pytest.mark.parametrize(
    "origin",
    [
        Origin(),
        Origin("1" * 32, 7, "a" * 32, "db1", settled=False, mounts={"/r": "/", "/b": "/b"}),
        Origin("1" * 32, None, "", "db1"),
    ],
)
def test_what_is_encoded_is_decoded(origin: Origin) -> None:
    """It has all that is known about how the image was made."""
    made = receipt.Receipt(
        "/r/lib.db",
        {"/r/lib.db": None},
        5,
        None,
        "digest",
        "2026-11-23T02:10:00+00:00",
        IMAGE,
        origin,
        {"/r/lib.db": None},
    )
    data = receipt_format.encode(
        made,
        finished="2026-11-23T02:20:00+00:00",
        osbackup=None,
        shared_disk="no",
        proven_by="admin_database_verify",
    )
    assert receipt_format.decode(data) == made
    facts = sealed_json.decode(data)
    assert (facts["osbackup"], facts["shared_disk"]) == (None, "no")
    assert facts["finished"] == "2026-11-23T02:20:00+00:00"
    assert (facts["repository_id"], facts["number"]) == (origin.id, origin.number)
    assert facts["producer"].startswith("csf-backup-plugin ")


SOUND = {
    "master": "/r/lib.db",
    "databases": {"/r/lib.db": 3, "/r/b.db": None},
    "databases_after": {"/r/lib.db": 4, "/r/b.db": None},
    "changed": ["/r/lib.db"],
    "image_bytes": 5,
    "image_sha256": None,
    "import_file_sha256": "0",
    "started": "2026-11-25T02:10:00+00:00",
    "host": "db1",
    "image": "/b/a.img",
    "machine_id": "",
    "machine": "db1",
    "repository_id": "1",
    "number": 7,
    "settled": True,
    "mounts": {"/r": "/", "/b": "/b"},
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"databases": []},
        {"databases": {"/r/lib.db": -1}},
        {"databases": {"/r/lib.db": True}},
        {"databases": {"/r/lib.db": 1 << 64}},
        {"databases": {"/r/lib.db": 10**4000}},
        {"databases": {"/r/lib.db": 3, "b.db": 3}},
        {"databases": {"/r/lib.db": 3, "/r/" + "b" * 256: 3}},
        {"databases": {"/r/lib.db": 3, "/r" * 4096: 3}},
        {"master": "lib.db", "databases": {"lib.db": 3}},
        {"master": ["/r/lib.db"]},
        {"master": {}},
        {"databases_after": []},
        {"databases_after": {"/r/lib.db": 4}},
        {"databases_after": {"/r/lib.db": 4, "/r/b.db": "3"}},
        {"changed": "/r/lib.db"},
        {"changed": ["/r/other.db"]},
        {"changed": [{}]},
        {"master": "/elsewhere.db"},
        {"image": "a.img"},
        {"image": "/b/"},
        {"image_bytes": float("nan")},
        {"image_sha256": "0" * 5000},
        {"import_file_sha256": "0" * 5000},
        {"host": "h" * 5000},
        {"machine": "m" * 5000},
        {"repository_id": "1" * 5000},
        {"number": 1 << 64},
        {"mounts": {"/r": "m" * 5000}},
        {"started": "0000-01-01T00:00:00+00:00"},
        {"started": "0001-01-01T00:00:00+23:59"},
        {"started": "9" * 5000},
        {"image_bytes": "5"},
        {"image_sha256": 5},
        {"host": None},
        {"started": 17},
        {"started": "soon"},
        {"started": "2026-11-25T02:10:00"},
        {"machine_id": None},
        {"machine": None},
        {"repository_id": 1},
        {"repository_id": None},
        {"number": -1},
        {"number": True},
        {"number": "7"},
        {"settled": 1},
        {"mounts": None},
        {"mounts": ["/r"]},
        {"mounts": {"/r": None}},
    ],
)
def test_a_sealed_receipt_says_only_what_a_backup_writes(wrong: dict[str, object]) -> None:
    """A reader can rely on that."""
    assert receipt_format.decode(sealed_json.encode(SOUND)).master == "/r/lib.db"
    assert (
        receipt_format.decode(sealed_json.encode({**SOUND, "number": None})).origin.number is None
    )
    with pytest.raises(sealed_json.CorruptDocument, match="no backup writes"):
        receipt_format.decode(sealed_json.encode({**SOUND, **_alike(wrong), **wrong}))


@pytest.mark.parametrize(
    "wrong",
    [
        {"place": "someday"},
        {"place": ["monday"]},
        {"slot": None},
        {"slot": "tomorrow"},
        {"run_id": None},
    ],
)
def test_a_placement_is_one_that_a_rotation_makes(wrong: dict[str, object]) -> None:
    """Place, slot and run are all present, or none is."""
    told = {"place": "monday", "slot": "2026-11-23", "run_id": "x"}
    placement = receipt_format.decode(sealed_json.encode({**SOUND, **told})).placement
    assert placement == Placement("monday", datetime.date(2026, 11, 23), "x")
    with pytest.raises(sealed_json.CorruptDocument, match="no rotation has"):
        receipt_format.decode(sealed_json.encode({**SOUND, **told, **wrong}))


@pytest.mark.parametrize("wrong", [{"suspicions": "none"}, {"accepted": 1}])
def test_suspicions_are_a_list_and_were_accepted_or_not(wrong: dict[str, object]) -> None:
    """Older receipts have neither."""
    assert receipt_format.decode(sealed_json.encode(SOUND)).suspicions == ()
    with pytest.raises(sealed_json.CorruptDocument, match="no backup writes"):
        receipt_format.decode(sealed_json.encode({**SOUND, **wrong}))


def _alike(wrong: dict[str, object]) -> dict[str, object]:
    """Return values that fit the databases, so that only those are wrong."""
    databases = wrong.get("databases", SOUND["databases"])
    return {"databases_after": databases, "changed": None}


@pytest.mark.parametrize("fact", SOUND)
def test_a_receipt_tells_everything(fact: str) -> None:
    """Nothing that a backup writes must be guessed."""
    facts = {name: value for name, value in SOUND.items() if name != fact}
    with pytest.raises(sealed_json.CorruptDocument, match=f"lacks '{fact}'"):
        receipt_format.decode(sealed_json.encode(facts))


def test_an_origin_tells_an_identity_if_it_has_an_id() -> None:
    """It is at home where the backup was made."""
    origin = Origin("1" * 32, 7, "a" * 32, "db1")
    assert origin.identity("/r/lib.db") == Identity("1" * 32, "a" * 32, "db1", "/r/lib.db")
    assert Origin(machine="db1").identity("/r/lib.db") is None


def test_databases_are_named_as_a_manifest_names_them() -> None:
    """Databases beside the master database are named without a directory."""
    made = receipt.Receipt(
        "/r/lib.db", {"/r/lib.db": 1, "/far/x.db": 2}, 5, None, "", "2026-11-23", IMAGE
    )
    assert made.names == ("lib.db", "/far/x.db")


def resealed(schema: str) -> bytes:
    """Return a receipt of another version of this plugin."""
    return json.dumps({**SOUND, "schema": schema, "~sha256": "unknown here"}).encode()


@pytest.mark.parametrize(
    ("data", "what", "next_step"),
    [
        (None, "There is no image db1:/b/a.img.", "Check -image-file"),
        (b"{}", "a.img.receipt.json is damaged: not a receipt", "Use another image. If this is"),
        (resealed("csf-backup/receipt/2"), "cannot be used: it is of a newer", "Use this plugin"),
        (resealed("csf-backup/1"), "cannot be used: it is of an unreleased", "Make a new backup."),
    ],
)
def test_a_receipt_that_cannot_be_used_says_what_to_do(
    data: bytes | None, what: str, next_step: str
) -> None:
    """It advises another image, or another version of the plugin."""
    host = MemoryHost({IMAGE.receipt: data} if data else {})
    with pytest.raises(FaultFound) as caught:
        receipt_file.read_receipt(read_contents(IMAGE, host), host)
    assert what in caught.value.what
    assert caught.value.next_step.startswith(next_step)
    if data:
        assert f"osrestore -t -f {IMAGE.path} shows" in caught.value.next_step


def test_a_receipt_without_end_is_none() -> None:
    """A document nested too deeply is refused."""
    with pytest.raises(sealed_json.CorruptDocument):
        receipt_format.decode(b"[" * 100_000)
