"""The order of verification: images not verified for the longest time come first."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin import timestamps
from csf_backup_plugin.image.by_repository import by_repository, newest_first

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.image.catalog import ImageSet
    from csf_backup_plugin.image.check_record import Check
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.receipt import Receipt


class Candidate(NamedTuple):
    """An image that may be verified.

    Attributes:
        image: the image.
        receipt: its receipt.
        at: when the image was last verified, by the host's clock, in ISO 8601; empty if never, or
            if the record is dated in the future.
        has_failed: whether the last verification found a fault, even if its record is dated in the
            future.
    """

    image: ImagePath
    receipt: Receipt
    at: str
    has_failed: bool

    def is_recent(self, older_than: float | None, now: str) -> bool:
        """Return whether the image was verified recently, and need not be read again yet.

        Args:
            older_than: the image is due if it was verified longer ago than this, in seconds; None
                if it is always due.
            now: the host's clock, in ISO 8601.
        """
        if older_than is None or not self.at:
            return False
        return timestamps.between(self.at, now) < older_than


def in_turn(sets: Sequence[ImageSet], last: Sequence[Check | None], now: str) -> list[Candidate]:
    """Return images in the order in which they are verified.

    Images that were never verified come first; among these, the newest of each repository.

    Args:
        sets: the images.
        last: the last verification of each image; None if there was none.
        now: the host's clock, in ISO 8601.
    """
    ages = {
        one.image: age
        for group in by_repository(sets).values()
        for age, one in enumerate(newest_first(group))
    }
    found = [_candidate(one, check, now) for one, check in zip(sets, last, strict=True)]
    # An image without a number counts as the oldest.
    return sorted(found, key=lambda one: (one.at, ages.get(one.image, len(sets)), one.image.path))


def _candidate(one: ImageSet, check: Check | None, now: str) -> Candidate:
    at = check.at if check and not timestamps.is_future(check.at, now) else ""
    return Candidate(one.image, one.receipt, at, check is not None and not check.is_sound)
