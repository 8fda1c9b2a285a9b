"""Which image HOST:DIR/latest means."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from receipts import ID, MACHINE_ID, STARTED, made, receipts

from csf_backup_plugin.errors import FaultFound, WrongRepository
from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.hosts.protocol.values import Machine
from csf_backup_plugin.image.latest import Newest, check_clock, choose, future
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.wanted_repository import Wanted
from csf_backup_plugin.repository.identity import Identity
from csf_backup_plugin.repository.model import Repository
from doubles import MemoryHost

if TYPE_CHECKING:
    from csf_backup_plugin.image.receipt import Receipt

LATEST = ImagePath("db1", "/b/latest")
HERE = Machine(MACHINE_ID, "db1", "2026-11-25T12:00:00+00:00")
OWN = Identity(ID, MACHINE_ID, "db1", "/r/lib.db")
LATER = "2027-01-01T00:00:00+00:00"


def host_with(*all_made: Receipt, **files: bytes) -> MemoryHost:
    """Return a host with receipts of images, and files in their directory."""
    return MemoryHost({**receipts(*all_made), **{f"/b/{n}": d for n, d in files.items()}}, ["/b"])


def newest(host: MemoryHost, identity: Identity | None = None, master: str = "") -> Newest:
    """Find the latest image, of a repository if one is given."""
    repository = Repository(master or "/r/lib.db")
    wanted = Wanted(repository, identity) if identity or master else None
    return choose(LATEST, host.look(["/b"])[0], wanted, HERE, host, lambda _text: None)


def test_any_other_name_is_an_images_own() -> None:
    """It does not matter whether it exists, but the directory is resolved."""
    notes: list[str] = []
    host = MemoryHost({}, ["/link"])
    host.facts["/link"] = {"resolved": "/b"}
    image = ImagePath("db1", "/link/latest.img")
    (at,) = host.look(["/link"])
    assert choose(image, at, None, HERE, host, notes.append).image.path == "/b/latest.img"
    assert notes == ["db1:/link/latest.img is db1:/b/latest.img"]


def test_the_highest_number_is_the_newest_whatever_the_clock_said() -> None:
    """The start time comes from a clock, which may have been wrong."""
    found = newest(host_with(made("/b/a", 9, started="2020-01-01T00:00:00+00:00"), made("/b/b", 8)))
    assert found.image.path == "/b/a"
    assert (found.findings, found.warnings) == ((), ())


def test_of_two_copies_the_one_that_has_kept_its_name_is_taken() -> None:
    """Without such a name, the last by name is taken: always the same one."""
    host = host_with(made("/b/a", 1), made("/b/b", 1))
    host.files["/b/c.receipt.json"] = host.files["/b/a.receipt.json"]
    assert newest(host).image.path == "/b/b"
    host.files["/b/b.receipt.json"] = host.files["/b/a.receipt.json"]
    del host.files["/b/a.receipt.json"]
    assert newest(host).image.path == "/b/c"


def test_images_of_several_repositories_are_distinguished_by_the_database() -> None:
    """Without it they are all named, and none is taken."""
    host = host_with(made("/b/a", 3), made("/b/b", 9, id="2" * 32, master="/q/x.db"))
    with pytest.raises(WrongRepository, match="several repositories") as caught:
        newest(host)
    assert caught.value.exit_code == ExitCode.REPOSITORY_INCOMPLETE
    assert "/q/x.db on db1, repository 2222" in caught.value.what
    assert caught.value.facts == {"repositories": ["/q/x.db", "/r/lib.db"]}
    assert newest(host, OWN).image.path == "/b/a"
    assert newest(host, master="/q/x.db").image.path == "/b/b"
    with pytest.raises(FaultFound, match="no image of /no.db that has a sound receipt"):
        newest(host, master="/no.db")


def test_one_path_on_two_machines_never_mixes() -> None:
    """The other machine's image is not taken even if there is no own one."""
    other = {"id": "2" * 32, "machine_id": "b" * 32, "machine": "db2"}
    host = host_with(made("/b/a", 3), made("/b/b", 9, **other))
    with pytest.raises(WrongRepository, match="several"):
        newest(host)
    assert newest(host, OWN).image.path == "/b/a"
    assert newest(host, master="/r/lib.db").image.path == "/b/a"
    with pytest.raises(WrongRepository, match="repositories that may not have been at") as caught:
        newest(host_with(made("/b/b", 9, **other)), master="/r/lib.db")
    assert "/r/lib.db on db2, repository 2222" in caught.value.what
    assert caught.value.next_step == "Name the image that you mean instead of latest."


def test_two_repositories_that_were_at_one_path_are_both_named() -> None:
    """No manifest shows which of them is meant."""
    host = host_with(made("/b/a", 3), made("/b/b", 9, id="2" * 32))
    with pytest.raises(WrongRepository, match="images of several repositories that were at"):
        newest(host, master="/r/lib.db")


def test_what_was_moved_or_copied_is_kept_apart_until_somebody_says_which() -> None:
    """The machine and the path of the backups distinguish them."""
    copy: dict[str, Any] = {"settled": False, "master": "/copy/lib.db"}
    host = host_with(made("/b/a", 3), made("/b/b", 9, **copy), made("/b/c", 5, settled=True))
    with pytest.raises(WrongRepository, match="several"):
        newest(host)
    assert newest(host, OWN).image.path == "/b/c"
    assert newest(host, OWN, "/copy/lib.db").image.path == "/b/b"


def test_before_its_first_backup_a_moved_repository_is_told_of_its_old_images() -> None:
    """The message has the command that says that it was moved."""
    with pytest.raises(WrongRepository, match="no image of /new/lib.db as it is now") as caught:
        newest(host_with(made("/b/a", 3)), OWN, "/new/lib.db")
    assert "the path was /r/lib.db and is /new/lib.db. These were made before" in caught.value.what
    assert "its newest image is db1:/b/a, backup 3" in caught.value.what
    assert caught.value.next_step.endswith("-database /new/lib.db -host db1 -rebuild -moved")


def test_one_that_was_moved_is_the_same_repository() -> None:
    """Images from before and after the move count together."""
    between = made("/b/b", 4, master="/new/lib.db", settled=False)
    moved = OWN.moved(HERE, "/new/lib.db")
    assert newest(host_with(made("/b/a", 3), between), moved, "/new/lib.db").image.path == "/b/b"
    host = host_with(made("/b/a", 3), between, made("/b/c", 5, master="/new/lib.db"))
    assert newest(host).image.path == "/b/c"
    assert newest(host, moved, "/new/lib.db").image.path == "/b/c"


def test_a_doubt_may_be_of_what_was_moved() -> None:
    """For an unusable receipt, only the import file shows the path."""
    files = {"c.receipt.json": b"?", "c.dbn": b"/new/lib.db\n"}
    host = host_with(made("/b/a", 3), made("/b/b", 4, master="/new/lib.db"), **files)
    host.modified["/b/c.receipt.json"] = 9.0
    assert newest(host).doubts


def test_two_images_with_one_number_are_a_doubt() -> None:
    """Numbers come twice if a manifest could not be written; copies do not count."""
    first, second = made("/b/a", 3), made("/b/b", 3, size=7)
    host = host_with(first, second)
    host.files["/b/c.receipt.json"] = host.files["/b/b.receipt.json"]
    assert newest(host).doubts == ("db1:/b/a and db1:/b/b both say that they are backup 3",)


def test_an_id_that_two_repositories_have_is_a_doubt() -> None:
    """It was said to have moved to another machine, but is still in use here."""
    host = host_with(made("/b/a", 3), made("/b/b", 4, machine_id="b" * 32, machine="db2"))
    (doubt,) = newest(host, OWN).doubts
    assert doubt.startswith(
        "db1:/b/b is an image of a repository with the same id: /r/lib.db on db2."
    )
    moved = Identity(ID, "b" * 32, "db2", "/r/lib.db")
    there = HERE._replace(id="b" * 32, name="db2")
    wanted = Wanted(Repository("/r/lib.db"), moved)
    assert choose(LATEST, host.look(["/b"])[0], wanted, there, host, print).doubts == ()


def test_a_clone_with_another_name_is_kept_apart() -> None:
    """The machine-id may be the same, and no manifest shows which one is meant."""
    host = host_with(made("/b/a", 3), made("/b/b", 4, machine="clone", settled=False))
    for identity in (OWN, None):
        assert newest(host, identity, "/r/lib.db").image.path == "/b/a"


def test_a_renamed_machine_still_has_its_images() -> None:
    """This holds before and after the renaming, and without a manifest."""
    renamed = made("/b/b", 4, machine="db2", settled=False)
    host = host_with(made("/b/a", 3), renamed)
    (at,), machine = host.look(["/b"]), HERE._replace(name="db2")
    for identity in (OWN, None):
        wanted = Wanted(Repository("/r/lib.db"), identity)
        assert choose(LATEST, at, wanted, machine, host, print).image.path == "/b/b"


def test_where_it_was_before_a_move_it_is_no_more() -> None:
    """The path alone does not make an old image the newest."""
    host = host_with(made("/b/a", 3), made("/b/b", 4, master="/new/lib.db"))
    with pytest.raises(WrongRepository, match="repositories that may not have been at") as caught:
        newest(host, master="/r/lib.db")
    assert "/new/lib.db on db1" in caught.value.what


def test_an_image_without_a_number_is_never_the_latest() -> None:
    """An image without an id is not the latest either."""
    host = host_with(made("/b/a", 1), made("/b/b", None), made("/b/c", None, id=None))
    assert newest(host).image.path == "/b/a"
    with pytest.raises(FaultFound, match="no image that has a sound receipt with a backup's") as e:
        newest(host_with(made("/b/b", None), **{"x.dbn": b""}))
    assert "admin_database_prove" in e.value.next_step
    assert e.value.findings[0].startswith("skipped: db1:/b/x has no receipt")


def test_a_receipt_written_later_that_cannot_be_used_is_a_doubt() -> None:
    """It may belong to a newer image; an older one, or another repository's, is no doubt."""
    for modified, import_file, doubt in (
        (5.0, b"/r/lib.db\n", True),
        (5.0, b"", True),
        (5.0, b"/q/x.db\n", False),
        (4.0, b"/r/lib.db\n", True),
        (3.0, b"/r/lib.db\n", False),
    ):
        host = host_with(made("/b/a", 1), **{"b.receipt.json": b"{}", "b.dbn": import_file})
        host.modified = {"/b/a.receipt.json": 4.0, "/b/b.receipt.json": modified}
        found = newest(host)
        assert bool(found.doubts) == bool(found.findings) == doubt
        assert bool(found.warnings) == (not doubt and b"/q/" not in import_file)


def test_a_set_without_receipt_is_a_warning_only() -> None:
    """A backup may be running; if it was started later, a restore does not ignore it."""
    host = host_with(made("/b/a", 1), **{"b.dbn": b"/r/lib.db\n"})
    host.modified["/b/a.receipt.json"] = 4.0
    for modified, unproven in ((3.0, False), (5.0, True)):
        host.modified["/b/b.dbn"] = modified
        found = newest(host)
        assert found.findings == ()
        assert bool(found.unproven) == unproven
        assert found.warnings[0].startswith("skipped: db1:/b/b has no receipt")


def test_a_start_in_the_future_is_told_of_the_newest() -> None:
    """A small difference between clocks is ignored."""
    assert newest(host_with(made("/b/a", 1, started="2026-11-25T12:05:00+00:00"))).future == ""
    found = newest(host_with(made("/b/a", 1, started="2026-11-25T12:05:01+00:00")))
    assert found.findings == (
        "db1:/b/a says that its backup began at 2026-11-25T12:05:01+00:00, which is in the future: "
        "the host's clock says 2026-11-25T12:00:00+00:00",
    )
    old = newest(host_with(made("/b/a", 1, started=LATER), made("/b/b", 2)))
    assert (old.image.path, old.findings) == ("/b/b", ())


@pytest.mark.parametrize(("number", "is_finding"), [(1, False), (2, True), (None, False)])
def test_a_named_image_from_the_future_is_a_finding_while_it_is_the_newest(
    number: int | None, *, is_finding: bool
) -> None:
    """Otherwise it is a warning; a start in the past is not mentioned."""
    named = made("/b/a", number, started=LATER)
    host = host_with(named, made("/b/b", 2 if number == 1 else 1))
    chosen = check_clock(Newest(named.image), named, HERE, host)
    said = future(named.image, named, HERE.now)
    assert (chosen.findings, chosen.warnings) == (((said,), ()) if is_finding else ((), (said,)))
    past = made("/b/a", 1, started=STARTED)
    assert check_clock(Newest(past.image), past, HERE, host) == Newest(past.image)
