"""Which repository a backup belongs to, and its number."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import pytest
from receipts import ID, MACHINE_ID, made, receipts

from csf_backup_plugin.errors import WrongRepository
from csf_backup_plugin.hosts.protocol.values import Machine
from csf_backup_plugin.image.backup_number import Standing, standing
from csf_backup_plugin.image.catalog import Catalog, read_catalog
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.repository.identity import Identity
from csf_backup_plugin.repository.manifest import Manifest
from csf_backup_plugin.repository.model import Repository
from doubles import MemoryHost

if TYPE_CHECKING:
    from csf_backup_plugin.image.receipt import Receipt

HERE = Machine(MACHINE_ID, "db1", "2026-11-25T12:00:00+00:00")
OWN = Identity(ID, MACHINE_ID, "db1", "/r/lib.db")
HOST = MemoryHost({})


def catalog_of(*all_made: Receipt) -> Catalog:
    """Return the catalog of a directory."""
    return read_catalog(ImagePath("db1", "/b/latest"), MemoryHost(receipts(*all_made), ["/b"]))


def stand(recorded: Manifest | None, *all_made: Receipt) -> Standing:
    """Find out which repository it is, with images beside the new one."""
    return standing(Repository("/r/lib.db"), recorded, catalog_of(*all_made), HERE, HOST)


def test_the_manifest_tells_the_id_and_the_number_goes_on() -> None:
    """It continues from the highest of the manifest and the images with this id."""
    recorded = Manifest(identity=OWN, backups={"/b/a": 5})
    for number, other, highest in ((3, ID, 5), (8, ID, 8), (8, "2" * 32, 5)):
        found = stand(recorded, made("/b/x", number, id=other))
        assert found._replace(doubts=()) == Standing(OWN, highest, None, is_new=False, changes=())
        assert bool(found.doubts) == (other != ID)
        assert found.adopted == ()


def test_a_new_repository_gets_a_new_id() -> None:
    """Images of other repositories in the directory do not matter."""
    others = (
        made("/b/x", 7, machine_id="b" * 32),
        made("/b/y", 7, master="/q/lib.db"),
        made("/b/z", None, id=None),
    )
    for recorded in (None, Manifest(("lib.db",))):
        found = stand(recorded, *others)
        assert found.is_new
        assert found.identity.id != ID
        assert (found.number, found.changes, found.adopted) == (0, (), ())


def test_a_lost_manifest_is_known_by_the_newest_image_that_was_made_here() -> None:
    """The image gives id, number and databases."""
    new = made("/b/b", 9, databases={"/r/lib.db": 1, "/else/x": 1})
    found = stand(None, made("/b/a", 3), new, made("/b/c", 4))
    assert (found.identity, found.number, found.is_new) == (OWN, 9, False)
    assert {*found.adopted} == {"/r/lib.db", "/else/x"}


def test_a_lost_manifest_of_what_may_be_a_copy_gets_a_new_id() -> None:
    """Its databases are known nevertheless."""
    found = stand(None, made("/b/a", 3, settled=False))
    assert found.is_new
    assert found.identity.id != ID
    assert (found.number, found.adopted) == (0, ("/r/lib.db",))


def test_a_number_is_left_for_each_receipt_that_cannot_be_used() -> None:
    """They may have the next numbers, if they are newer than all usable ones."""
    files = receipts(made("/b/a", 3))
    for name in "xy":
        files[f"/b/{name}.receipt.json"] = b"?"
    catalog = read_catalog(ImagePath("db1", "/b/latest"), MemoryHost(files, ["/b"]))
    repository = Repository("/r/lib.db")
    assert standing(repository, None, catalog, HERE, HOST).number == 5
    for number, highest in ((4, 5), (7, 7)):
        recorded = Manifest(identity=OWN, backups={"/b/z": number})
        assert standing(repository, recorded, catalog, HERE, HOST).number == highest


def test_a_repository_whose_id_another_has_too_is_reported() -> None:
    """It was said to have moved, but there is still one at the old place."""
    (doubt,) = stand(
        Manifest(identity=OWN), made("/b/a", 3), made("/b/b", 4, machine_id="b" * 32, machine="db2")
    ).doubts
    assert doubt.startswith(
        "db1:/b/b is an image of a repository with the same id: /r/lib.db on db2."
    )


def test_a_new_id_beside_images_of_an_old_one_is_reported_once() -> None:
    """The manifest may have been lost and rebuilt elsewhere."""
    recorded = Manifest(identity=OWN)
    old = made("/b/b", 4, id="2" * 32)
    (doubt,) = stand(recorded, old).doubts
    assert doubt.startswith(
        "db1:/b/b is an image of a repository with another id that was at this path."
    )
    assert doubt.endswith("-rebuild -image-file db1:/b/b")
    assert stand(recorded, old, made("/b/c", 1)).doubts == ()


def test_one_that_went_elsewhere_is_not_here_any_more() -> None:
    """At the old path there is another repository now."""
    found = stand(None, made("/b/a", 3), made("/b/b", 4, master="/new/lib.db"))
    assert found.is_new
    assert (found.adopted, found.number) == ((), 0)


def test_two_candidates_are_refused_and_each_can_be_taken() -> None:
    """Each of the printed commands takes one of them."""
    with pytest.raises(WrongRepository, match="does not say which repository") as caught:
        stand(None, made("/b/a", 3), made("/b/b", 1, id="2" * 32))
    lines = [shlex.split(line) for line in caught.value.next_step.splitlines()[1:]]
    assert sorted(line[-1] for line in lines) == ["db1:/b/a", "db1:/b/b"]
    assert lines[0][:-1] == [
        *("csf", "admin_database_manifest", "-database", "/r/lib.db", "-host", "db1"),
        *("-rebuild", "-image-file"),
    ]


def test_what_is_not_as_it_was_is_reported() -> None:
    """The id stays until the user says what happened."""
    home = OWN._replace(master="/old/lib.db", machine="db0")
    found = stand(Manifest(identity=home))
    assert found.identity == home
    assert len(found.changes) == 2
