"""All images of a directory, as their receipts tell, and what has no receipt that can be used."""

from __future__ import annotations

import dataclasses
import posixpath
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.advised_commands import prove_command
from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.image.path import IMPORT_FILE, RECEIPT
from csf_backup_plugin.image.receipt_file import problem
from csf_backup_plugin.image.receipt_format import decode
from csf_backup_plugin.log import log
from csf_backup_plugin.names import shown
from csf_backup_plugin.objectstore import commands
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.names import shown
from csf_backup_plugin.image.receipt import Receipt

_TOLD = 10  # of what was passed over, one by one
_NO_RECEIPT = "has no receipt: its backup is running, or did not end well"
_PROVE = "; if its csf was killed, this proves it: "


class ImageSet(NamedTuple):
    """An image with a sound receipt.

    Attributes:
        image: where it is now.
        receipt: what its receipt says.
        modified: when the receipt was written, in seconds since the epoch.
    """

    image: ImagePath
    receipt: Receipt
    modified: float


class PassedOver(NamedTuple):
    """What may be an image, and counts for none.

    Attributes:
        image: which.
        why: in words, to follow its name.
        master: the repository's master database, as the import file tells; None if nothing does.
        modified: when its receipt was written, or without one its import file, in seconds since the
            epoch.
        has_receipt: whether it has a receipt, though that cannot be used.
    """

    image: ImagePath
    why: str
    master: str | None
    modified: float
    has_receipt: bool

    def __str__(self) -> str:
        """Return what is wrong, fit for a message."""
        return f"{self.image} {self.why}"


class Catalog(NamedTuple):
    """The images of a directory.

    Attributes:
        sets: those with a sound receipt.
        passed_over: all others.
    """

    sets: tuple[ImageSet, ...] = ()
    passed_over: tuple[PassedOver, ...] = ()

    def number(self, repository: str | None) -> int:
        """Return the highest number of a backup of the repository with that id; 0 if none."""
        origins = (one.receipt.origin for one in self.sets)
        return max((o.number or 0 for o in origins if o.id == repository), default=0)

    def unusable(self, repository: str | None, master: str) -> int:
        """Return how many receipts cannot be used and may have higher numbers than all others.

        Args:
            repository: the id of the repository whose they may be.
            master: its master database.
        """
        own = [one.modified for one in self.sets if one.receipt.origin.id == repository]
        return sum(
            one.has_receipt and one.master in (None, master) and one.modified >= max(own, default=0)
            for one in self.passed_over
        )

    def warnings(self, master: str | None) -> list[str]:
        """Return what was passed over and may be of the repository of a master database.

        Args:
            master: its path; None for any.
        """
        return told(one for one in self.passed_over if master in (None, one.master or master))


def told(passed_over: Iterable[PassedOver]) -> list[str]:
    """Return what is said of sets that were passed over; of many, of the first ones."""
    texts = [f"passed over: {one}" for one in passed_over]
    more = [f"{len(texts) - _TOLD:,} more were passed over"] if len(texts) > _TOLD else []
    return texts[:_TOLD] + more


def read_catalog(beside: ImagePath, host: Host) -> Catalog:
    """Read every receipt in an image's directory, in a fixed number of exchanges with the host.

    Args:
        beside: any image in it, or ``latest``.
        host: where it is.

    Raises:
        OSError: the directory cannot be listed.
    """
    listed, receipts = host.read_directory(beside.directory, RECEIPT)
    entries = {entry.name: entry for entry in listed}
    sets, passed_over = [], []
    for stem in sorted(name.removesuffix(RECEIPT) for name in receipts):
        if (data := receipts[stem + RECEIPT]) is None:
            continue  # it was removed since the directory was listed
        image, modified = _named(beside, stem), entries[stem + RECEIPT].modified
        found = _decoded(data)
        if isinstance(found, str):
            why = f"has a receipt that {found}"
            passed_over.append(PassedOver(image, why, None, modified, has_receipt=True))
        else:
            sets.append(ImageSet(image, found, modified))
    files = [name for name, entry in entries.items() if entry.kind != "directory"]
    for name in sorted(name for name in files if name.endswith(IMPORT_FILE)):
        image = _named(beside, name.removesuffix(IMPORT_FILE))
        if posixpath.basename(image.receipt) not in entries:
            why = _without_receipt(image, is_recorded=posixpath.basename(image.run) in entries)
            begun = entries[name].modified
            passed_over.append(PassedOver(image, why, None, begun, has_receipt=False))
    log.info(
        "images in %s: %d with a sound receipt, %d passed over",
        *(shown(beside.directory), len(sets), len(passed_over)),
    )
    for one in passed_over:
        log.info("passed over: %s", one)
    return Catalog(tuple(sets), tuple(_with_masters(passed_over, host)))


def read_listable_catalog(beside: ImagePath, host: Host) -> tuple[Catalog, list[str]]:
    """Return the images beside one, and a warning if nobody may look for them."""
    try:
        return read_catalog(beside, host), []
    except PermissionError as error:
        return Catalog(), [
            f"{beside.host}:{shown(beside.directory)} cannot be listed ({reason(error)}): the "
            "number of the last backup is taken from the manifest alone"
        ]


def _named(beside: ImagePath, stem: str) -> ImagePath:
    return dataclasses.replace(beside, path=posixpath.join(beside.directory, stem))


def _without_receipt(image: ImagePath, *, is_recorded: bool) -> str:
    """Return what is wrong with an image; only one whose osbackup is on record can be proven."""
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


def _with_masters(passed_over: Iterable[PassedOver], host: Host) -> list[PassedOver]:
    """Let import files tell whose images were passed over: their first line is the master's."""
    listed = list(passed_over)
    contents = host.read_each(one.image.import_file for one in listed) if listed else []
    return [
        one._replace(master=next(iter(commands.imported_databases(data)), None))
        if isinstance(data, bytes)
        else one
        for one, data in zip(listed, contents, strict=True)
    ]
