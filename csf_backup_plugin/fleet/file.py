"""The fleet file: a section for each repository."""

from __future__ import annotations

import os
import re
import stat
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.fleet import conflicts
from csf_backup_plugin.fleet.repository import KEYS, made_of
from csf_backup_plugin.fleet.syntax import DEFAULTS, Misprint, read_sections
from csf_backup_plugin.fleet.values import Values, check_keys, nearest
from csf_backup_plugin.names import shown
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Iterable

    from csf_backup_plugin.fleet.repository import FleetRepository
    from csf_backup_plugin.fleet.syntax import Section

_LARGEST = 1 << 24  # bytes; 10,000 repositories need a tenth of that
# A valid section name. Such names are used in tables, in file names and with -only.
_NAME = re.compile(r"[^\s-](?:.*\S)?", re.ASCII | re.DOTALL)
_LONGEST_NAME = 60  # bytes


@dataclass(frozen=True)
class Fleet:
    """The repositories of a fleet file.

    Attributes:
        path: the file, as the user named it.
        repositories: the repositories in the order of the file; at least one.
    """

    path: str
    repositories: tuple[FleetRepository, ...]

    def only(self, names: Iterable[str]) -> Fleet:
        """Return a fleet with some of the repositories; the same fleet if none is named.

        Args:
            names: the names of sections.

        Raises:
            UsageError: there is no such section.
        """
        wanted, known = {*names}, [one.name for one in self.repositories]
        for name in wanted - {*known}:
            raise UsageError(
                f"{shown(self.path)} has no section [{shown(name)}].",
                nearest(name, known, f"Its sections are {', '.join(map(shown, known))}."),
            )
        chosen = tuple(one for one in self.repositories if one.name in wanted)
        return replace(self, repositories=chosen) if wanted else self


def read_fleet(path: str) -> Fleet:
    """Return the repositories of a file.

    Args:
        path: the file, on this machine.

    Raises:
        UsageError: the file cannot be read, or a line of it is wrong.
    """
    try:
        data = _read(path)
    except OSError as error:
        raise UsageError(
            f"The fleet file {shown(path)} cannot be read: {reason(error)}.",
            "Give -fleet as the path of a file with a section for each repository.",
        ) from None
    return parse_fleet(path, data)


def parse_fleet(path: str, data: bytes) -> Fleet:
    """Return the repositories of a file's contents.

    Args:
        path: the file, for messages.
        data: its contents.

    Raises:
        UsageError: a line is wrong; the error's facts have ``file``, ``line`` and ``key``.
    """
    try:
        last = data.rstrip().count(b"\n") + 1
        return Fleet(path, _repositories(read_sections(data), last))
    except Misprint as error:
        raise UsageError(
            f"{shown(path)}, line {error.line}: {error.what}",
            error.next_step,
            {"file": path, "line": error.line, "key": error.key or None},
        ) from None


def _read(path: str) -> bytes:
    """Return a file's contents; refuse a pipe or a device, without waiting for it."""
    with open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK)) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError("it is not a plain file")
        data = file.read(_LARGEST + 1)
    if len(data) > _LARGEST:
        raise OSError(f"it has more than {_LARGEST:,} bytes")
    return data


def _repositories(sections: Iterable[Section], last: int) -> tuple[FleetRepository, ...]:
    own = {section.name: section for section in sections}
    defaults = own.pop(DEFAULTS, None)
    for section in (*own.values(), *([defaults] if defaults else [])):
        check_keys(section, KEYS)
    if not own:
        raise Misprint(
            last,
            "the file ends here, and has no repository.",
            "Add a section for each, such as [lib], with its keys database and image-dirs.",
        )
    pairs = []
    for section in own.values():
        _check_name(section)
        values = Values(section, defaults.entries if defaults else {})
        pairs.append((made_of(section.name, values), values.entries))
    conflicts.check(pairs)
    return tuple(one for one, _ in pairs)


def _check_name(section: Section) -> None:
    name = section.name
    if name.lower() in ("default", "defaults"):
        raise Misprint(
            section.line,
            f"[{shown(name)}] is not the section of defaults.",
            f"Write [{DEFAULTS}], in capital letters.",
        )
    if not _NAME.fullmatch(name) or len(os.fsencode(name)) > _LONGEST_NAME:
        raise Misprint(
            section.line,
            f"[{shown(name)}] cannot be the name of a repository.",
            f"Give a name of 1 to {_LONGEST_NAME} bytes that neither begins with a dash nor "
            "begins or ends with a blank.",
        )
