"""Options -i and -l of osbackup: the record file, and the level to save at."""

from __future__ import annotations

import os
from collections.abc import Iterable

from csf_simulator.image.base import HIGHEST_LEVEL
from csf_simulator.program.arguments import Arguments
from csf_simulator.program.errors import UsageError
from csf_simulator.program.numbers import whole_number
from csf_simulator.utilities.unrecorded import Unrecorded

# Where the real utility writes its record without -i is not known; this name is invented.
DEFAULT_RECORD = "osbackup.record"


def level_of(arguments: Arguments) -> int:
    """Return the level asked for; 0 without -l.

    Raises:
        UsageError: it is not a level, or it needs a record file and none is named.
    """
    level = whole_number(arguments.values.get("-l", ["0"])[0], 0, HIGHEST_LEVEL)
    if level > 0 and not arguments.has("-i"):
        raise UsageError(f"level {level} needs a record of the levels below it: name one with -i")
    return level


def open_record(arguments: Arguments) -> Unrecorded:
    """Read the record file, if one is named.

    Raises:
        UsageError: it is also the image.
        UtilityError: it cannot be used.
    """
    if not arguments.has("-i"):
        return Unrecorded()
    return _recorded(arguments.values["-i"][0], arguments)


def open_default_record(arguments: Arguments) -> Unrecorded:
    """Read the record file in the working directory, as if it was named.

    Raises:
        UsageError: it is also the image.
        UtilityError: it cannot be used.
    """
    return _recorded(DEFAULT_RECORD, arguments)


def _recorded(name: str, arguments: Arguments) -> Unrecorded:
    """Read a record file."""
    path = os.path.realpath(name)
    _require_other(path, arguments.values["-f"])
    # Imported only here: its modules take as long to import as all others together.
    from csf_simulator.utilities.recorded import Recorded

    return Recorded(path, level_of(arguments))


def _require_other(path: str, images: Iterable[str]) -> None:
    """Raise UsageError if a record file, which need not exist yet, is one of the images."""
    if path in map(os.path.realpath, images):
        raise UsageError(f"the record file {path} cannot be the image too")
