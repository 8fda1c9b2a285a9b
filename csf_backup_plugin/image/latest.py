"""HOST:DIR/latest is not a file; it means a repository's newest verified image in DIR.

The places of a rotation in DIR are searched, too. Newest means the highest number within a
repository's id, and never depends on the clock: after one wrong date, the wrong image would stay
the newest. Images of different repositories in one directory are never mixed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin import timestamps
from csf_backup_plugin.advised_commands import (
    BACKUP_HELP,
    COPIED_THERE,
    PLAIN_PROVE,
    rebuild_command,
)
from csf_backup_plugin.errors import FaultFound, WrongRepository
from csf_backup_plugin.image.by_repository import (
    Key,
    by_repository,
    highest,
    made_elsewhere,
    made_here,
    newest_first,
    place_key,
    twins,
)
from csf_backup_plugin.image.catalog import read_catalog, warnings_about
from csf_backup_plugin.image.location import locate_image
from csf_backup_plugin.image.place import beside_places
from csf_backup_plugin.log import log
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Facts, Machine
    from csf_backup_plugin.image.by_repository import Groups
    from csf_backup_plugin.image.catalog import Catalog, ImageSet
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.receipt import Receipt
    from csf_backup_plugin.image.wanted_repository import Wanted
    from csf_backup_plugin.repository.location import Note


class Newest(NamedTuple):
    """The image that ``latest`` means, or one that was named.

    Attributes:
        image: the image.
        doubts: unusable receipts that were written later, so that they may be of newer images; and
            receipts that contradict each other.
        unproven: images without a receipt that were begun later.
        future: the message if its backup began in the future; empty otherwise.
        notes: what else was skipped; it is no reason for doubt.
        catalog: the images of the directory, if it was read.
        sets: the images of the repository, the newest first, if the directory was read.
    """

    image: ImagePath
    doubts: tuple[str, ...] = ()
    unproven: tuple[str, ...] = ()
    future: str = ""
    notes: tuple[str, ...] = ()
    catalog: Catalog | None = None
    sets: tuple[ImageSet, ...] = ()

    @property
    def findings(self) -> tuple[str, ...]:
        """All reasons why it may not be the newest."""
        return (*self.doubts, *filter(None, [self.future]))

    @property
    def warnings(self) -> tuple[str, ...]:
        """All warnings about the choice that are not findings."""
        return (*self.unproven, *self.notes)


def choose(
    named: ImagePath, at: Facts, wanted: Wanted | None, machine: Machine, host: Host, note: Note
) -> Newest:
    """Return the named image or, if the name is ``latest``, the newest one.

    Args:
        named: as the user named it.
        at: the facts on its directory.
        wanted: the repository whose images count; None if the directory has only one repository's.
        machine: what the host says of itself.
        host: the host.
        note: called if the resolved path differs from the named one.

    Raises:
        BackupError: as for `find_newest`.
    """
    image = locate_image(named, at, note)
    return find_newest(image, wanted, machine, host) if image.is_latest else Newest(image)


def find_newest(latest: ImagePath, wanted: Wanted | None, machine: Machine, host: Host) -> Newest:
    """Return the newest image of a directory.

    Args:
        latest: the directory's ``latest``.
        wanted: the repository whose images count; None if the directory has only one repository's.
        machine: what the host says of itself.
        host: the host.

    Raises:
        WrongRepository: images of several repositories could be meant; the message names them.
        FaultFound: there is no image that could be meant.
        OSError: the directory cannot be read.
    """
    catalog = read_catalog(latest, host)
    candidates = _candidates(latest, catalog, wanted, machine)
    if not candidates:
        raise _none(latest, catalog, wanted.master if wanted else None)
    chosen = highest(candidates)
    masters = {None, *(one.receipt.master for one in candidates)}
    masters |= {wanted.master} if wanted else set()
    concerned = [one for one in catalog.skipped if one.master in masters]
    later = [one for one in concerned if one.modified >= chosen.modified]
    rest = [one for one in concerned if one.modified < chosen.modified]
    log.info(
        "latest is %s, backup %s: the highest number of %d images that may be meant",
        *(chosen.image, chosen.receipt.origin.number, len(candidates)),
    )
    return Newest(
        chosen.image,
        (
            *(f"{o}: it may be newer than {chosen.image}" for o in later if o.has_receipt),
            *_contradictions(candidates, wanted, machine),
        ),
        tuple(f"skipped: {one}" for one in later if not one.has_receipt),
        future(chosen.image, chosen.receipt, machine.now),
        tuple(warnings_about(rest)),
        catalog,
        tuple(newest_first(candidates)),
    )


def _contradictions(
    sets: Sequence[ImageSet], wanted: Wanted | None, machine: Machine
) -> Iterator[str]:
    """Yield contradictions between images that should be of one repository."""
    chosen = highest(sets)
    number = chosen.receipt.origin.number
    for one in twins(sets):
        yield f"{one.image} and {chosen.image} both say that they are backup {number}"
    if wanted and (other := made_elsewhere(sets, machine, wanted.master)):
        yield two_with_one_id(other)


def two_with_one_id(other: ImageSet) -> str:
    """Return the message about two repositories with the same id."""
    return (
        f"{other.image} is an image of a repository with the same id: "
        f"{shown(other.receipt.master)} on {shown(other.receipt.origin.machine)}. One of the two "
        f"is a copy; there, type {COPIED_THERE}"
    )


def check_clock(chosen: Newest, receipt: Receipt, machine: Machine, host: Host) -> Newest:
    """Add to a named image the message if its backup began in the future.

    That is a finding if the image is the newest one of its directory, otherwise a warning.
    """
    if chosen.future or not (ahead := future(chosen.image, receipt, machine.now)):
        return chosen
    number = receipt.origin.number
    catalog = chosen.catalog or read_catalog(beside_places(chosen.image), host)
    if number and number >= catalog.number(receipt.origin.id):
        return chosen._replace(future=ahead, catalog=catalog)
    return chosen._replace(notes=(*chosen.notes, ahead), catalog=catalog)


def future(image: ImagePath, receipt: Receipt, now: str) -> str:
    """Return the message about an image whose backup began in the future; empty if it did not."""
    if not timestamps.is_future(receipt.started, now):
        return ""
    return (
        f"{image} says that its backup began at {receipt.started}, which is in the future: the "
        f"host's clock says {now}"
    )


def _candidates(
    latest: ImagePath, catalog: Catalog, wanted: Wanted | None, machine: Machine
) -> Sequence[ImageSet]:
    """Return the images of the one repository whose newest image is wanted."""
    groups = by_repository(catalog.sets)
    if wanted is None:
        if len(groups) > 1:
            raise _ambiguous(
                latest,
                groups,
                "holds images of several repositories",
                "Choose one with -database MASTER, or name the image instead of latest.",
            )
        return next(iter(groups.values()), ())
    if wanted.identity is None:
        return _made_here(latest, groups, wanted, machine)
    here = wanted.identity.moved(machine, wanted.master)
    at_home, of_place = groups.get(Key(here.id), []), groups.get(place_key(here), [])
    if here == wanted.identity:
        return [*at_home, *of_place]
    if at_home and not of_place:
        changes = wanted.identity.changes(machine, wanted.master)
        raise _ambiguous(
            latest,
            {Key(here.id): at_home},
            f"holds no image of {shown(wanted.master)} as it is now. It was moved or copied: "
            f"{', '.join(map(shown, changes))}. These were made before",
            "Name the image instead of latest. If the repository was moved, say so: "
            + rebuild_command(wanted.repository.master, latest.host, "-moved"),
        )
    return of_place


def _made_here(
    latest: ImagePath, groups: Groups, wanted: Wanted, machine: Machine
) -> Sequence[ImageSet]:
    """Return the images of a repository without a manifest that has its id."""
    master = wanted.master
    here = made_here(groups, machine, master)
    # The machine may have been renamed; but another name may also be that of a clone.
    own = {key: sets for key, sets in here.items() if not key.place or key.place[1] == machine.name}
    if len({key.id for key in own}) == 1:
        return [one for sets in own.values() for one in sets]
    related = here or {
        key: sets for key, sets in groups.items() if any(o.receipt.master == master for o in sets)
    }
    if related:
        what = "several repositories that were" if here else "repositories that may not have been"
        raise _ambiguous(
            latest,
            related,
            f"holds images of {what} at {shown(master)} on this machine, and no manifest there has "
            "the id of the right one",
            "Name the image that you mean instead of latest.",
        )
    return ()


def _ambiguous(latest: ImagePath, groups: Groups, what: str, next_step: str) -> WrongRepository:
    lines = []
    for sets in groups.values():
        one = highest(sets)
        origin = one.receipt.origin
        lines.append(
            f"  {shown(one.receipt.master)} on {shown(origin.machine)}, repository {origin.id}: "
            f"its newest image is {one.image}, backup {origin.number}"
        )
    error = WrongRepository(
        "\n".join([f"{latest.host}:{shown(latest.directory)} {what}:", *sorted(lines)]), next_step
    )
    masters = {one.receipt.master for sets in groups.values() for one in sets}
    error.facts = {"repositories": sorted(masters)}
    return error


def _none(latest: ImagePath, catalog: Catalog, master: str | None) -> FaultFound:
    of = f" of {shown(master)}" if master else ""
    return FaultFound(
        f"{latest.host}:{shown(latest.directory)} holds no image{of} that has a sound receipt with "
        "a backup's number, so there is no latest one.",
        f"Name an image, or make one: {BACKUP_HELP}; what lies in {shown(latest.directory)} "
        f"without a receipt may be proven by {PLAIN_PROVE}.",
        catalog.warnings(master),
    )
