"""Places: which one a day has, the names of sets in it, and their image directory."""

from __future__ import annotations

import datetime
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st
from locales import ENCODINGS, encoded

from csf_backup_plugin.image.path import SET, ImagePath
from csf_backup_plugin.image.place import (
    DATED,
    PLACES,
    in_turn,
    place_of,
    rule,
    set_name,
)
from csf_backup_plugin.names import NAME_MAX, has_control_character
from csf_backup_plugin.weekdays import WEEKDAYS

MONDAY = datetime.date(2026, 11, 23)
START = datetime.datetime(2026, 11, 23, 2, 10)
TEMPORARY = ".csf-0123456789abcdef.tmp"
DAY = datetime.timedelta(days=1)
FILE_NAMES = (
    st.binary(min_size=1, max_size=NAME_MAX)
    .map(os.fsdecode)
    .filter(lambda name: not (has_control_character(name) or "/" in name or name in (".", "..")))
)
DAYS = st.dates(datetime.date(1970, 1, 10), datetime.date(2200, 1, 1))


def test_each_weekday_has_a_place_but_the_dated_one() -> None:
    """Any weekday may be the dated one; the other days fill their own places."""
    week = [MONDAY + DAY * days for days in range(7)]
    assert [place_of(day, "sunday") for day in week] == [*WEEKDAYS[:6], DATED]
    assert [place_of(day, "monday") for day in week] == [DATED, *WEEKDAYS[1:]]
    assert {*PLACES} == {*WEEKDAYS, DATED}


def test_a_set_is_named_for_its_repository_and_its_start() -> None:
    """Another attempt in the same second gets another name; no other suffix is removed."""
    assert set_name("/databases/lib.db", START) == "lib-2026-11-23-021000.img"
    assert set_name("/databases/lib.db", START, 2) == "lib-2026-11-23-021000-2.img"
    assert set_name("/databases/a.b.db", START) == "a.b-2026-11-23-021000.img"
    assert set_name("/databases/lib", START) == "lib-2026-11-23-021000.img"


@pytest.mark.parametrize(
    ("name", "stem"),
    [("-rf.db", "_-rf"), (".lib.db", "_.lib"), (".db", "_.db"), ("-", "_-"), ("_.db", "_")],
)
def test_no_set_is_hidden_or_looks_like_an_option(name: str, stem: str) -> None:
    """The name of the master database may be any."""
    assert set_name(f"/r/{name}", START) == f"{stem}-2026-11-23-021000.img"


@given(FILE_NAMES, st.datetimes(), st.integers(1, 10**6))
def test_any_set_can_be_an_image(name: str, at: datetime.datetime, attempt: int) -> None:
    """Its name is legal, and short enough for the temporary names of the set's files."""
    made = set_name(f"/r/{name}", at, attempt)
    assert ImagePath.parse(f"localhost:/b/{DATED}/{made}").path == f"/b/{DATED}/{made}"
    assert not made.startswith(("-", "."))
    assert made.endswith(".img")
    assert all(len(os.fsencode(TEMPORARY + made + ending)) <= NAME_MAX for ending in SET)


@pytest.mark.parametrize("ending", SET)
def test_a_master_may_be_named_like_a_file_of_a_set(ending: str) -> None:
    """The set of such a repository is like that of an ordinary image."""
    made = set_name(f"/r/lib{ending}.db", START)
    assert made == f"lib{ending}-2026-11-23-021000.img"
    ImagePath.parse(f"localhost:/b/{made}")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_long_name_is_cut_between_characters_in_every_locale(encoding: str) -> None:
    """Only bytes that are not UTF-8 are cut anywhere."""
    room = NAME_MAX - len(TEMPORARY + ".receipt.json" + "-2026-11-23-021000.img")
    with encoded(encoding):
        for raw in ("é".encode(), "x€".encode(), b"\xff", b"\xc3"):
            stem = b"y" + raw * 200
            made = os.fsencode(set_name(os.fsdecode(b"/r/" + stem), START))
            kept = made.removesuffix(b"-2026-11-23-021000.img")
            assert stem.startswith(kept)
            assert room - len(raw) < len(kept) <= room
            if len(raw) > 1:
                kept.decode()


@given(st.integers(2, 30), DAYS)
def test_consecutive_nights_use_different_directories(count: int, day: datetime.date) -> None:
    """All directories are possible each night; dated sets, a week apart, alternate, too."""
    names = [f"/{number}" for number in range(count)]
    tonight = in_turn(names, day, None)
    assert sorted(tonight) == sorted(names)
    assert in_turn(names, day + DAY, None)[0] != tonight[0]
    assert in_turn(names, day + DAY * 7, None)[0] != tonight[0]


@given(st.integers(2, 30), DAYS)
def test_all_directories_are_used_alike(count: int, day: datetime.date) -> None:
    """Within a few weeks, each one comes first equally often."""
    names = [f"/{number}" for number in range(count)]
    whole = 49 if count == 7 else count
    firsts = [in_turn(names, day + DAY * days, None)[0] for days in range(whole)]
    assert {firsts.count(name) for name in names} == {whole // count}


@given(st.integers(2, 9), st.lists(st.tuples(st.integers(0, 9), st.sets(st.integers(0, 8)))))
def test_no_directory_is_used_twice_while_another_one_can_be(
    count: int, nights: list[tuple[int, set[int]]]
) -> None:
    """Nights may be missed or repeated, and directories may vanish and return."""
    names = [f"/{number}" for number in range(count)]
    day, used = MONDAY, None
    for later, vanished in nights:
        day += DAY * later
        usable = [one for one in in_turn(names, day, used) if int(one[1:]) not in vanished]
        if usable:
            assert usable[0] != used or len(usable) == 1
            used = usable[0]


def test_the_date_decides_and_the_directory_of_the_night_before_is_last() -> None:
    """The others keep their order; a directory that is no longer named does not count."""
    assert MONDAY.toordinal() % 3 == 2
    names = ["/a", "/b", "/c"]
    assert in_turn(names, MONDAY, None) == ["/c", "/a", "/b"]
    assert in_turn(names, MONDAY, "/c") == ["/a", "/b", "/c"]
    assert in_turn(names, MONDAY, "/a") == ["/c", "/b", "/a"]
    assert in_turn(names, MONDAY, "/d") == ["/c", "/a", "/b"]
    assert in_turn(["/a"], MONDAY, "/a") == in_turn(["/a", "/a"], MONDAY, "/a") == ["/a"]


def test_the_order_is_explained() -> None:
    """The explanation is one sentence, with printable names."""
    assert rule(["/a"], MONDAY, "/a") == "There is one image directory, /a."
    assert rule(["/a\udcff", "/b", "/c\udcff"], MONDAY, None) == (
        "By the date, 2026-11-23 begins with /c\\xff of 3 image directories, and the others "
        "follow in turn."
    )
    assert rule(["/a", "/b"], MONDAY, "/b").endswith(
        "the others follow in turn; /b has the set of the day before and comes last."
    )
