"""Places: the directories that a rotation fills below its image directories.

Each weekday but one has a place of its name, and the set there is replaced a week later. The sets
of the remaining weekday are in ``dated``, and are kept for longer.
"""

from __future__ import annotations

import datetime
import os
import posixpath
import re
from typing import TYPE_CHECKING

from csf_backup_plugin.image.path import SET, ImagePath
from csf_backup_plugin.names import NAME_MAX, shown
from csf_backup_plugin.repository.model import Repository
from csf_backup_plugin.weekdays import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Sequence

DATED = "dated"
#: All places, in the order in which they are listed.
PLACES = (DATED, *WEEKDAYS)

_SET_NAME = re.compile(r".*-(\d{4}-\d\d-\d\d-\d{6})(?:-(\d))?\.img", re.ASCII | re.DOTALL)
_WEEK = len(WEEKDAYS)
# The longest text that is added to a set's name: a suffix of its files, and that of temporary
# files.
_ADDED = len(max(SET, key=len)) + len(".csf-0123456789abcdef.tmp")


def place_of(slot: datetime.date, dated_day: str) -> str:
    """Return the place of the set of a day.

    Args:
        slot: the day.
        dated_day: the weekday whose sets lie in ``dated``.
    """
    weekday = WEEKDAYS[slot.weekday()]
    return DATED if weekday == dated_day else weekday


def in_place(image: ImagePath, place: str) -> ImagePath:
    """Return the path of the same image name in a place of the image's directory."""
    path = posixpath.join(image.directory, place, posixpath.basename(image.path))
    return ImagePath(image.host, path)


def beside_places(image: ImagePath) -> ImagePath:
    """Return the same name in the directory above an image's place; the image itself if in none."""
    above, place = posixpath.split(image.directory)
    if place not in PLACES:
        return image
    return ImagePath(image.host, posixpath.join(above, posixpath.basename(image.path)))


def set_name(master: str, at: datetime.datetime, attempt: int = 1) -> str:
    """Return the name of a new set's image, such as ``lib-2026-11-23-021000.img``.

    Args:
        master: the path of the repository's master database.
        at: when the backup starts, by the host's local time.
        attempt: 1, or more if the names for lower numbers exist.
    """
    again = f"-{attempt}" if attempt > 1 else ""
    ending = f"-{at.date()}-{at:%H%M%S}{again}.img"
    stem = posixpath.splitext(Repository(master).name)[0]
    if stem[:1] in ("", "-", "."):  # many programs would take it for an option, or ls would hide it
        stem = f"_{stem}"
    return _cut(stem, NAME_MAX - _ADDED - len(ending)) + ending


def is_set_name(name: str, master: str) -> bool:
    """Tell whether a name may be one that `set_name` has returned.

    Args:
        name: an image's name, without its directory.
        master: the path of the repository's master database.
    """
    found = _SET_NAME.fullmatch(name)
    if found is None:
        return False
    try:
        at = datetime.datetime.strptime(found[1], "%Y-%m-%d-%H%M%S")
    except ValueError:
        return False
    return name == set_name(master, at, int(found[2] or 1))


def in_turn(directories: Sequence[str], slot: datetime.date, used: str | None) -> list[str]:
    """Return the image directories in the order in which they are tried for a day's set.

    The date decides which is first, and the others follow in turn. So consecutive days begin with
    different ones, and so do consecutive dated sets, a week apart. After a missed day, or if a
    directory could not be used, the date alone might choose the same one again: `used` is always
    tried last.

    Args:
        directories: at least one; one that is named twice counts once.
        slot: the day.
        used: the directory that holds the set of the day before; None if none does.
    """
    names = list(dict.fromkeys(directories))
    first = _first(len(names), slot)
    return sorted(names[first:] + names[:first], key=lambda name: name == used)


def rule(directories: Sequence[str], slot: datetime.date, used: str | None) -> str:
    """Return the sentence that explains the order of the image directories.

    Args:
        directories: as for `in_turn`.
        slot: as for `in_turn`.
        used: as for `in_turn`.
    """
    names = list(dict.fromkeys(directories))
    if len(names) == 1:
        return f"There is one image directory, {shown(names[0])}."
    first = names[_first(len(names), slot)]
    last = f"; {shown(used)} has the set of the day before and comes last" if used in names else ""
    return (
        f"By the date, {slot} begins with {shown(first)} of {len(names):,} image directories, and "
        f"the others follow in turn{last}."
    )


def _first(count: int, slot: datetime.date) -> int:
    days = slot.toordinal()
    # Otherwise, with seven directories, each weekday would always have the same one.
    weeks = days // _WEEK if count == _WEEK else 0
    return (days + weeks) % count


def _cut(name: str, longest: int) -> str:
    """Return the first bytes of a name, up to a number, without cutting a character of UTF-8."""
    characters = os.fsencode(name).decode("utf-8", "surrogateescape")
    while len(raw := characters.encode("utf-8", "surrogateescape")) > longest:
        characters = characters[:-1]
    return os.fsdecode(raw)
