"""Which images in a directory belong to one repository."""

from __future__ import annotations

from receipts import ID, MACHINE_ID, made

from csf_backup_plugin.hosts.protocol.values import Machine
from csf_backup_plugin.image.by_repository import Key, by_repository, highest, made_here
from csf_backup_plugin.image.catalog import ImageSet

HERE = Machine(MACHINE_ID, "db1", "2026-11-25T12:00:00+00:00")


def one(path: str, number: int | None, **others: object) -> ImageSet:
    """Return an image set."""
    receipt = made(path, number, **others)
    return ImageSet(receipt.image, receipt, 0.0)


def test_images_of_one_id_are_one_repositorys() -> None:
    """It does not matter where they were made; without id or number they belong to none."""
    sets = [one("/b/a", 1), one("/b/b", 2, master="/new/lib.db"), one("/b/c", 1, id="2" * 32)]
    groups = by_repository([*sets, one("/b/d", None), one("/b/e", None, id=None)])
    assert groups == {Key(ID): sets[:2], Key("2" * 32): sets[2:]}


def test_what_may_be_a_copys_is_kept_apart_by_its_place() -> None:
    """A later image may say that it is at home there; machines have names, too."""
    copy = {"master": "/copy/lib.db", "settled": False}
    first, second = one("/b/a", 1), one("/b/b", 2, **copy)
    assert by_repository([first, second]) == {
        Key(ID): [first],
        Key(ID, (MACHINE_ID, "db1", "/copy/lib.db")): [second],
    }
    third = one("/b/c", 3, master="/copy/lib.db")
    assert by_repository([first, second, third]) == {Key(ID): [first, second, third]}
    back = one("/b/e", 4, settled=False)  # a copy of a repository that has moved away
    assert by_repository([first, third, back])[Key(ID)] == [first, third]
    renamed = one("/b/d", 4, machine="db2", settled=False)
    assert len(by_repository([first, renamed])) == 2


def test_the_newest_image_tells_where_a_repository_is() -> None:
    """It is no longer at its old place."""
    sets = [one("/b/a", 1), one("/b/b", 2, master="/new/lib.db")]
    groups = by_repository(sets)
    assert highest(sets) == sets[1]
    assert made_here(groups, HERE, "/new/lib.db") == groups
    assert made_here(groups, HERE, "/r/lib.db") == {}
    assert made_here(groups, HERE._replace(id="b"), "/new/lib.db") == {}
