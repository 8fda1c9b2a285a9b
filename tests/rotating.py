"""Rotations of a place in this process, each at a chosen time of its host."""

from __future__ import annotations

import copy
import datetime
import os
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cards import is_of_a_card

from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.image import receipt_format, run_note, sealed_json
from csf_backup_plugin.operations.rotate import rotate
from csf_backup_plugin.operations.rotate.request import RotateRequest
from doubles import Memory

if TYPE_CHECKING:
    from conftest import Place

    from csf_backup_plugin.hosts.protocol.values import Machine
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.receipt import Receipt
    from csf_backup_plugin.operations.rotate import Rotated

MONDAY = datetime.datetime(2026, 11, 23, 2, 10, tzinfo=datetime.timezone.utc)
DAY = datetime.timedelta(days=1)
WEEK = 7 * DAY
SUNDAY = MONDAY - DAY

# The record of a successful osbackup, with a process number that no process has.
SUCCEEDED = {
    "started": "2026-11-23T02:10:00+00:00",
    "pid": "999999999",
    "output": "",
    "status": "0",
}


class TimedHost(LocalHost):
    """This machine, with a clock that the test sets.

    Args:
        at: what it says.
        itself: what else it says of itself otherwise.
    """

    def __init__(self, at: datetime.datetime = MONDAY, **itself: Any) -> None:
        super().__init__()
        self._itself = {"now": at.isoformat(), "local": at.isoformat(), **itself}

    def machine(self) -> Machine:
        """Return the machine's facts, with that time."""
        return super().machine()._replace(**self._itself)


def rotated(
    place: Place,
    at: datetime.datetime = MONDAY,
    *tops: Path,
    host: LocalHost | None = None,
    **asked: Any,
) -> Rotated:
    """Rotate a place at a time.

    Args:
        place: which.
        at: when; the slot is that day unless told otherwise.
        tops: the image directories; the place's own if none is named.
        host: the host; this machine at that time, unless told otherwise.
        asked: of `RotateRequest.parse`; "options" are those of the backup.
    """
    directories = [f"localhost:{top}" for top in tops or (place.images,)]
    options = asked.pop("options", {})
    request = RotateRequest.parse(place.master, directories, options, **asked)
    return rotate(request, host or TimedHost(at), Memory())


def receipts_in(*tops: Path) -> dict[str, Receipt]:
    """Return the contents of the receipts in some directories and their places, by image path."""
    return {
        str(path).removesuffix(".receipt.json"): receipt_format.decode(path.read_bytes())
        for top in tops
        for path in sorted(top.rglob("*.receipt.json"))
    }


def resealed(receipt: str, **facts: Any) -> bytes:
    """Return a receipt with changed contents, sealed again."""
    return sealed_json.encode({**sealed_json.decode(Path(receipt).read_bytes()), **facts})


def dated_copy(image: str, number: int, at: datetime.datetime) -> str:
    """Make a further set from a dated one, with another number and night.

    Return its image's path.
    """
    path = f"{os.path.dirname(image)}/lib-{at:%Y-%m-%d-%H%M%S}.img"
    facts = {"image": path, "number": number, "slot": str(at.date()), "started": at.isoformat()}
    for ending in ("", ".dbn"):
        shutil.copy(image + ending, path + ending)
    Path(f"{path}.receipt.json").write_bytes(resealed(f"{image}.receipt.json", **facts))
    return path


def copied(place: Place, to: Path) -> Place:
    """Copy a repository with its manifest; return it as a place with the same images."""
    made = copy.copy(place)
    made.repository = shutil.copytree(place.repository, to)
    made.master = str(to / Path(place.master).name)
    return made


def let_be_unproven(image: ImagePath, files: dict[str, str] | None = None) -> None:
    """Change a set to the state before its proof.

    Args:
        image: which; it has a receipt.
        files: what is on record of the run, beside the note.
    """
    receipt = receipt_format.decode(Path(image.receipt).read_bytes())
    os.unlink(image.receipt)
    os.mkdir(image.run)
    Path(run_note.path(image)).write_bytes(run_note.encode(receipt.origin, receipt.placement))
    for name, text in (SUCCEEDED if files is None else files).items():
        Path(image.run, name).write_text(f"{text}\n")


def files(top: Path) -> dict[str, bytes]:
    """Return every file below a directory except recovery cards, with its contents."""
    paths = [path for path in top.rglob("*") if not is_of_a_card(str(path))]
    return {str(path): path.read_bytes() for path in paths if path.is_file()}
