"""When deletions are withheld, and until when."""

from __future__ import annotations

import os
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from csf_backup_plugin.image.check_record import Check
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.operations.rotate.freeze import (
    Witness,
    last_trusted,
    reasons_to_freeze,
    suspicions,
)

NOW = "2026-11-30T12:00:00+00:00"
NONE: frozenset[str] = frozenset()


def at(day: int) -> str:
    """Return a time in the month; today is the 30th, and the 31st is in the future."""
    return f"2026-11-{day:02}T03:00:00+00:00" if day <= 30 else "2027-11-01T03:00:00+00:00"


def good(day: int) -> Check:
    """Return a successful check."""
    return Check(is_sound=True, at=at(day))


def bad(day: int) -> Check:
    """Return a failed check."""
    return Check(is_sound=False, at=at(day))


def witness(number: int, **others: Any) -> Witness:
    """Return a set without suspicions unless some are given."""
    usual = Witness(
        image=ImagePath("localhost", f"/b/{number}.img"),
        number=number,
        size=1_000,
        databases=frozenset({"/r/lib.db", "/r/a.db", "/r/b.db"}),
        suspicions=(),
        is_accepted=False,
        drilled=None,
        verified=None,
    )
    return usual._replace(**others)


FEWER = ("lacks 1 of the databases in localhost:/b/1.img: /r/b.db",)


def test_a_set_that_lacks_databases_of_the_last_one_is_suspicious() -> None:
    """Dropped databases are not suspicious, and neither are new ones."""
    last = witness(1)
    databases = last.databases - {"/r/b.db"} | {"/r/new.db"}
    assert suspicions(databases, 1_000, last, NONE) == FEWER
    assert suspicions(databases, 1_000, last, frozenset({"/r/b.db", "/x"})) == ()
    assert suspicions(last.databases, 1_000, last, last.databases) == ()


def test_of_many_databases_that_are_lacking_ten_are_named() -> None:
    """They are in byte order, with control characters escaped."""
    names = frozenset(os.fsdecode(b"/r/%03d\xff.db" % number) for number in range(1_234))
    (found,) = suspicions(NONE, 1_000, witness(1, databases=names), NONE)
    assert found.startswith("lacks 1,234 of the databases in localhost:/b/1.img: /r/000\\xff.db, ")
    assert found.endswith("/r/009\\xff.db and 1,224 more")


@pytest.mark.parametrize(("size", "is_suspicious"), [(700, False), (699, True), (0, True)])
def test_a_set_that_is_more_than_30_percent_smaller_is_suspicious(
    size: int,
    *,
    is_suspicious: bool,
) -> None:
    """Databases grow; a sudden decrease may be a loss."""
    last = witness(1)
    found = suspicions(last.databases, size, last, NONE)
    words = f"has {size} bytes, more than 30 % less than the 1,000 of localhost:/b/1.img"
    assert found == ((words,) if is_suspicious else ())


def test_both_may_be_suspicious_and_a_first_set_never_is() -> None:
    """A first set has none to be compared with."""
    assert len(suspicions(NONE, 1, witness(1), NONE)) == 2
    assert suspicions(NONE, 1, None, NONE) == ()


def test_the_last_trusted_set_is_the_newest_without_open_suspicions() -> None:
    """An accepted set, or one with a good drill, has no open suspicions."""
    odd = witness(3, suspicions=FEWER)
    assert last_trusted([]) is None
    assert last_trusted([odd]) is None
    assert last_trusted([witness(2), odd, witness(1)]) == witness(2)
    for answered in (odd._replace(is_accepted=True), odd._replace(drilled=good(1))):
        assert last_trusted([witness(2), answered]) == answered
    for open_still in (odd._replace(drilled=bad(1)), odd._replace(verified=good(1))):
        assert last_trusted([witness(2), open_still]) == witness(2)


def test_nothing_is_withheld_where_nothing_is_wrong() -> None:
    """There may be no sets, unchecked sets, or sound ones."""
    assert reasons_to_freeze([], NOW) == []
    assert reasons_to_freeze([witness(1), witness(2)], NOW) == []
    assert reasons_to_freeze([witness(1, drilled=good(2), verified=good(3))], NOW) == []


def test_a_suspicious_newest_set_withholds_deletions_until_it_is_answered() -> None:
    """The message has the suspicion, and what to do."""
    odd = witness(2, suspicions=(*FEWER, "has 1 byte"))
    (reason,) = reasons_to_freeze([witness(1), odd], NOW)
    assert reason == (
        "localhost:/b/2.img lacks 1 of the databases in localhost:/b/1.img: /r/b.db; it has 1 "
        "byte; a good drill of it, or one run with -yes, ends this"
    )
    assert reasons_to_freeze([witness(1), odd._replace(drilled=good(3))], NOW) == []
    assert reasons_to_freeze([witness(1), odd, witness(3, is_accepted=True)], NOW) == []
    assert reasons_to_freeze([odd, witness(3)], NOW) == []


def test_of_two_newest_sets_with_one_number_each_must_be_trusted() -> None:
    """It is unknown with which of them the next set is compared."""
    odd = witness(2, suspicions=FEWER, image=ImagePath("localhost", "/c/2.img"))
    assert len(reasons_to_freeze([witness(2), odd], NOW)) == 1


@pytest.mark.parametrize(("field", "what"), [("drilled", "drill"), ("verified", "verification")])
def test_a_failed_check_of_any_set_withholds_deletions(field: str, what: str) -> None:
    """The set may be an old one."""
    failed = witness(1, **{field: bad(5)})
    assert reasons_to_freeze([failed, witness(2)], NOW) == [
        f"the last {what} of localhost:/b/1.img failed at {at(5)}; a good drill of it or of a "
        "newer set, or one run with -yes, ends this"
    ]


@pytest.mark.parametrize(
    ("others", "is_answered"),
    [
        ([witness(6, drilled=good(8))], True),
        ([witness(6, drilled=good(7))], False),  # in the same second
        ([witness(6, drilled=good(6))], False),  # before it
        ([witness(4, drilled=good(8))], False),  # of an older set
        ([witness(6, verified=good(8))], False),  # it may be impossible to restore
        ([witness(6, drilled=good(31))], False),  # a clock that was wrong
        ([witness(6, drilled=good(31)), witness(7, drilled=good(8))], True),
        ([witness(6, is_accepted=True)], True),
        ([witness(5, is_accepted=True, image=ImagePath("localhost", "/c/5.img"))], False),
        ([witness(4, is_accepted=True)], False),
    ],
)
@pytest.mark.parametrize("failed", [{"drilled": bad(7)}, {"verified": bad(7)}])
def test_a_good_drill_or_an_accepted_set_answers_a_failed_check(
    failed: dict[str, Check],
    others: list[Witness],
    *,
    is_answered: bool,
) -> None:
    """The drill must be of that set or a newer one, and the accepted set must be newer."""
    reasons = reasons_to_freeze([witness(5, **failed), *others], NOW)
    assert (reasons == []) == is_answered


def test_a_good_drill_answers_a_failed_verification_of_the_same_set() -> None:
    """A good verification does not answer a failed drill: it shows only that nothing changed."""
    assert reasons_to_freeze([witness(1, verified=bad(5), drilled=good(6))], NOW) == []
    assert len(reasons_to_freeze([witness(1, drilled=bad(5), verified=good(6))], NOW)) == 1
    assert len(reasons_to_freeze([witness(1, drilled=bad(5), verified=bad(6))], NOW)) == 2


def test_a_check_that_failed_in_the_future_needs_an_accepted_set() -> None:
    """No drill can be later, so none is advised."""
    failed = witness(1, verified=bad(31))
    (reason,) = reasons_to_freeze([failed, witness(2, drilled=good(30))], NOW)
    assert reason.endswith("; that is in the future, so one run with -yes ends this")
    assert reasons_to_freeze([failed, witness(2, is_accepted=True)], NOW) == []


CHECKS = st.none() | st.builds(Check, st.booleans(), st.integers(1, 31).map(at))
WITNESSES = st.lists(
    st.builds(
        witness,
        st.integers(1, 12),
        suspicions=st.sampled_from([(), FEWER]),
        is_accepted=st.sampled_from([False, False, True]),
        drilled=CHECKS,
        verified=CHECKS,
    ),
    max_size=12,
)


@given(WITNESSES)
def test_one_run_with_yes_ends_it_whatever_was_wrong(witnesses: list[Witness]) -> None:
    """The accepted set is trusted, and the next one is compared with it."""
    accepted = witness(13, suspicions=FEWER, is_accepted=True)
    assert reasons_to_freeze([*witnesses, accepted], NOW) == []
    assert last_trusted([*witnesses, accepted]) == accepted


@given(WITNESSES)
def test_a_good_drill_of_the_newest_set_ends_it(witnesses: list[Witness]) -> None:
    """A failure in the future remains, and the message says so."""
    drilled = witness(13, suspicions=FEWER, drilled=Check(is_sound=True, at=NOW))
    left = reasons_to_freeze([*witnesses, drilled], NOW)
    assert all("that is in the future" in reason for reason in left)


@given(WITNESSES, st.sampled_from(["drilled", "verified"]), st.randoms(use_true_random=False))
def test_a_check_that_fails_now_withholds_deletions(
    witnesses: list[Witness], field: str, random: Any
) -> None:
    """They are withheld unless a newer set was accepted; the order of the sets does not matter."""
    failed = [*witnesses, witness(13, **{field: Check(is_sound=False, at=NOW)})]
    reasons = reasons_to_freeze(failed, NOW)
    assert any("localhost:/b/13.img failed" in reason for reason in reasons)
    random.shuffle(failed)
    assert sorted(reasons_to_freeze(failed, NOW)) == sorted(reasons)


@given(WITNESSES)
def test_every_reason_names_an_image_and_the_way_out(witnesses: list[Witness]) -> None:
    """An operator at night must know what to do."""
    for reason in reasons_to_freeze(witnesses, NOW):
        assert "localhost:/b/" in reason
        assert reason.endswith("ends this")
        assert "one run with -yes" in reason
