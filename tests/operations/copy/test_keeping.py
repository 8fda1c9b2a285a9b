"""Which copies -keep keeps: the rules for dated sets, applied to copies only."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

import pytest
from copying import COPY, copied, hosts
from sets_in_memory import OTHERS, add_set, started

from csf_backup_plugin.errors import HostUnreachable, Withheld
from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.image.catalog import ImageSet, read_catalog
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.receipt_format import decode
from csf_backup_plugin.operations.copy.keeping import remove_older
from csf_backup_plugin.operations.copy.request import CopyRequest
from csf_backup_plugin.operations.rotate.history import of_one, own_sets
from csf_backup_plugin.repository.model import Repository
from doubles import MemoryHost

if TYPE_CHECKING:
    from csf_backup_plugin.operations.copy import Copy


def with_copies(count: int, to: type[MemoryHost] = MemoryHost) -> tuple[MemoryHost, MemoryHost]:
    """Return a host with `count` sets, and a host with copies of all but the last."""
    source, host = hosts(*range(1, count + 1), to=to)
    for number in range(1, count):
        copied(source, host, f"db1:/b/{number}.img")
    return source, host


def images(host: MemoryHost) -> list[str]:
    """Return the names of the images in ``/c``."""
    return sorted(path for path in host.files if path.endswith(".img"))


def decided(made: Copy) -> list[tuple[str, bool]]:
    """Return each image, and whether it is removed."""
    return [(one.one.image.path, one.goes) for one in made.removal.decisions]


def record(host: MemoryHost, path: str, number: int, kind: str, at: str, *faults: str) -> None:
    """Give a copy a record of a check."""
    ending = ".drill.json" if kind == sealed_json.DRILL else ".verify.json"
    facts = {"finished": at, "backup_started": started(number), "findings": list(faults)}
    host.files[path + ending] = sealed_json.encode(facts, kind)


def test_without_keep_all_are_kept() -> None:
    """No decision is made without -keep."""
    source, host = with_copies(4)
    made = copied(source, host, "db1:/b/4.img")
    assert (made.removal.decisions, made.problem) == ((), None)
    assert len(images(host)) == 4


def test_the_copies_of_the_last_days_are_kept() -> None:
    """The other copies are removed as whole sets, and the card is rewritten."""
    source, host = with_copies(4)
    made = copied(source, host, "db1:/b/4.img", keep=2)
    assert decided(made) == [
        ("/c/1.img", True),
        ("/c/2.img", True),
        ("/c/3.img", False),
        ("/c/4.img", False),
    ]
    assert [image.path for image in made.removal.removed] == ["/c/1.img", "/c/2.img"]
    assert images(host) == ["/c/3.img", "/c/4.img"]
    assert not [path for path in host.files if path.startswith(("/c/1.", "/c/2."))]
    assert b"/c/1.img" not in host.files["/c/RESTORE.txt"]
    assert source.files.keys() >= {"/b/1.img", "/b/2.img"}


def test_only_copies_of_the_repository_in_that_directory_go() -> None:
    """Originals, copies of another repository, and sets in a place stay."""
    source, host = with_copies(3)
    add_set(host, "/c/original.img", 1)
    add_set(source, "/b/x.img", 1, OTHERS, "/r/x.db")
    copied(source, host, "db1:/b/x.img")
    host.directories.add("/c/dated")
    copied(source, host, "db1:/b/1.img", to="db2:/c/dated")
    copied(source, host, "db1:/b/3.img", keep=1)
    assert images(host) == ["/c/3.img", "/c/dated/1.img", "/c/original.img", "/c/x.img"]


def test_what_is_to_be_kept_is_kept() -> None:
    """A `.keep` file, a drill or a reader protects a copy."""
    source, host = with_copies(6)
    host.files["/c/1.img.keep"] = b""
    record(host, "/c/2.img", 2, sealed_json.DRILL, "2026-11-24T12:00:00+00:00")
    host.being_read.append("/c/3.img.receipt.json")
    made = copied(source, host, "db1:/b/6.img", keep=1, accepted=True)
    assert images(host) == ["/c/1.img", "/c/2.img", "/c/3.img", "/c/6.img"]
    (warning,) = made.warnings
    assert warning == "db2:/c/3.img was not removed: its receipt is being read"


def test_the_newest_is_kept_whatever_is_copied() -> None:
    """An older set that is copied later is kept, too, since it is reported as present."""
    source, host = hosts(1, 2)
    copied(source, host, "db1:/b/2.img")
    made = copied(source, host, "db1:/b/1.img", keep=1)
    assert [(one.goes, one.why) for one in made.removal.decisions] == [
        (False, "copied by this run"),
        (False, "newest of all; newest of 2026-11-02, copies 1 of 1"),
    ]
    assert images(host) == ["/c/1.img", "/c/2.img"]
    copied(source, host, "db1:/b/2.img", keep=1)
    assert images(host) == ["/c/2.img"]


def test_the_record_that_a_kill_has_left_goes_with_its_copy() -> None:
    """Otherwise every command would report a killed copy."""
    source, host = with_copies(2)
    host.files["/c/1.img.copying"] = b"left"
    copied(source, host, "db1:/b/2.img", keep=1)
    assert not [path for path in host.files if path.startswith("/c/1.")]


def test_many_deletions_are_withheld() -> None:
    """They wait until somebody accepts them, also in a dry run."""
    source, host = with_copies(4)
    for dry_run in (True, False):
        made = copied(source, host, "db1:/b/4.img", keep=1, dry_run=dry_run)
        (why,) = made.removal.withheld
        assert why.startswith("3 copies would be removed, which is more than 2: db2:/c/1.img, ")
        assert isinstance(made.problem, Withheld)
    assert len(images(host)) == 4
    made = copied(source, host, "db1:/b/4.img", keep=1, accepted=True)
    assert (images(host), made.problem, made.made_now) == (["/c/4.img"], None, False)


def test_a_copy_at_fault_withholds_deletions() -> None:
    """The older copies may be the only good ones."""
    source, host = with_copies(3)
    at = "2026-11-24T12:00:00+00:00"
    record(host, "/c/2.img", 2, sealed_json.VERIFICATION, at, "damaged")
    made = copied(source, host, "db1:/b/3.img", keep=1)
    (why,) = made.removal.withheld
    assert why.startswith(f"the last verification of db2:/c/2.img failed at {at}; ")
    assert len(images(host)) == 3


def test_an_original_at_fault_withholds_deletions() -> None:
    """The rotation deletes nothing then either, as each copy has the same databases."""
    source, host = with_copies(3)
    at = "2026-11-24T12:00:00+00:00"
    record(source, "/b/2.img", 2, sealed_json.DRILL, at, "damaged")
    made = copied(source, host, "db1:/b/3.img", keep=1)
    (why,) = made.removal.withheld
    assert why.startswith(f"the last drill of db1:/b/2.img failed at {at}; ")
    assert (made.made_now, len(images(host))) == (True, 3)
    assert copied(source, host, "db1:/b/3.img").removal.withheld == ()
    copied(source, host, "db1:/b/3.img", keep=1, accepted=True)
    assert images(host) == ["/c/3.img"]


def test_originals_that_cannot_be_listed_withhold_deletions() -> None:
    """Their records are unknown."""

    class Unlistable(MemoryHost):
        def read_directory(self, path: str, _ending: str) -> NoReturn:
            raise PermissionError(13, "Permission denied", path)

    source, host = with_copies(3)
    source.__class__ = Unlistable
    made = copied(source, host, "db1:/b/3.img", keep=1)
    (why,) = made.removal.withheld
    assert why.startswith("whether the originals are sound is not known: db1:/b: ")
    assert len(images(host)) == 3


def test_a_dry_run_says_what_would_go() -> None:
    """The copy that would be made counts, too."""
    source, host = with_copies(3)
    before = dict(host.files)
    made = copied(source, host, "db1:/b/3.img", keep=2, dry_run=True)
    assert decided(made) == [("/c/1.img", True), ("/c/2.img", False), ("/c/3.img", False)]
    assert made.removal.removed == ()
    assert host.files == before


def test_a_removal_that_was_begun_is_finished() -> None:
    """It is finished for copies only; a rotation finishes its own removals."""
    source, host = with_copies(3)
    add_set(host, "/c/r.img", 1)
    for path in ("/c/1.img", "/c/2.img", "/c/r.img"):
        host.files[f"{path}.removing"] = host.files.pop(f"{path}.receipt.json")
    host.files["/c/2.img.keep"] = b""
    made = copied(source, host, "db1:/b/3.img", keep=1)
    assert [image.path for image in made.removal.finished] == ["/c/1.img"]
    assert images(host) == ["/c/2.img", "/c/3.img", "/c/r.img"]
    (warning,) = made.warnings
    assert warning.startswith(
        "db2:/c/2.img is not a backup any more, and what is left of it is kept"
    )


def test_a_copy_that_is_gone_again_removes_none() -> None:
    """It is not known what else has changed."""
    _, host = with_copies(2)
    newest = ImageSet(COPY, decode(host.files[COPY.receipt]), 0.0)
    gone = newest._replace(image=ImagePath("db2", "/c/gone.img"))
    request = CopyRequest.parse("db1:/b/1.img", "db2:/c", keep=1)
    removal = remove_older(request, gone, host.itself.now, host)
    assert removal.warnings == ["nothing was removed, since db2:/c/gone.img was not found"]


def test_without_a_number_none_goes() -> None:
    """It is not known which one is the newest."""
    source, host = hosts(1)
    add_set(source, "/b/n.img", None)
    copied(source, host)
    made = copied(source, host, "db1:/b/n.img", keep=1)
    assert decided(made) == [("/c/n.img", False)]
    assert len(images(host)) == 2


def test_a_failure_behind_the_copy_says_that_it_is_there() -> None:
    """The copy need not be made again."""

    class Cut(MemoryHost):
        def withdraw(self, _files: object) -> list[str]:
            raise HostUnreachable("The connection was cut.", "Look.")

    source, host = with_copies(3, to=Cut)
    with pytest.raises(HostUnreachable) as caught:
        copied(source, host, "db1:/b/3.img", keep=2)
    assert caught.value.left.startswith("The copy is made and proven: db2:/c/3.img. Nothing else")


def test_a_rotation_does_not_count_copies() -> None:
    """They do not count as sets, or as evidence of what was in the repository."""
    source, _host = hosts(1, 2)
    source.directories.add("/b/dated")
    copied(source, source, "db1:/b/1.img", to="db1:/b/dated")
    catalog = read_catalog(ImagePath("db1", "/b/latest"), source)
    newest = next(one for one in catalog.sets if one.image.path == "/b/2.img")
    assert len(catalog.sets) == 3
    assert len(of_one(catalog, newest)) == 2
    repository = Repository("/r/lib.db")
    identity = newest.receipt.origin.identity("/r/lib.db")
    for known in (identity, None):
        own = own_sets(catalog, known, source.itself, repository)
        assert sorted(one.image.path for one in own) == ["/b/1.img", "/b/2.img"]
