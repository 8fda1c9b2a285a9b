"""A history of nights: after each one, all sets that a rotation promises exist, and no others.

The real command runs every night under a faked clock: a month in CI, and a year with CSF_TEST_SCALE
above 1.
"""

from __future__ import annotations

import datetime
import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from faked_clock import faked_clock
from nights import Nights, is_whole
from promised_sets import PLACES
from scale import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faked_clock import FakedClock
    from nights import Ran

    from sites import Site

DAY, YEAR = datetime.timedelta(days=1), datetime.timedelta(days=365)
WEEKS = datetime.timedelta(days=364)  # to the same weekday

Events = dict[datetime.date, str]  # the unusual event in words; nothing is killed then


def spread(first: datetime.date, count: int, what: str) -> Events:
    """Return events of consecutive days that are all alike."""
    return {first + DAY * days: what for days in range(count)}


def in_2028(**events: str) -> Events:
    """Return events by days in 2028, given as m3d26 and so on."""
    days = {day: map(int, day[1:].split("d")) for day in events}
    return {datetime.date(2028, *days[day]): what for day, what in events.items()}


# With the leap day; on 26 March there is no 02:30.
MONTH = (datetime.date(2028, 2, 27), datetime.date(2028, 3, 28))
MONTHS_EVENTS = in_2028(
    m2d29="guests twice",
    m3d2="vanishes",
    m3d5="returns mark",
    m3d8="ahead",
    m3d9="full_once",
    m3d10="full",
    m3d11="late",
    m3d12="back",
    m3d14="damaged",
    m3d17="missed",
    m3d18="missed",
    m3d22="yes",
    m3d23="again",
    m3d24="mended",
    m3d25="yes",
    m3d20="early",
    m3d26="spring",
    m3d27="twice",
)
# On 29 October, 02:30 comes twice.
YEAR_OF_NIGHTS = (datetime.date(2027, 12, 20), datetime.date(2028, 12, 20))
YEARS_EVENTS = {
    **in_2028(
        m1d4="guests",
        m1d16="mark",
        m2d5="vanishes",
        m2d12="returns",
        m2d29="twice",
        m3d15="again",
        m3d26="spring",
        m4d12="ahead",
        m4d20="full_once",
        m4d27="full",
        m5d29="early",
        m6d11="back",
        m6d24="late",
        m7d2="twice",
        m8d1="damaged",
        m8d24="mended",
        m8d25="yes",
        m9d5="damaged",
        m9d14="yes",
        m9d21="mended",
        m9d22="yes",
        m10d15="full_once",
        m10d29="hour",
        m11d7="vanishes",
        m11d15="returns",
        m12d16="late",
    ),
    **spread(datetime.date(2028, 5, 8), 7, "missed"),
}


class Story:
    """Nights, and the events that happen to the site.

    Args:
        nights: who runs the rotations.
        events: what is not as usual.
        is_long: whether the newest set is verified every night.
    """

    def __init__(self, nights: Nights, events: Events, *, is_long: bool) -> None:
        self._nights = nights
        self._clock = nights.clock
        self._events = events
        self._is_long = is_long
        self._database = Path(nights.master).with_name("Class1.db")
        self._sound = self._database.read_bytes()
        self._bad: set[str] = set()
        self._last = (datetime.date.min, Path())

    def live(self, first: datetime.date, end: datetime.date) -> None:
        """Run all nights from the first to the one before the end."""
        for index in range((end - first).days):
            day = first + DAY * index
            words = self._events.get(day, "").split()
            if "missed" in words:
                continue
            self._befall(words)
            self._night(day, words, kill=not words and index % 10 == 8)
            if index % 5 == 4:
                self._nights.night(self._clock.time_of(day, 2, 30), master=self._nights.other)
            if index % 15 == 14:
                self._nights.restore(self._restorable())

    def _befall(self, words: list[str]) -> None:
        """Carry out an event of a day."""
        disk = self._nights.disks[1]
        away = disk.with_name("away")
        if "vanishes" in words:
            disk.rename(away)
        if "returns" in words:
            away.rename(disk)
        if "damaged" in words:
            with self._database.open("r+b") as file:
                file.seek(700)
                file.write(b"\xff" * 20)
        if "mended" in words:
            self._database.write_bytes(self._sound)
        if "guests" in words:
            self._invite()

    def _invite(self) -> None:
        """Put files that no rotation has made beside the sets and among them."""
        nights = self._nights
        copied = max(nights.sets().values(), key=lambda one: one.number)
        for at in [nights.disks[0] / name for name in ("thursday", "archive")]:
            at.mkdir(exist_ok=True)
            (at / "notes.txt").write_text("Do not touch.\n")
            for path in Path(copied.image).parent.glob(f"{Path(copied.image).name}*"):
                shutil.copy2(path, at)
        monday = nights.disks[0] / "monday"
        monday.mkdir(exist_ok=True)
        (monday / "foreign.img.dbn").write_text("/elsewhere/master.db\n")
        (monday / "foreign.img").write_bytes(b"x" * 512)
        by_hand = ("-image-file", f"localhost:{monday}/by-hand.img")
        of = ("-database", nights.master)
        made = nights.at(
            self._clock.time_of(copied.slot, 2, 30), "csf", "admin_database_backup", *of, *by_hand
        )
        assert made.exit_code == 0, made.stderr
        nights.keep_watch()

    def _night(self, day: datetime.date, words: list[str], *, kill: bool) -> None:
        """Run what is due, and check the result."""
        nights, options = self._nights, ["-yes"] if "yes" in words else []
        due = day + ("ahead" in words) * YEAR - ("back" in words) * WEEKS
        moment = self._clock.time_of(due, 0 if "early" in words else 2, 30)
        if "late" in words:
            moment = self._clock.time_of(day + DAY, 0, 20)
            options += ["-slot", day.isoformat()]
        if full := {"full", "full_once"} & {*words}:
            nights.fill_disks(once="full_once" in full)
        ran = nights.night(
            moment, *options, kill=kill, is_full="full" in words, is_back="back" in words
        )
        nights.free_disks()
        self._check(ran, due, moment)
        if not words:
            self._check_turn(day, ran)
        if "twice" in words or "hour" in words:
            late = (2, 30) if "hour" in words else (14, 30)
            later = self._clock.time_of(day, *late, again=True)
            self._check(nights.night(later), day, later)
        if "again" in words:
            self._check_once(self._clock.time_of(day, 14, 30))
        if "mark" in words:
            (newest,) = ran.made
            Path(f"{newest}.keep").write_text("before the migration\n")
            nights.keep_watch()

    @property
    def _is_damaged(self) -> bool:
        return self._database.read_bytes() != self._sound

    def _check(self, ran: Ran, due: datetime.date, moment: datetime.datetime) -> None:
        """Check that the new set is in its place, and that a set can be restored."""
        if image := ran.facts.get("image"):
            one = ran.made[str(image)]
            assert (one.slot, one.place) == (due, PLACES[due.weekday()])
        if self._is_damaged:
            self._bad.update(ran.made)
        self._restorable()
        if len(ran.made) == 1 and (self._is_long or moment.weekday() == 0):
            (newest,) = ran.made
            self._nights.verify(moment, Path(newest).parent.parent)

    def _restorable(self) -> str:
        """Return the newest set whose databases were sound; check that it is unchanged."""
        sets = self._nights.sets()
        good = [one for one in sets.values() if one.image not in self._bad]
        newest = max(good, key=lambda one: one.number)
        assert is_whole(newest.image, newest.sha256)
        return newest.image

    def _check_turn(self, day: datetime.date, ran: Ran) -> None:
        """Check that consecutive nights use different directories, while there are two."""
        if len(ran.made) == 1 and len(self._nights.present) == 2:
            (made,) = ran.made
            before, disk = self._last
            self._last = (day, Path(made).parent.parent)
            assert (day - before, disk) != (DAY, self._last[1])

    def _check_once(self, moment: datetime.datetime) -> None:
        """Check that a run with the same id makes one set."""
        day = moment.date()
        first = self._nights.night(moment, "-run-id", "once")
        second = self._nights.night(moment + datetime.timedelta(hours=1), "-run-id", "once")
        self._check(first, day, moment)
        assert (len(first.made), second.made) == (1, {})
        assert second.facts["image"] in first.made


@pytest.fixture
def clock() -> Iterator[FakedClock]:
    """Return a faked clock in Berlin."""
    with faked_clock("Europe/Berlin") as made:
        yield made


@pytest.mark.timeout(600 if scaled(1) == 1 else 7200)
def test_after_each_night_exactly_the_promised_sets_are_left(
    local_site: Site, clock: FakedClock, capsys: pytest.CaptureFixture[str]
) -> None:
    """A set can be restored, and no other file is removed or changed."""
    is_long = scaled(1) > 1
    counts = {"%Y-%m-%d": 4, "%Y-%m": 6, "%Y": 2} if is_long else {"%Y-%m-%d": 2, "%Y-%m": 2}
    nights = Nights(local_site, clock, counts, random.Random(15))
    if is_long:
        Story(nights, YEARS_EVENTS, is_long=True).live(*YEAR_OF_NIGHTS)
    else:
        Story(nights, MONTHS_EVENTS, is_long=False).live(*MONTH)
    with capsys.disabled():
        print("", *(f"{what}: {count:,}" for what, count in sorted(nights.done.items())), sep="\n")
    for count in ("ended by 71", "ended by kill", "restored"):
        assert nights.done[count], count
    # A kill may come too early for osbackup to succeed.
    assert nights.done["leftovers proven"] + nights.done["leftovers removed"]
