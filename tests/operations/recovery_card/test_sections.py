"""Which set a recovery card recommends, and its doubts about it."""

from __future__ import annotations

from typing import Any

from receipts import made

from csf_backup_plugin.image.catalog import ImageSet
from csf_backup_plugin.image.check_record import Check
from csf_backup_plugin.image.last_checks import LastChecks
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.operations.recovery_card.sections import Section, by_section

UNCHECKED = LastChecks(None, None)
BAD = Check(is_sound=False, at="2026-11-28T12:00:00+00:00")


def one(number: int | None, **others: Any) -> ImageSet:
    """Return a set, named by its number unless another name is given."""
    path = others.pop("path", f"/b/{number}.img")
    return ImageSet(ImagePath("db1", path), made(path, number, **others), 0.0)


def section(*sets: ImageSet, **checks: LastChecks) -> Section:
    """Return the only section of some sets; a check names its image, as ``n7``."""
    names = [f"n{one.receipt.origin.number}" for one in sets]
    (found,) = by_section(sets, [checks.get(name, UNCHECKED) for name in names])
    return found


def numbers(found: Section) -> list[int | None]:
    """Return the numbers of the recommended set and of the older ones in a section."""
    return [known.set.receipt.origin.number for known in (found.newest, *found.older)]


def test_the_highest_number_is_advised_and_two_older_sets_follow() -> None:
    """The clocks do not matter."""
    late = one(1, started="2030-01-01T00:00:00+00:00")
    found = section(one(2), one(9), late, one(10))
    assert numbers(found) == [10, 9, 2]
    assert (found.faulty, found.doubts, found.drilled) == ([], [], None)


def test_a_set_that_a_check_has_found_at_fault_is_passed_by() -> None:
    """It may be a drill or a verification; the set is named."""
    checks = {"n4": LastChecks(BAD, None), "n3": LastChecks(None, BAD)}
    found = section(one(1), one(2), one(3), one(4), **checks)
    assert numbers(found) == [2, 1]
    assert [known.set.receipt.origin.number for known in found.faulty] == [4, 3]


def test_where_all_are_at_fault_the_newest_is_still_named() -> None:
    """There is no better one."""
    bad = LastChecks(BAD, None)
    found = section(one(1), one(2), n1=bad, n2=bad)
    assert numbers(found) == [2, 1]
    assert found.newest.is_at_fault


def test_the_last_good_drill_is_that_of_any_of_the_sets() -> None:
    """A later drill that failed does not show how long a restore takes."""
    good = Check(is_sound=True, at="2026-11-26T12:00:00+00:00", seconds=3.0)
    older = good._replace(at="2026-11-25T12:00:00+00:00")
    checks = {"n3": LastChecks(BAD, None), "n2": LastChecks(good, None)}
    found = section(one(1), one(2), one(3), n1=LastChecks(older, None), **checks)
    assert found.drilled == good
    assert found.drilled_set is not None
    assert found.drilled_set.receipt.origin.number == 2


def test_each_repository_has_a_section_by_its_master() -> None:
    """Sets of different repositories never mix."""
    sets = [one(1, id="2" * 32, master="/z.db"), one(2, master="/a.db"), one(3, master="/a.db")]
    found = by_section(sets, [UNCHECKED] * 3)
    assert [each.newest.set.receipt.master for each in found] == ["/a.db", "/z.db"]
    assert [numbers(each) for each in found] == [[3, 2], [1]]


def test_sets_without_a_number_are_reported_by_their_clocks_and_it_says_so() -> None:
    """They may be the only sets; those of another machine are separate."""
    first, second = "2026-11-25T02:10:00+00:00", "2026-11-26T02:10:00+00:00"
    sets = [
        one(None, path="/b/old.img", started=first, id=None),
        one(None, path="/b/new.img", started=second, id=None),
        one(None, path="/b/other.img", started=first, id=None, machine="db2"),
    ]
    found, other = by_section(sets, [UNCHECKED] * 3)
    assert [known.set.image.path for known in (found.newest, *found.older)] == [
        *("/b/new.img", "/b/old.img")
    ]
    assert found.doubts == [
        "Such sets have no number: which one is the newest is known from their clock alone."
    ]
    assert other.newest.set.image.path == "/b/other.img"


def test_another_set_of_that_number_is_a_doubt_and_a_copy_is_none() -> None:
    """A copy has the same receipt."""
    newest = one(7)
    copy = newest._replace(image=ImagePath("db1", "/b/copy.img"))
    twin = one(7, path="/b/0 twin.img", sha256="1" * 64)
    assert section(newest, copy).doubts == []
    (doubt,) = section(copy, newest, twin).doubts
    assert doubt == "Another set says that it is backup 7, too: /b/0 twin.img"


def test_what_is_suspicious_in_it_is_told_unless_somebody_has_accepted_that() -> None:
    """Each suspicion has one line."""
    words = ("/r/lib.db shrank", "two\nlines")
    assert section(one(1, suspicions=words)).doubts == [
        "Suspicious: /r/lib.db shrank",
        "Suspicious: two\\x0alines",
    ]
    assert section(one(1, suspicions=words, accepted=True)).doubts == []
