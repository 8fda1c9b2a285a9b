"""All images of some directories, by their receipts, and what has no usable receipt."""

from __future__ import annotations

import dataclasses
import functools
import posixpath
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.advised_commands import prove_command
from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.image import copy_record, sealed_json
from csf_backup_plugin.image.path import ARRIVING, COPYING, IMPORT_FILE, RECEIPT, REMOVING
from csf_backup_plugin.image.place import PLACES, beside_places, in_place
from csf_backup_plugin.image.receipt_file import problem
from csf_backup_plugin.image.receipt_format import decode
from csf_backup_plugin.log import log
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore import commands
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Entry
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.receipt import Receipt

_Read = tuple["list[Entry]", "dict[str, bytes | OSError | None]"]

_NAMED = 10  # how many of the skipped sets are named
_NO_RECEIPT = "has no receipt: its backup is running, or did not end well"
_PROVE = "; if its csf was killed, this proves it: "
_WHY = {
    REMOVING: "is being removed by a rotation; the next rotation completes that",
    ARRIVING: f"is the part ({ARRIVING}) of a copy whose record is gone; remove it by hand, since "
    "no copy replaces it",
}


class ImageSet(NamedTuple):
    """An image with a usable receipt.

    Attributes:
        image: where it is now.
        receipt: what its receipt says.
        modified: when the receipt was written, in seconds since the epoch.
    """

    image: ImagePath
    receipt: Receipt
    modified: float


class Skipped(NamedTuple):
    """A set that may have an image, but is not used.

    Attributes:
        image: the image.
        why: the reason, in words that follow its name.
        master: the repository's master database, from the import file; None if that does not say.
        modified: when its receipt, or its import file if it has no receipt, was written, in seconds
            since the epoch.
        has_receipt: whether it has a receipt, which cannot be used.
        is_removed: whether a rotation has begun to remove it.
        is_copy: whether it is an unfinished copy: it is being made, or its csf was killed.
    """

    image: ImagePath
    why: str
    master: str | None
    modified: float
    has_receipt: bool
    is_removed: bool = False
    is_copy: bool = False

    def __str__(self) -> str:
        """Return what is wrong, fit for a message."""
        return f"{self.image} {self.why}"


class Catalog(NamedTuple):
    """The images of some directories.

    Attributes:
        sets: those with a usable receipt.
        skipped: all others; they are not used.
        entries: what is in the directories, by path.
    """

    sets: tuple[ImageSet, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    entries: Mapping[str, Entry] = {}

    def number(self, repository: str | None) -> int:
        """Return the highest backup number of the repository with an id; 0 if there is none."""
        origins = (one.receipt.origin for one in self.sets)
        return max((o.number or 0 for o in origins if o.id == repository), default=0)

    def unusable(self, repository: str | None, master: str) -> int:
        """Return how many unusable receipts may have higher numbers than all others.

        Args:
            repository: the id of the repository that they may belong to.
            master: its master database.
        """
        own = [one.modified for one in self.sets if one.receipt.origin.id == repository]
        return sum(
            one.has_receipt and one.master in (None, master) and one.modified >= max(own, default=0)
            for one in self.skipped
        )

    def skipped_for(self, master: str | None) -> list[Skipped]:
        """Return what was skipped and may belong to the repository of a master database.

        Args:
            master: its path; None for any repository.
        """
        return [one for one in self.skipped if master in (None, one.master or master)]

    def warnings(self, master: str | None) -> list[str]:
        """Return the warnings about what `skipped_for` returns."""
        return warnings_about(self.skipped_for(master))


def warnings_about(skipped: Iterable[Skipped]) -> list[str]:
    """Return the warnings about sets that were skipped; of many, only the first ones."""
    texts = [f"skipped: {one}" for one in skipped]
    more = [f"{len(texts) - _NAMED:,} more were skipped"] if len(texts) > _NAMED else []
    return texts[:_NAMED] + more


def read_catalog(beside: ImagePath, host: Host) -> Catalog:
    """Read every receipt in an image's directory and in the places there; see `read_catalogs`."""
    return read_catalogs([beside], host)


def read_catalogs(tops: Sequence[ImagePath], host: Host) -> Catalog:
    """Read every receipt in directories and in their places.

    Any number of images costs the same number of exchanges with the host.

    Args:
        tops: for each directory, any image path in it, such as its ``latest``.
        host: where they are.

    Raises:
        OSError: one of the directories, or of the existing places, cannot be listed.
    """
    found = [(beside, read()) for beside, read in _read_all(tops, host)]
    return _catalog(found, host)


def read_what_can_be(
    tops: Sequence[ImagePath], host: Host
) -> tuple[Catalog, dict[ImagePath, OSError]]:
    """Read every receipt in directories and in their places, as far as that can be done.

    Args:
        tops: as for `read_catalogs`.
        host: where they are.

    Returns:
        What was read; and by a path in each directory or place that could not be read, the error.
        If a place fails with the same error as its directory, only the directory is listed.
    """
    found: list[tuple[ImagePath, _Read]] = []
    problems: dict[ImagePath, OSError] = {}
    for beside, read in _read_all(tops, host):
        try:
            found.append((beside, read()))
        except OSError as error:
            above = problems.get(beside_places(beside))
            if above is None or above.errno != error.errno:
                problems[beside] = error
    return _catalog(found, host), problems


def _read_all(tops: Sequence[ImagePath], host: Host) -> list[tuple[ImagePath, Callable[[], _Read]]]:
    """Return a path in each directory and place, with a function that returns what was read."""
    places = [in_place(top, name) for top in tops for name in PLACES]
    steps = [functools.partial(host.read_directory, top.directory, RECEIPT) for top in tops]
    steps += [functools.partial(_read_place, place, host) for place in places]
    found = host.together(*map(postponed, steps))
    return [*zip((*tops, *places), found, strict=True)]


def _read_place(beside: ImagePath, host: Host) -> _Read:
    """Return what is in a place, and its receipts; empty if there is no such place."""
    try:
        return host.read_directory(beside.directory, RECEIPT)
    except (FileNotFoundError, NotADirectoryError):
        return [], {}


def _catalog(read: Iterable[tuple[ImagePath, _Read]], host: Host) -> Catalog:
    """Return the catalog of the receipts that were read from some directories."""
    sets: list[ImageSet] = []
    skipped: list[Skipped] = []
    entries: dict[str, Entry] = {}
    for beside, (listed, receipts) in read:
        here = {entry.name: entry for entry in listed}
        entries |= {posixpath.join(beside.directory, name): at for name, at in here.items()}
        for image, found, modified in _receipts(beside, here, receipts):
            if isinstance(found, str):
                why = f"has a receipt that {found}"
                skipped.append(Skipped(image, why, None, modified, has_receipt=True))
            else:
                sets.append(ImageSet(image, found, modified))
        skipped += _without_receipts(beside, here)
        log.info("images in %s: %d with a sound receipt so far", shown(beside.directory), len(sets))
    for one in skipped:
        log.info("skipped: %s", one)
    return Catalog(tuple(sets), tuple(_with_masters(_with_copies(skipped, host), host)), entries)


def _receipts(
    beside: ImagePath, here: Mapping[str, Entry], receipts: Mapping[str, bytes | OSError | None]
) -> Iterator[tuple[ImagePath, Receipt | str, float]]:
    """Yield each image with a receipt, the receipt or why it cannot be used, and its time."""
    for name in sorted(receipts):
        if (data := receipts[name]) is not None:  # otherwise it was removed meanwhile
            yield _named(beside, name.removesuffix(RECEIPT)), _decoded(data), here[name].modified


def _without_receipts(beside: ImagePath, here: Mapping[str, Entry]) -> Iterator[Skipped]:
    """Yield images without a receipt: backups, copies and removals that are not finished."""
    stems = {
        name.removesuffix(ending): (ending, here[name].modified)
        for ending in (IMPORT_FILE, ARRIVING, COPYING, REMOVING)
        for name in sorted(here)
        if name.endswith(ending) and here[name].kind != "directory"
    }
    for stem, (ending, begun) in stems.items():
        if stem + RECEIPT not in here:
            image = _named(beside, stem)
            is_recorded = posixpath.basename(image.run) in here
            why = _WHY.get(ending) or _without_receipt(image, is_recorded=is_recorded)
            yield Skipped(
                *(image, why, None, begun),
                has_receipt=False,
                is_removed=ending == REMOVING,
                is_copy=ending == COPYING,
            )


def read_listable_catalog(image: ImagePath, host: Host) -> tuple[Catalog, list[str]]:
    """Return the images in an image's directory; a warning instead if it cannot be listed.

    For an image in a place, the other places are read, too.
    """
    try:
        return read_catalog(beside_places(image), host), []
    except PermissionError as error:
        return Catalog(), [
            f"{image.host}:{shown(image.directory)} cannot be listed ({reason(error)}): the "
            "number of the last backup is taken from the manifest alone"
        ]


def _named(beside: ImagePath, stem: str) -> ImagePath:
    return dataclasses.replace(beside, path=posixpath.join(beside.directory, stem))


def _without_receipt(image: ImagePath, *, is_recorded: bool) -> str:
    """Return what is wrong with an image; it can be proven only if it has a run record."""
    prove = f"{_PROVE}{prove_command(image.name)}"
    return _NO_RECEIPT + prove * is_recorded


def _decoded(data: bytes | OSError) -> Receipt | str:
    """Return what a receipt says, or why it cannot be used."""
    if isinstance(data, OSError):
        return f"cannot be read: {reason(data)}"
    try:
        return decode(data)
    except sealed_json.UnusableDocument as error:
        return problem(error)


def _with_copies(skipped: Iterable[Skipped], host: Host) -> list[Skipped]:
    """Add what is copied, from the records of copies, which are all read at once."""
    listed = list(skipped)
    paths = [one.image.copying for one in listed if one.is_copy]
    records = iter(host.read_each(paths) if paths else [])
    return [
        one._replace(
            why=". ".join(copy_record.unfinished(one.image, copy_record.decode(next(records))))
        )
        if one.is_copy
        else one
        for one in listed
    ]


def _with_masters(skipped: Iterable[Skipped], host: Host) -> list[Skipped]:
    """Add the master databases of images without receipt: the first line of their import files."""
    listed = list(skipped)
    contents = host.read_each(one.image.import_file for one in listed) if listed else []
    return [
        one._replace(master=next(iter(commands.imported_databases(data)), None))
        if isinstance(data, bytes)
        else one
        for one, data in zip(listed, contents, strict=True)
    ]
