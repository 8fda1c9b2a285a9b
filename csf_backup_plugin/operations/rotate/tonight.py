"""What decides about tonight's set: its place and time, and the sets before it."""

from __future__ import annotations

import datetime
import posixpath
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.image.by_repository import highest
from csf_backup_plugin.image.place import place_of
from csf_backup_plugin.image.receipt import Placement
from csf_backup_plugin.operations.rotate.freeze import last_trusted, suspicions
from csf_backup_plugin.operations.rotate.history import own_sets, read_all, witnesses
from csf_backup_plugin.repository.inventory import read_manifest

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.catalog import ImageSet
    from csf_backup_plugin.image.receipt import Receipt
    from csf_backup_plugin.operations.rotate.freeze import Witness
    from csf_backup_plugin.operations.rotate.history import Listed
    from csf_backup_plugin.operations.rotate.site import Site
    from csf_backup_plugin.repository.manifest import Manifest


class Tonight(NamedTuple):
    """What was found under the repository's lock.

    Attributes:
        site: the host, the repository and the image directories.
        recorded: what the repository's manifest says; None if there is none.
        listed: what could be read from the image directories.
        own: the repository's sets in them.
        witnesses: what is known about each of these sets.
        placement: the place, slot and run of tonight's set.
    """

    site: Site
    recorded: Manifest | None
    listed: Listed
    own: Sequence[ImageSet]
    witnesses: Sequence[Witness]
    placement: Placement

    @property
    def now(self) -> datetime.datetime:
        """The host's local time."""
        return datetime.datetime.fromisoformat(self.site.machine.local).replace(tzinfo=None)

    @property
    def placed(self) -> list[ImageSet]:
        """The repository's sets that rotations have made."""
        return [one for one in self.own if one.receipt.placement]

    @property
    def used(self) -> str | None:
        """The image directory with the newest set of an earlier slot; None if there is none."""
        slots = ((one.receipt.placement, one) for one in self.placed)
        earlier = [one for at, one in slots if at and at.slot < self.placement.slot]
        if not earlier:
            return None
        return posixpath.dirname(highest(earlier).image.directory)

    def suspicions(self, made: Receipt, recorded: Manifest | None) -> tuple[str, ...]:
        """Return the suspicions about a new set, compared with the last trusted one.

        Args:
            made: the new set's receipt.
            recorded: what the manifest says now.
        """
        last = last_trusted(self.witnesses)
        dropped = frozenset(recorded.dropped if recorded else ())
        if last and recorded and _is_new_manifest(last, recorded):
            dropped = last.databases
        return suspicions(frozenset(made.names), made.size, last, dropped)

    def judged(self, made: Receipt) -> Receipt:
        """Return the receipt of an earlier run's set with its suspicions added."""
        return made._replace(suspicions=self.suspicions(made, self.recorded))


def look_at_tonight(site: Site, host: Host) -> Tonight:
    """Read the manifest, every receipt, and the records of checks.

    Args:
        site: the host, the repository and the image directories.
        host: the host to work on.
    """
    request = site.request
    recorded, listed = host.together(
        lambda: read_manifest(request.repository, host), lambda: read_all([*site.at], host)
    )
    identity = recorded.identity if recorded else None
    own = own_sets(listed.catalog, identity, site.machine, request.repository)
    local = datetime.datetime.fromisoformat(site.machine.local)
    slot = request.slot or local.date()
    return Tonight(
        site,
        recorded,
        listed,
        own,
        witnesses(own, listed.catalog, host),
        Placement(place_of(slot, request.dated_day), slot, request.run_id),
    )


def _is_new_manifest(last: Witness, recorded: Manifest) -> bool:
    """Return whether -rebuild or a restore has written a new manifest since a set was made."""
    return last.number <= recorded.known
