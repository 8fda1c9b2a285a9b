"""The image directories for tonight's set, in the order in which they are tried."""

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
    """The image directories for tonight's set.

    Attributes:
        tops: ``latest`` of each usable directory, in the order in which they are tried. Those whose
            disk is not mounted come last: any backup is better than none.
        rule: the sentence that explains the order.
        problems: what is wrong with directories; each is a part of a sentence.
        mounts: the mount point of each directory; if nothing is mounted there, the expected one.
    """

    tops: Sequence[ImagePath]
    rule: str
    problems: Sequence[str]
    mounts: Mapping[str, str]


def order(tonight: Tonight) -> Order:
    """Return the directories to try tonight."""
    site = tonight.site
    problems = {**site.problems, **tonight.listed.problems}
    expected = _expected_mounts(tonight)
    unmounted = {top: why for top, why in unmounted_tops(tonight).items() if top not in problems}
    # Record the expected mount points of disks that are not mounted, so that the next run has them,
    # too.
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
    """Return the image directories whose disk is not mounted, and the message for each."""
    expected, at = _expected_mounts(tonight), tonight.site.at
    reasons = {top: why_unmounted(at[top], expected.get(top.directory, "/")) for top in at}
    return {top: why for top, why in reasons.items() if why}


def _expected_mounts(tonight: Tonight) -> Mapping[str, str]:
    """Return the mount points of all directories, from the receipt of the newest set."""
    if not tonight.placed:
        return {}
    return highest(tonight.placed).receipt.origin.mounts
