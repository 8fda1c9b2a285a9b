"""The sets that a rotation promises to keep, computed differently from its plan."""

from __future__ import annotations

import collections
import datetime
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

#: In the order of the days of the week.
PLACES = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "dated")


class FoundSet(NamedTuple):
    """A set that a rotation has made and proven, as it is on the disk.

    Attributes:
        image: its path.
        number: of the backup.
        place: where it lies.
        slot: the date it is for.
        run_id: the run that made it.
        is_accepted: whether it was made under -yes.
        drill: whether its drill went well; None if there was none.
        is_marked: whether a .keep file stands beside it.
        sha256: of the image, as the receipt has it.
    """

    image: str
    number: int
    place: str
    slot: datetime.date
    run_id: str
    is_accepted: bool
    drill: bool | None
    is_marked: bool
    sha256: str


Sets = dict[str, FoundSet]


def found_sets(directories: Iterable[Path], master: str) -> Sets:
    """Return the sets of a repository, by path; copies do not count.

    Args:
        directories: the image directories.
        master: the repository's master database.
    """
    found: Sets = {}
    for path in [path for top in directories for path in top.glob("*/*.receipt.json")]:
        facts = json.loads(path.read_bytes())
        image = str(path).removesuffix(".receipt.json")
        if (facts["master"], facts["image"]) != (master, image) or facts["place"] is None:
            continue
        assert path.parent.name == facts["place"]
        found[image] = FoundSet(
            image,
            facts["number"],
            facts["place"],
            datetime.date.fromisoformat(facts["slot"]),
            facts["run_id"],
            facts["accepted"],
            _drill(image),
            os.path.exists(f"{image}.keep"),
            facts["image_sha256"],
        )
    return found


def _drill(image: str) -> bool | None:
    try:
        with open(f"{image}.drill.json", "rb") as file:
            facts: Mapping[str, Any] = json.load(file)
    except FileNotFoundError:
        return None
    return not facts.get("findings")


def promised(sets: Sets, counts: Mapping[str, int], out_of_order: Collection[str]) -> set[str]:
    """Return the paths of the sets that must stay.

    Args:
        sets: all that can be seen.
        counts: how many dated sets are kept, by the form of their dates.
        out_of_order: the dated sets whose clock was back.
    """
    places: dict[str, str] = {}
    buckets: dict[str, dict[str, str]] = collections.defaultdict(dict)
    last_drilled, last = "", ""
    stay = {one.image for one in sets.values() if one.is_marked}
    for one in sorted(sets.values(), key=lambda one: one.number):
        last = one.image
        if one.drill:
            last_drilled = one.image
        if one.place != "dated":
            places[one.place] = one.image
        elif one.image in out_of_order:
            stay.add(one.image)
        else:
            for form in counts:
                bucket = one.slot.strftime(form)
                buckets[form].pop(bucket, None)
                buckets[form][bucket] = one.image
    for form, count in counts.items():
        stay.update([*buckets[form].values()][-count:])
    return stay | {*places.values(), last, last_drilled}


def are_frozen(sets: Sets) -> bool:
    """Tell whether the last drill of the sources failed, and nobody has accepted that."""
    good = max((one.number for one in sets.values() if one.drill), default=0)
    accepted = max((one.number for one in sets.values() if one.is_accepted), default=0)
    bad = max((one.number for one in sets.values() if one.drill is False), default=0)
    return bad > good and bad >= accepted
