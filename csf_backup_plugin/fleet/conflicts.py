"""Refuse values of a fleet file that contradict each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csf_backup_plugin.fleet.syntax import Misprint
from csf_backup_plugin.image.place import PLACES
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from csf_backup_plugin.fleet.repository import FleetRepository
    from csf_backup_plugin.fleet.syntax import Entry
    from csf_backup_plugin.image.path import ImagePath

    Pair = tuple[FleetRepository, Mapping[str, Entry]]


def check(pairs: Sequence[Pair]) -> None:
    """Refuse values that contradict each other.

    Repositories may share an image directory: receipts say which repository a set belongs to.

    Args:
        pairs: each repository, and the entries of its section.

    Raises:
        Misprint: two values contradict each other, or a value is missing.
    """
    _check_drills(pairs)
    _check_databases(pairs)
    _check_directories(pairs)


def _check_drills(pairs: Iterable[Pair]) -> None:
    for one, entries in pairs:
        if one.drill_every is not None and one.scratch_dir is None:
            raise Misprint(
                entries["drill-every"].line,
                f"drill-every of [{shown(one.name)}]: there is no scratch-dir to drill in.",
                "Give both, such as drill-every = 7d and scratch-dir = /var/tmp, or neither.",
                "drill-every",
            )


def _check_databases(pairs: Iterable[Pair]) -> None:
    seen: dict[tuple[str, str], tuple[FleetRepository, int]] = {}
    for one, entries in pairs:
        key, line = (_machine(one.host), one.repository.master), entries["database"].line
        if key in seen:
            other, before = seen[key]
            raise Misprint(
                line,
                f"database of [{shown(one.name)}]: {shown(one.database)} is that of "
                f"[{shown(other.name)}], in line {before}.",
                "Give each repository one section.",
                "database",
            )
        seen[key] = one, line


def _check_directories(pairs: Sequence[Pair]) -> None:
    """Refuse places of an image directory as directories: rotations remove sets there."""
    tops = {
        (_machine(top.host), top.directory): (top, item.line)
        for one, entries in pairs
        for top, item in zip(one.image_dirs, entries["image-dirs"].items, strict=True)
    }
    places = {
        (host, f"{directory.rstrip('/')}/{place}"): (top, line)
        for (host, directory), (top, line) in tops.items()
        for place in PLACES
    }
    for one, entries in pairs:
        own = {(_machine(top.host), top.directory) for top in one.image_dirs}
        for key, found, line in _directories(one, entries):
            at = _machine(found.host), found.directory
            what = ""
            if at in places:
                top, before = places[at]
                what = f"a place of {top.host}:{shown(top.directory)}, in line {before}"
            elif key == "copy-to" and at in own:
                what = "where the sets are that would be copied"
            if what:
                raise Misprint(
                    line,
                    f"{key} of [{shown(one.name)}]: {found.host}:{shown(found.directory)} is "
                    f"{what}.",
                    "Give another directory.",
                    key,
                )


def _directories(
    one: FleetRepository, entries: Mapping[str, Entry]
) -> Iterator[tuple[str, ImagePath, int]]:
    for key, found in (("image-dirs", one.image_dirs), ("copy-to", one.copy_to)):
        if key in entries:
            for top, item in zip(found, entries[key].items, strict=True):
                yield key, top, item.line


def _machine(host: str) -> str:
    """Return the name of a host without the user, in lower case."""
    return host.rpartition("@")[2].lower()
