"""The manifest after a restore: which databases, which repository, which number."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from csf_backup_plugin.hosts.protocol.values import Machine
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.receipt import Origin, Receipt
from csf_backup_plugin.operations.restore.plan import RestorePlan
from csf_backup_plugin.operations.restore.request import RestoreRequest
from csf_backup_plugin.operations.restore.restored_manifest import new_manifest
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.identity import Identity
from csf_backup_plugin.repository.manifest import Manifest

if TYPE_CHECKING:
    from collections.abc import Mapping

HERE = Machine("a" * 32, "db1", "2026-11-25T12:00:00+00:00")
OURS, OTHER = "1" * 32, "2" * 32
IMAGE = "/b/a.img"
HOME = Identity(OURS, HERE.id, HERE.name, "/r/lib.db")


def plan(
    recorded: Manifest | None,
    known: int = 7,
    into: str | None = None,
    made_of: str = "/r/lib.db",
    **origin: Any,
) -> RestorePlan:
    """Return the plan of a restore to /r that was carried out.

    Args:
        recorded: what the manifest says.
        known: the highest number of the image's repository.
        into: the directory, if it was given.
        made_of: the master database that the image was made of.
        origin: what is different in the image's origin.
    """
    usual: dict[str, Any] = {"id": OURS, "number": 7, "machine_id": HERE.id, "machine": HERE.name}
    targets: Mapping[str, int | None] = {"/r/lib.db": 3, "/r/b.db": 3}
    image = ImagePath("db1", IMAGE)
    receipt = Receipt(
        made_of, {made_of: 3}, 5, None, "", HERE.now, image, Origin(**{**usual, **origin})
    )
    return RestorePlan(
        request=RestoreRequest.parse("/r/lib.db", f"db1:{IMAGE}", into=into),
        receipt=receipt,
        machine=HERE,
        recorded=recorded,
        number=known,
        targets=targets,
        overwritten=(),
        appearing=(),
        extra=(),
        elsewhere=(),
        argv=["/os/osrestore", "-f", "/b/a.img"],
        timeout=600.0,
        damaged_manifest=None,
        image_stamp="",
        warnings=(),
    )


def made(plan: RestorePlan) -> Manifest:
    """Return the contents of the new manifest."""
    return manifest.decode(new_manifest(plan))


def test_it_lists_exactly_what_was_restored() -> None:
    """The master database comes first; dropped databases stay dropped unless restored."""
    recorded = Manifest(("lib.db", "/far/x.db"), ("b.db", "c.db", "/far/y.db"), HOME)
    found = made(plan(recorded))
    assert found.names == ("lib.db", "b.db")
    assert found.dropped == ("c.db", "/far/y.db")
    assert (found.damaged, found.cut_short) == ((), ())


@pytest.mark.parametrize(
    ("before", "known", "after"),
    [({"/b/z.img": 5}, 7, 7), ({"/b/z.img": 9}, 7, 9), ({"/b/z.img": 7}, 9, 9), ({}, 7, 7)],
)
def test_in_its_place_a_repository_is_the_same_one_and_its_numbers_go_on(
    before: dict[str, int], known: int, after: int
) -> None:
    """They continue from the highest known number, of manifest or receipts."""
    found = made(plan(Manifest(("lib.db",), (), HOME, before), known))
    assert (found.identity, found.number) == (HOME, after)
    assert found.backups == before  # an image may still be proven


def test_a_lost_manifest_is_made_up_for_by_the_image() -> None:
    """On a new disk, it is still the same repository."""
    for recorded in (None, Manifest(("lib.db",))):
        found = made(plan(recorded))
        assert (found.identity, found.backups, found.number) == (HOME, {}, 7)


def test_an_image_of_another_machine_tells_where_the_repository_was() -> None:
    """The next backup then finds that it was moved or copied, and asks which."""
    found = made(plan(None, machine_id="b" * 32, machine="db2"))
    assert found.identity == Identity(OURS, "b" * 32, "db2", "/r/lib.db")
    assert found.identity.changes(HERE, "/r/lib.db")


@pytest.mark.parametrize("origin", [{"settled": False}, {"id": None, "number": None}])
def test_an_image_that_tells_no_certain_repository_makes_none(origin: dict[str, Any]) -> None:
    """It may be a copy's; the next backup decides, or makes an id."""
    found = made(plan(None, 0, **origin))
    assert (found.identity, dict(found.backups)) == (None, {})


def test_an_identity_that_is_known_is_kept_whatever_the_image_tells() -> None:
    """The image may be older than the id, or made while the repository was unsettled."""
    moved = HOME._replace(master="/was/lib.db")
    for recorded in (HOME, moved):
        found = made(
            plan(Manifest(("lib.db",), (), recorded, {"/b/z.img": 5}), id=None, number=None)
        )
        assert (found.identity, dict(found.backups)) == (recorded, {"/b/z.img": 5})


@pytest.mark.parametrize(
    "recorded",
    [
        None,
        Manifest(("lib.db",)),
        Manifest(("lib.db",), (), HOME._replace(id=OTHER), {"/b/z.img": 9}),
    ],
)
def test_into_another_directory_or_anothers_place_comes_a_new_repository(
    recorded: Manifest | None,
) -> None:
    """It has its own id and path, and no number yet."""
    found = made(plan(recorded, into="/r", made_of="/q/lib.db"))
    assert found.identity is not None
    assert found.identity.id not in (OURS, OTHER)
    assert not found.identity.changes(HERE, "/r/lib.db")
    assert found.backups == {}


def test_over_an_unsettled_copy_comes_a_new_repository_too() -> None:
    """It was unknown whether that was moved or copied; the original may be in use elsewhere."""
    copied = Manifest(("lib.db",), (), HOME._replace(master="/q/lib.db"), {"/b/z.img": 9})
    found = made(plan(copied, into="/r", made_of="/q/lib.db"))
    assert found.identity is not None
    assert found.identity.id != OURS


@pytest.mark.parametrize("recorded", [None, Manifest(("lib.db",), (), HOME, {IMAGE: 7})])
def test_into_its_own_directory_is_in_its_place(recorded: Manifest | None) -> None:
    """-into was not necessary."""
    found = made(plan(recorded, into="/r"))
    assert (found.identity, found.number) == (HOME, 7)


def test_after_a_move_that_was_told_an_older_image_is_the_repositorys() -> None:
    """-into names the current directory."""
    recorded = Manifest(("lib.db",), (), HOME, {"/b/z.img": 9})
    found = made(plan(recorded, 9, into="/r", made_of="/was/lib.db"))
    assert (found.identity, found.number) == (HOME, 9)
