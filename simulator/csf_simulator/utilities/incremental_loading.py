"""Load the sectors of an incremental image, also those that only its targets have.

Invented here: how the real osrestore takes a chain of images is not known. Here it is run once for
each image, the lowest level first, and refuses an image that is not the next.
"""

from __future__ import annotations

from collections.abc import Mapping

from csf_simulator.database.file_source import FileSource
from csf_simulator.database.header import NotADatabase
from csf_simulator.database.sectors import SECTOR
from csf_simulator.image import layout
from csf_simulator.image.base import Base
from csf_simulator.image.checksums import checksums_of
from csf_simulator.image.scanner import Frame
from csf_simulator.program.errors import INCONSISTENT_DB, UtilityError


class IncrementalLoader:
    """Takes the sectors that an image leaves out from the targets, which it proves first.

    Args:
        bases: what databases of the image build upon, by number.
        targets: where databases go, by number; the others need no base.

    Raises:
        OSError: a target cannot be read.
        UtilityError: a target is not as its database was when the image was begun upon it.
    """

    def __init__(self, bases: Mapping[int, Base], targets: Mapping[int, str]) -> None:
        self._sources = {
            number: _prove(targets[number], base)
            for number, base in bases.items()
            if number in targets
        }

    def load(self, frame: Frame, buffer: bytearray) -> memoryview:
        """Return the sectors of a record: as the image has them, or as they are in the target.

        Args:
            frame: the record.
            buffer: the one it was claimed with.

        Returns:
            The sectors; nothing for zeros, and for a database that is not restored.
        """
        record, source = frame.record, self._sources.get(frame.record.database)
        if record.kind != layout.SAME or source is None:
            return frame.load(buffer)
        view = memoryview(buffer)[: record.sectors * SECTOR]
        source.read(record.first, view)
        return view


def _prove(target: str, base: Base) -> FileSource:
    """Return a target as a source, if it is in the state that its image builds upon."""
    try:
        source = FileSource(target)
    except (FileNotFoundError, NotADatabase):
        raise _refusal(target, base) from None
    found = source.sectors == base.sectors and checksums_of(source).digest(source.sectors)
    if found != base.digest:
        raise _refusal(target, base)
    return source


def _refusal(target: str, base: Base) -> UtilityError:
    """Return the error for a target in any other state."""
    return UtilityError(
        f"{target}: not as the image {base.image_id.hex()} of level {base.base_level} holds it, on "
        f"which this one of level {base.level} is built: restore that one first",
        INCONSISTENT_DB,
    )
