"""Calendar buckets of dated sets."""

from __future__ import annotations

from datetime import date

from csf_backup_plugin.operations.rotate.buckets import newest_of_each

SLOTS = [date(2025, 12, 28), date(2026, 1, 4), date(2026, 1, 11), date(2026, 3, 1)]


def test_the_newest_of_each_bucket_is_kept_and_counted_from_the_newest() -> None:
    """A month without sets has no bucket."""
    assert newest_of_each(SLOTS, "monthly", 2) == {
        3: "newest of 2026-03, monthly 1 of 2",
        2: "newest of 2026-01, monthly 2 of 2",
    }
    assert newest_of_each(SLOTS, "yearly", 1_000) == {
        3: "newest of 2026, yearly 1 of 1,000",
        0: "newest of 2025, yearly 2 of 1,000",
    }
    assert newest_of_each(SLOTS, "dated", 1) == {3: "newest of 2026-03-01, dated 1 of 1"}


def test_none_of_none_and_none_where_none_is_asked_for() -> None:
    """Zero keeps nothing."""
    assert newest_of_each(SLOTS, "dated", 0) == newest_of_each([], "dated", 3) == {}


def test_numbers_say_which_bucket_is_newer() -> None:
    """A late set for an earlier month makes that month the newest, whatever the clock says."""
    slots = [*SLOTS, date(2026, 1, 18)]
    assert list(newest_of_each(slots, "monthly", 2)) == [4, 3]
