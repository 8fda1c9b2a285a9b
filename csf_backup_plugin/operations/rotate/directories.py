"""Which image directories tonight's set may go to, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.image.by_repository import highest
from csf_backup_plugin.image.place import in_turn, rule
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.mounts import why_unmounted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.rotate.tonight import Tonight


class Order(NamedTuple):
    """The image directories of a night.

    Attributes:
        tops: ``latest`` of each that can be used, in the order in which they are tried. One whose
            disk is not mounted comes last: any backup is better than none.
        rule: the sentence that explains the order.
        problems: what is wrong with directories, a sentence part each.
        mounts: the mount point that each directory has, or is to have.
    """

    tops: Sequence[ImagePath]
    rule: str
    problems: Sequence[str]
    mounts: Mapping[str, str]


def order(tonight: Tonight) -> Order:
    """Return which directories are tried tonight."""
    site = tonight.site
    problems = {**site.problems, **tonight.listed.problems}
    expected = _expected_mounts(tonight)
    unmounted = {top: why for top, why in unmounted_tops(tonight).items() if top not in problems}
    # The next run is to know of a mount point, too, though nothing is mounted there tonight.
    missing = [top.directory for top in (*problems, *unmounted)]
    mounts = {**site.mounts, **{path: expected[path] for path in missing if path in expected}}
    paths = [top.directory for top in site.request.tops]
    in_order = in_turn(paths, tonight.placement.slot, tonight.used)
    usable = [top for top in site.at if top not in problems]
    return Order(
        sorted(usable, key=lambda top: (top in unmounted, in_order.index(top.directory))),
        rule(paths, tonight.placement.slot, tonight.used),
        [f"{top.host}:{shown(top.directory)} {why}" for top, why in (problems | unmounted).items()],
        mounts,
    )


def unmounted_tops(tonight: Tonight) -> dict[ImagePath, str]:
    """Return the image directories whose disk is not mounted, and what is said of each."""
    expected, at = _expected_mounts(tonight), tonight.site.at
    told = {top: why_unmounted(at[top], expected.get(top.directory, "/")) for top in at}
    return {top: why for top, why in told.items() if why}


def _expected_mounts(tonight: Tonight) -> Mapping[str, str]:
    """Return the mount points that the newest set of a rotation tells, of all its directories."""
    if not tonight.placed:
        return {}
    return highest(tonight.placed).receipt.origin.mounts
