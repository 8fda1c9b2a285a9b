"""Attempts that were killed: they have begun and not ended, and their lock is free."""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING

from csf_backup_plugin import timestamps
from csf_backup_plugin.attempts.files import own_file, take_lock
from csf_backup_plugin.attempts.ledger import LOCKS
from csf_backup_plugin.attempts.line import (
    BEGIN,
    END,
    SCHEMA,
    TYPES_AT_END,
    Line,
    UnreadableLine,
    decode,
    encode,
)
from csf_backup_plugin.attempts.outcomes import KILLED
from csf_backup_plugin.attempts.unreported import mark

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.attempts.ledger import Ledger

SUFFIX = ".lock"
# The beginning of a whole line, as `line.encode` writes it, so that old lines need not be parsed.
_LINE = re.compile(
    rb'^\{"schema":"%b","event":"(begin|end)","attempt":"([0-9a-f]{1,64})",.*\}$' % SCHEMA.encode(),
    re.MULTILINE,
)
_NOTHING: dict[str, None] = dict.fromkeys(TYPES_AT_END)


def lock_file(directory: str, attempt: str) -> str:
    """Return the file that an attempt holds a lock on while it runs."""
    return os.path.join(directory, LOCKS, attempt + SUFFIX)


def enter_killed(ledger: Ledger) -> None:
    """Record an end for each attempt that was killed, and remove its lock file.

    Raises:
        OSError: that failed.
    """
    if ledger.lock is None:
        return
    unended = _unended(ledger.recent())
    free = {one for one in {*unended, *_left(ledger.directory)} if is_free(ledger.directory, one)}
    ends = dict(_ends(line for one, line in unended.items() if one in free))
    mark(ledger.directory, ends)
    if ends:
        ledger.append(b"".join(ends.values()))
    for one in free:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(lock_file(ledger.directory, one))


def _unended(lines: bytes) -> dict[str, bytes]:
    """Return the begin line of each attempt that has no end line, by the attempt's id."""
    found: dict[str, bytes] = {}
    for match in _LINE.finditer(lines):
        if match[1] == BEGIN.encode():
            found[match[2].decode()] = match[0]
        else:
            found.pop(match[2].decode(), None)
    return found


def _left(directory: str) -> Iterator[str]:
    """Yield the ids of the attempts that have a lock file."""
    with os.scandir(os.path.join(directory, LOCKS)) as entries:
        yield from (one.name.removesuffix(SUFFIX) for one in entries if one.name.endswith(SUFFIX))


def is_free(directory: str, attempt: str) -> bool:
    """Tell whether an attempt's lock is known to be free."""
    try:
        with own_file(lock_file(directory, attempt), os.O_RDWR) as descriptor:
            return take_lock(descriptor) is True
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _ends(begins: Iterator[bytes]) -> Iterator[tuple[str, bytes]]:
    """Yield, for each begin line, the attempt's id and an end line."""
    how = {**_NOTHING, "at": timestamps.now(), "outcome": KILLED}
    for begin in begins:
        with contextlib.suppress(UnreadableLine):
            line = decode(begin)
            yield line.id, encode(Line(END, line.id, {**line.facts, **how}))
