"""The manifest: an append-only file about a repository, with a checksum on every line.

First line: ``csf-backup-manifest 1``. Each further line: the CRC-32 of what follows as eight
hexadecimal digits, a space, and a record:

    NAME a database of the repository dropped/NAME no database of the repository any more backup/N
    PATH backup number N was begun, to the image PATH number/N a backup had the number N; every
    rebuilt manifest has this record repository/JSON the repository's identity

A name without a slash lies in the master database's own directory, so a repository may be moved as
a whole; any other name is an absolute path. A later record overrides an earlier one.

An append that was cut short leaves a last line without its newline. The next append adds
`CUT_SHORT` and the newline to it. Such a line counts if its checksum is right; otherwise it is
reported and does not count.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.hosts.common import CUT_SHORT
from csf_backup_plugin.names import has_control_character
from csf_backup_plugin.repository.identity import Identity
from csf_backup_plugin.repository.manifest_lines import encode_lines, line_of
from csf_backup_plugin.texts import each, from_text, to_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

HEADER = b"csf-backup-manifest 1"
_DROPPED, _BACKUP, _NUMBER, _REPOSITORY = "dropped", "backup", "number", "repository"


class Manifest(NamedTuple):
    """What a manifest says.

    Attributes:
        names: every database recorded, in the order of recording, each once.
        dropped: the names that were dropped, and not recorded again since.
        identity: the repository's; None if none was recorded.
        backups: by image path, the number of the last backup that was begun to that image.
        known: the highest number that is known from elsewhere; 0 if none is.
        cut_short: incomplete lines that may have named a database.
        damaged: the numbers, from 1, of damaged lines.
    """

    names: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    identity: Identity | None = None
    backups: Mapping[str, int] = {}
    known: int = 0
    cut_short: tuple[str, ...] = ()
    damaged: tuple[int, ...] = ()

    @property
    def number(self) -> int:
        """The highest number of a backup; 0 if none was begun."""
        return max(self.known, *self.backups.values(), 0)


class CorruptManifest(ValueError):
    """A line is damaged.

    Args:
        line: its number, from 1.
    """

    def __init__(self, line: int) -> None:
        super().__init__(f"line {line} is damaged")
        self.line = line


def encode(
    names: Iterable[str],
    identity: Identity | None = None,
    backups: Mapping[str, int] | None = None,
    dropped: Iterable[str] = (),
    known: int = 0,
) -> bytes:
    """Return a whole manifest.

    Args:
        names: the databases it records.
        identity: the repository's, if it has one.
        backups: numbers of backups by the image's path.
        dropped: the names that it lists as dropped.
        known: the highest number that is known from elsewhere.
    """
    lines = HEADER + b"\n" + (identity_line(identity) if identity else b"")
    lines += line_of(f"{_NUMBER}/{known}") if known else b""
    lines += b"".join(backup_line(number, image) for image, number in (backups or {}).items())
    return lines + dropped_lines(dropped) + encode_lines(names)


def dropped_lines(names: Iterable[str]) -> bytes:
    """Return the lines that record databases as dropped."""
    return b"".join(line_of(f"{_DROPPED}/{name}") for name in names)


def backup_line(number: int, image: str) -> bytes:
    """Return the line that records that a backup was begun.

    Args:
        number: the backup's number.
        image: the image's path.
    """
    return line_of(f"{_BACKUP}/{number} {image}")


def identity_line(identity: Identity) -> bytes:
    """Return the line that records the repository's identity."""
    import json  # not needed by class_create

    return line_of(f"{_REPOSITORY}/{json.dumps(each(identity._asdict(), to_text))}")


def decode(data: bytes) -> Manifest:
    """Read a manifest.

    Args:
        data: all bytes of the file.

    Raises:
        CorruptManifest: a line is damaged that was not merely cut short.
    """
    recorded = salvage(data)
    if recorded.damaged:
        raise CorruptManifest(recorded.damaged[0])
    return recorded


def salvage(data: bytes) -> Manifest:
    """Read the whole lines of a manifest, and list the damaged ones."""
    first, *lines = data.split(b"\n")
    damaged = [] if first == HEADER and lines else [1]  # written together with the file
    names: dict[str, None] = {}
    dropped: dict[str, None] = {}
    identity: Identity | None = None
    backups: dict[str, int] = {}
    known, cut_short = 0, list[str]()
    for number, line in enumerate(lines, start=2):
        written = line.removesuffix(CUT_SHORT)
        ended = number <= len(lines) and written == line
        match _decode_line(line) or _decode_line(written):
            case str(name):
                names[name] = None
                dropped.pop(name, None)
            case (kind, str(name)) if kind == _DROPPED:
                dropped[name] = None
                names.pop(name, None)
            case int(backup), str(image):
                backups[image] = backup
            case int(backup):
                known = max(known, backup)
            case Identity() as found:
                identity = found
            case None if ended:
                damaged.append(number)
            case None if _may_name_a_database(written):
                cut_short.append(os.fsdecode(written[9:]))
    return Manifest(
        tuple(names), tuple(dropped), identity, backups, known, tuple(cut_short), tuple(damaged)
    )


def _may_name_a_database(written: bytes) -> bool:
    """Tell whether a line that was cut short may have named a database; an empty one did not."""
    kinds = (_BACKUP, _NUMBER, _REPOSITORY)
    return bool(written) and not written[9:].startswith(tuple(f"{k}/".encode() for k in kinds))


def _decode_line(line: bytes) -> str | tuple[str, str] | tuple[int, str] | int | Identity | None:
    """Return a line's record: a name, a dropped name, a backup's number and image, or an identity.

    Return None for a damaged line.
    """
    record = os.fsdecode(line[9:])
    if line + b"\n" != line_of(record):
        return None
    kind, slash, value = record.partition("/")
    if not kind or not slash:
        return record
    try:
        if kind == _BACKUP:
            number, _, image = value.partition(" ")
            return int(number), image
        if kind == _NUMBER:
            return int(value)
        if kind == _REPOSITORY:
            import json

            facts = json.loads(value).items()
            found = Identity(**{key: from_text(str(text)) for key, text in facts})
            return None if has_control_character(found.master) else found
    except (ValueError, TypeError, AttributeError):
        return None
    return (kind, value) if kind == _DROPPED else None
