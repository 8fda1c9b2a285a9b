"""The plan of a restore, and the reasons to refuse it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from csf_backup_plugin.errors import (
    NoSpace,
    NotMounted,
    NotWritable,
    RepositoryIncomplete,
    RepositoryNotFound,
    WrongRepository,
)
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.hosts.protocol.values import Completed, Entry
from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.image.latest import Newest
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.receipt import Origin, Receipt
from csf_backup_plugin.image.receipt_format import encode
from csf_backup_plugin.operations.restore.extra_databases import refused
from csf_backup_plugin.operations.restore.plan import RestorePlan, look_at_tools, prepare_restore
from csf_backup_plugin.operations.restore.quarantine import Quarantine
from csf_backup_plugin.operations.restore.request import RestoreRequest
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.identity import Identity
from csf_backup_plugin.repository.location import locate_place, look_at_repository
from csf_backup_plugin.repository.model import Repository
from doubles import Memory, MemoryHost

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

MASTER = "/d/r/lib.db"
IMAGE = "/b/a.img"


def image(
    sizes: Mapping[str, int | None],
    master: str = MASTER,
    mounts: Mapping[str, str] | None = None,
) -> Receipt:
    """Return an image that holds databases."""
    names = "".join(f"{path}\n" for path in sizes).encode()
    origin = Origin("1" * 32, 7, "a" * 32, "db1", mounts=mounts or {})
    started, path = "2026-01-01T00:00:00+00:00", ImagePath("db1", IMAGE)
    return Receipt(master, sizes, 5, None, sealed_json.sha256(names), started, path, origin, sizes)


def site(receipt: Receipt, *on_disk: str, listed: bytes | None = None) -> MemoryHost:
    """Return a host with an image and some databases of three bytes."""
    names = "".join(f"{path}\n" for path in receipt.databases).encode()
    files = {IMAGE: b"image", f"{IMAGE}.dbn": names, **dict.fromkeys(on_disk, b"old")}
    if listed is not None:
        files[f"{MASTER}.manifest"] = listed
    host = MemoryHost(files, ["/d", "/d/r"])
    host.listing = Completed(0, names)
    return host


def plan(
    receipt: Receipt, host: MemoryHost, chosen: Newest | None = None, **options: Any
) -> RestorePlan:
    """Plan a restore."""
    request = RestoreRequest.parse(options.pop("master", MASTER), f"db1:{IMAGE}", **options)
    chosen = chosen or Newest(request.image)
    tools = look_at_tools(request, host)
    return prepare_restore(request, chosen, receipt, host.machine(), tools, host, Memory())


def test_databases_are_overwritten_appear_or_are_extra() -> None:
    """The master database comes first, then by path; other suffixes are ignored."""
    receipt = image({"/d/r/a.db": 3, "/d/r/b.db": None, MASTER: 3})
    found = plan(receipt, site(receipt, MASTER, "/d/r/b.db", "/d/r/new.db", "/d/r/notes.txt"))
    assert list(found.targets) == [MASTER, "/d/r/a.db", "/d/r/b.db"]
    assert found.overwritten == (MASTER, "/d/r/b.db")
    assert found.appearing == ("/d/r/a.db",)
    assert (found.extra, found.elsewhere) == (("/d/r/new.db",), ())
    assert (found.bytes, found.argv[3:], found.timeout) == (6, [], 600)


def test_a_new_disk_has_nothing_to_overwrite() -> None:
    """An empty directory is enough."""
    receipt = image({MASTER: 3})
    found = plan(receipt, site(receipt))
    assert (found.overwritten, found.appearing, found.extra) == ((), (MASTER,), ())


def test_an_extra_database_outside_the_directory_stays() -> None:
    """Nobody would take it for a part of the restored repository."""
    receipt = image({MASTER: 3})
    listed = manifest.encode(["lib.db", "/far/x.db", "/far/gone.db"])
    found = plan(receipt, site(receipt, MASTER, "/far/x.db", listed=listed))
    assert (found.extra, found.elsewhere) == ((), ("/far/x.db",))
    assert found.damaged_manifest is None


def test_a_damaged_manifest_is_no_reason_not_to_restore() -> None:
    """Its readable lines count, and it will be kept."""
    receipt = image({MASTER: 3})
    damaged = manifest.encode(["/far/x.db"]) + b"damage\n"
    found = plan(receipt, site(receipt, MASTER, "/far/x.db", listed=damaged))
    assert found.elsewhere == ("/far/x.db",)
    assert found.damaged_manifest == damaged


def test_into_another_directory_goes_what_was_in_the_first() -> None:
    """One pair of directories is enough."""
    receipt = image({"/q/lib.db": 3, "/q/a.db": 3}, "/q/lib.db")
    found = plan(receipt, site(receipt, "/d/r/a.db"), into="/d/r")
    assert list(found.targets) == [MASTER, "/d/r/a.db"]
    assert found.argv[3:] == ["/q", "/d/r"]
    assert found.overwritten == ("/d/r/a.db",)


def test_what_is_no_file_is_in_the_way() -> None:
    """Otherwise osrestore would fail half way."""
    receipt = image({MASTER: 3, "/d/r/a.db": 3})
    host = site(receipt)
    host.directories.add("/d/r/a.db")
    with pytest.raises(RepositoryIncomplete, match="link is where a database .*: /d/r/a.db"):
        plan(receipt, host)


def test_room_is_needed_for_what_grows_on_each_file_system() -> None:
    """Databases that are on disk already need no more room, however full the disk is."""
    receipt = image({MASTER: 3, "/d/r/a.db": 10**9, "/far/x.db": 3})
    host = site(receipt, MASTER, "/far/x.db")
    host.facts["/far"] = {"device": 2, "free": 0}
    with pytest.raises(NoSpace, match=r"db1:/d/r has 1,000,000,000 bytes free; .*may need"):
        plan(receipt, host)
    host.facts["/d/r"] = {"free": 2 * 10**9}
    assert plan(receipt, host).appearing == ("/d/r/a.db",)


@pytest.mark.parametrize(
    ("now", "before", "after", "room"),
    [
        ({"size": 10**9, "allocated": 10**9 + 4096}, 10**9, 10**9, True),
        ({"size": 10**9, "allocated": 4096}, 10**9, 10**9, False),  # holes are filled
        ({"size": 10**9, "allocated": 10**9}, 3, 10**9 + 10**8, False),
        ({"size": 10**9, "allocated": 10**9}, 10**9 + 10**8, 3, False),
        ({"size": 3, "allocated": 10**9 + 4096}, 10**9, 10**9, True),
    ],
)
def test_room_is_needed_for_what_a_database_may_take_up_on_the_disk(
    now: dict[str, int], before: int, after: int, *, room: bool
) -> None:
    """The larger of its sizes counts, without holes; blocks that it has already need no room."""
    receipt = image({MASTER: before})._replace(after={MASTER: after})
    host = site(receipt, MASTER)
    host.facts[MASTER] = now
    host.facts["/d/r"] = {"free": 2 << 20}
    if room:
        assert plan(receipt, host).overwritten == (MASTER,)
        return
    with pytest.raises(NoSpace, match="take up on the disk now, if they are restored without"):
        plan(receipt, host)


def test_where_nobody_knows_sizes_the_images_own_counts() -> None:
    """The image's size counts for the master database.

    A warning says that nothing can be compared.
    """
    receipt = image({MASTER: None, "/d/r/a.db": None, "/far/x.db": None})._replace(size=10**6)
    host = site(receipt, "/d/r/a.db")
    host.directories.add("/far")
    host.facts["/far"] = {"device": 2, "free": 0}
    host.files["/b/a.img"] = b"i" * 10**6
    host.facts["/d/r"] = {"free": 1 << 20}
    with pytest.raises(NoSpace, match=f"{10**6 - 4096:,} more than"):
        plan(receipt, host)
    host.facts["/d/r/a.db"] = {"allocated": 10**6}
    told = [
        text for text in plan(receipt, host).warnings if "has no sizes of the databases" in text
    ]
    assert told == [
        "the receipt has no sizes of the databases, since the image was proven without them: "
        "whether a restored database is too small cannot be checked"
    ]


def placed(named: Repository, host: MemoryHost, note: Callable[[str], object]) -> Repository:
    """Return the targets of a restore."""
    return locate_place(named, look_at_repository(named, host), host, note)


def test_a_missing_directory_is_reported_with_the_command_that_makes_it() -> None:
    """The directory is not made, since a disk that is not mounted looks the same."""
    receipt = image({MASTER: 3, "/far/x.db": 3})
    with pytest.raises(RepositoryNotFound, match="no directory /far on db1"):
        plan(receipt, site(receipt))
    with pytest.raises(RepositoryNotFound, match="no directory /none on db1") as caught:
        placed(Repository("/none/lib.db"), site(receipt), print)
    assert caught.value.next_step.endswith("mkdir -p /none")


def test_a_master_that_is_a_link_elsewhere_is_refused() -> None:
    """The other databases lie beside the link's target; a missing master is not a link."""
    host, notes = site(image({MASTER: 3}), MASTER), Memory()
    assert placed(Repository(MASTER), host, notes.note) == Repository(MASTER)
    host.facts[MASTER] = {"resolved": "/far/lib.db"}
    with pytest.raises(RepositoryNotFound, match="is a link to /far/lib.db"):
        placed(Repository(MASTER), host, notes.note)
    zoo = Repository("/d/r/zoo.db")
    assert placed(zoo, host, notes.note) == zoo
    assert notes.notes == []


def test_the_refusal_names_every_extra_and_both_ways_on() -> None:
    """Each of them is a command that can be typed; with -quarantine there is no refusal."""
    receipt = image({MASTER: 3})
    request = RestoreRequest.parse(MASTER, f"db1:{IMAGE}")
    found = plan(receipt, site(receipt, "/d/r/it's.db", "/d/r/b.db"))
    place = Quarantine("/d/r.quarantine-1", ())
    refusal = refused(request, found, place)
    assert refusal is not None
    assert "/d/r/b.db, /d/r/it's.db" in refusal.what
    assert f"\n{request.command('-quarantine')}\n" in refusal.next_step
    assert refusal.next_step.endswith(
        "\nmkdir /d/r.quarantine-1 && mv -n -- /d/r/b.db '/d/r/it'\"'\"'s.db' /d/r.quarantine-1/"
    )
    assert refusal.facts == {"extra": ["/d/r/b.db", "/d/r/it's.db"]}
    assert refused(replace(request, quarantine=True), found, place) is None


def zoo(*names: str, dropped: tuple[str, ...] = ()) -> bytes:
    """Return the manifest of another repository with the master database zoo.db."""
    return manifest.encode(["zoo.db", *names], dropped=dropped)


def test_another_repositorys_databases_are_never_moved() -> None:
    """-quarantine leaves both its master and the databases in its manifest alone."""
    receipt = image({MASTER: 3})
    listed = manifest.encode(["lib.db", "new.db"])
    host = site(receipt, MASTER, "/d/r/zoo.db", "/d/r/b.db", "/d/r/new.db", listed=listed)
    host.files["/d/r/zoo.db.manifest"] = zoo("b.db")
    found = plan(receipt, host, quarantine=True)
    assert (found.extra, found.elsewhere) == (("/d/r/new.db",), ())


@pytest.mark.parametrize("damaged", [b"", zoo("b.db") + b"damage\n"])
def test_beside_a_manifest_that_cannot_be_read_nothing_is_restored(damaged: bytes) -> None:
    """It is unknown whose the databases are; the message advises no move."""
    receipt = image({MASTER: 3})
    host = site(receipt, "/d/r/zoo.db", "/d/r/b.db")
    host.files["/d/r/zoo.db.manifest"] = damaged
    with pytest.raises(
        WrongRepository, match="/d/r/zoo.db.manifest on db1 cannot be read whole"
    ) as caught:
        plan(receipt, host, quarantine=True)
    assert "-quarantine" not in caught.value.next_step


def test_a_database_that_another_repository_lists_is_never_overwritten() -> None:
    """Its later work would be lost; the message has each alternative."""
    receipt = image({MASTER: 3, "/d/r/b.db": 3})
    host = site(receipt, MASTER, "/d/r/zoo.db", "/d/r/b.db")
    host.files["/d/r/zoo.db.manifest"] = zoo("b.db")
    with pytest.raises(WrongRepository) as caught:
        plan(receipt, host)
    assert caught.value.exit_code == ExitCode.REPOSITORY_INCOMPLETE
    assert "another repository, /d/r/zoo.db on db1, lists 1 of" in caught.value.what
    assert "in the image: /d/r/b.db." in caught.value.what
    assert "with -into" in caught.value.next_step
    assert caught.value.next_step.endswith(
        "csf admin_database_manifest -database /d/r/zoo.db -host db1 -drop /d/r/b.db"
    )
    host.files["/d/r/zoo.db.manifest"] = zoo(dropped=("b.db",))
    assert plan(receipt, host).overwritten == (MASTER, "/d/r/b.db")
    receipt = image({MASTER: 3, "/d/r/zoo.db": 3})
    host = site(receipt, MASTER, "/d/r/zoo.db")
    host.files["/d/r/zoo.db.manifest"] = zoo()
    with pytest.raises(WrongRepository) as caught:
        plan(receipt, host)
    assert caught.value.next_step.endswith(
        "with -into.\nIf /d/r/zoo.db is not a master database, remove /d/r/zoo.db.manifest."
    )


def test_nothing_is_written_through_a_link_to_another_repositorys_database() -> None:
    """The manifest of its own directory lists it, wherever that is."""
    receipt = image({MASTER: 3, "/d/r/l.db": 3})
    host = site(receipt, MASTER, "/d/r/l.db", "/e/c.db")
    host.files["/e/zoo.db.manifest"] = manifest.encode(["c.db"])
    host.facts["/d/r/l.db"] = {"link": True, "resolved": "/e/c.db"}
    with pytest.raises(WrongRepository, match="/e/zoo.db on db1, lists 1 of .*: /e/c.db"):
        plan(receipt, host)
    host.facts["/d/r/l.db"] = {"link": True, "resolved": "/e/d.db"}
    assert plan(receipt, host).overwritten == (MASTER, "/d/r/l.db")


def test_a_dropped_database_elsewhere_is_another_repositorys_if_that_lists_it() -> None:
    """Its directory is examined although it is dropped.

    If no other lists it, it is refused, too.
    """
    receipt = image({MASTER: 3, "/e/far.db": 3})
    own = manifest.encode(["lib.db"]) + manifest.dropped_lines(["/e/far.db"])
    host = site(receipt, MASTER, "/e/far.db", listed=own)
    with pytest.raises(WrongRepository, match="were dropped from the manifest of"):
        plan(receipt, host)
    host.files["/e/zoo.db.manifest"] = manifest.encode(["far.db"])
    with pytest.raises(WrongRepository, match="/e/zoo.db on db1, lists 1 of .*: /e/far.db"):
        plan(receipt, host)


def test_what_the_ids_leave_open_is_reported() -> None:
    """The image may have no id, or another repository may be at the target."""
    receipt = image({MASTER: 3})
    own = Identity("9" * 32, "a" * 32, "db1", MASTER)
    host = site(receipt, MASTER, listed=manifest.encode(["lib.db"], own))
    nameless = receipt._replace(origin=receipt.origin._replace(id=None, number=None))
    told = "\n".join(plan(nameless, host).warnings)
    assert "the image has no repository id: only its path shows" in told
    over = plan(receipt, host, into="/d/r").warnings
    assert f"{MASTER} is another repository now, and is overwritten" in over


def test_a_database_that_two_repositories_may_have_stops_the_restore() -> None:
    """Otherwise the other repository could lose it; the message says what to type."""
    receipt = image({MASTER: 3})
    host = site(receipt, MASTER, "/d/r/zoo.db", "/d/r/new.db")
    host.files["/d/r/zoo.db.manifest"] = zoo()
    with pytest.raises(WrongRepository, match="are several repositories, and") as caught:
        plan(receipt, host, quarantine=True)
    assert caught.value.facts == {"databases": ["/d/r/new.db"]}
    for master in (MASTER, "/d/r/zoo.db"):
        add = f"admin_database_manifest -database {master} -host db1 -add /d/r/new.db"
        assert add in caught.value.next_step


def test_a_database_that_was_dropped_is_overwritten_only_after_it_was_added() -> None:
    """Until then its owner is unknown; a dropped one that is not on disk is restored."""
    receipt = image({MASTER: 3, "/d/r/b.db": 3})
    listed = manifest.encode(["lib.db"], dropped=["b.db"])
    with pytest.raises(WrongRepository, match="dropped from the manifest .*: /d/r/b.db") as caught:
        plan(receipt, site(receipt, MASTER, "/d/r/b.db", listed=listed))
    assert caught.value.next_step.endswith(f"-database {MASTER} -host db1 -add /d/r/b.db")
    assert plan(receipt, site(receipt, MASTER, listed=listed)).appearing == ("/d/r/b.db",)


def test_a_dropped_database_that_is_not_in_the_image_is_not_moved() -> None:
    """It does not belong to the repository."""
    receipt = image({MASTER: 3})
    listed = manifest.encode(["lib.db"], dropped=["b.db"])
    assert plan(receipt, site(receipt, MASTER, "/d/r/b.db", listed=listed)).extra == ()


def test_require_mount_refuses_a_directory_on_the_file_system_of_the_root() -> None:
    """The disk that should be there is not mounted."""
    receipt = image({MASTER: 3})
    host = site(receipt, MASTER)
    host.directories.add("/")
    assert plan(receipt, host).overwritten == (MASTER,)
    with pytest.raises(NotMounted, match="db1:/d/r is on the file system of /") as caught:
        plan(receipt, host, require_mount=True)
    assert caught.value.exit_code == ExitCode.UNSAFE_IMAGE_PATH
    host.facts["/"] = {"device": 2}
    assert plan(receipt, host, require_mount=True).overwritten == (MASTER,)


MOUNTED = {"/d/r": "/d/r", "/far": "/far", "/b": "/"}


@pytest.mark.parametrize("directory", ["/d/r", "/far"])
def test_a_directory_whose_disk_is_not_mounted_any_more_is_not_restored_to(
    directory: str,
) -> None:
    """The mount would hide the databases later; -accept-unmounted overrides the refusal."""
    receipt = image({MASTER: 3, "/far/x.db": 3}, mounts=MOUNTED)
    host = site(receipt, MASTER, "/far/x.db")
    host.facts |= {"/d/r": {"mount": "/d/r"}, "/far": {"mount": "/far"}}
    assert plan(receipt, host).appearing == ()
    host.facts[directory] = {"mount": "/"}
    with pytest.raises(NotMounted) as caught:
        plan(receipt, host)
    assert f"{directory} on db1 was on the file system mounted at {directory}" in caught.value.what
    assert caught.value.what.endswith("now it is on that of /: its disk is not mounted.")
    assert "-accept-unmounted" in caught.value.next_step
    assert plan(receipt, host, accept_unmounted=True).appearing == ()


@pytest.mark.parametrize(
    ("before", "now"),
    [("/d", "/d/r"), ("/d", "/d"), ("/", "/"), ("/", "/d"), (None, "/")],
)
def test_another_mount_below_the_same_place_is_as_good(before: str | None, now: str) -> None:
    """A mount that the receipt does not mention is good, too."""
    receipt = image({MASTER: 3}, mounts={"/d/r": before} if before else {})
    host = site(receipt, MASTER)
    host.facts["/d/r"] = {"mount": now}
    assert plan(receipt, host).overwritten == (MASTER,)


def test_a_mount_point_whose_name_only_begins_alike_is_another_one() -> None:
    """/d/r2 is not below /d/r, nor is /d."""
    receipt = image({MASTER: 3}, mounts={"/d/r": "/d/r"})
    host = site(receipt, MASTER)
    for mount in ("/d", "/d/r2"):
        host.facts["/d/r"] = {"mount": mount}
        with pytest.raises(NotMounted):
            plan(receipt, host)


def test_into_another_directory_no_earlier_mount_counts() -> None:
    """The receipt says nothing about that directory."""
    receipt = image({"/q/lib.db": 3}, "/q/lib.db", {"/q": "/q", "/d/r": "/d/r"})
    assert plan(receipt, site(receipt), into="/d/r").appearing == (MASTER,)


@pytest.mark.parametrize(
    ("origin", "said"),
    [
        (Origin("1" * 32, 7, "b" * 32, "db2"), "made on db2, and is restored on db1"),
        (Origin("1" * 32, 7, "b" * 32, "db1"), "made on db1, and is restored on db1"),
        (Origin("1" * 32, 7, "", "db1"), "made on db1, and is restored on db1"),
        (Origin(), "made on an unknown machine, and is restored on db1"),
    ],
)
def test_an_image_of_another_machine_is_reported(origin: Origin, said: str) -> None:
    """A restore might overwrite a test server's databases; ids decide, not names."""
    receipt = image({MASTER: 3})._replace(origin=origin)
    assert plan(receipt, site(receipt)).warnings[1].endswith(said)


def test_where_machines_have_no_id_their_names_count() -> None:
    """Nothing else distinguishes them."""
    receipt = image({MASTER: 3})._replace(origin=Origin("1" * 32, 7, "", "db1"))
    host = site(receipt)
    host.itself = host.itself._replace(id="")
    assert len(plan(receipt, host).warnings) == 1
    host.itself = host.itself._replace(name="db2")
    assert plan(receipt, host).warnings[1].endswith("made on db1, and is restored on db2")


def test_what_is_to_be_told_of_the_images_choice_comes_first() -> None:
    """The notice includes receipts that were ignored."""
    receipt = image({MASTER: 3})
    chosen = Newest(ImagePath("db1", IMAGE), future="from the future", notes=("skipped: x",))
    first, second, _unsealed = plan(receipt, site(receipt), chosen).warnings
    assert (first, second) == ("from the future", "skipped: x")


def test_the_highest_number_that_is_known_is_the_repositorys() -> None:
    """It comes from the image's receipt and those beside it, if they can be listed."""
    receipt = image({MASTER: 3})
    host = site(receipt)
    assert plan(receipt, host).number == 7
    for name, number in (("b", 9), ("c", 8)):
        beside = receipt._replace(origin=receipt.origin._replace(number=number))
        host.files[f"/b/{name}.receipt.json"] = encode(
            beside, finished=receipt.started, osbackup=None, shared_disk="no", proven_by="x"
        )
    assert plan(receipt, host).number == 9
    other = receipt._replace(origin=receipt.origin._replace(id="2" * 32))
    assert plan(other, host).number == 7


def test_images_that_may_not_be_listed_are_no_reason_not_to_restore(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A warning says so; the image's own number is known."""
    receipt = image({MASTER: 3})
    host = site(receipt)
    _refuse_listing(host, "/b", monkeypatch)
    found = plan(receipt, host)
    assert found.number == 7
    assert found.warnings[0].startswith("db1:/b cannot be listed (Permission denied): ")


def test_what_the_manifest_lists_and_is_gone_is_reported() -> None:
    """The new manifest will not list it."""
    receipt = image({MASTER: 3})
    listed = manifest.encode(["lib.db", "/far/gone.db"])
    (_unsealed, gone) = plan(receipt, site(receipt, MASTER, listed=listed)).warnings
    assert gone == "/far/gone.db is in the manifest and not on disk; the new one will not list it"


def test_what_a_receipt_leaves_unproven_is_reported_before_anything_is_done() -> None:
    """An image without a checksum may be another one."""
    receipt = image({MASTER: 3})._replace(image=ImagePath("db1", "/b/other.img"))
    first, second = plan(receipt, site(receipt)).warnings
    assert "has no SHA-256" in first
    assert "was made for db1:/b/other.img" in second


def test_a_directory_that_cannot_be_written_to_is_reported_first() -> None:
    """Otherwise osrestore would fail half way."""
    receipt = image({MASTER: 3})
    host = site(receipt, MASTER)
    host.facts["/d/r"] = {"writable": False}
    with pytest.raises(NotWritable, match="/d/r on db1 is not writable") as caught:
        plan(receipt, host)
    assert caught.value.exit_code == ExitCode.UNSAFE_IMAGE_PATH


def test_a_parent_that_may_not_be_looked_into_has_no_quarantine_of_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The restore continues nevertheless."""
    receipt = image({MASTER: 3})
    host = site(receipt, MASTER)
    _refuse_listing(host, "/d", monkeypatch)
    assert plan(receipt, host).overwritten == (MASTER,)


def _refuse_listing(host: MemoryHost, refused: str, monkeypatch: pytest.MonkeyPatch) -> None:
    list_directory = host.list_directory

    def refuse(path: str) -> list[Entry]:
        if path == refused:
            raise PermissionError(13, "Permission denied", path)
        return list_directory(path)

    monkeypatch.setattr(host, "list_directory", refuse)
