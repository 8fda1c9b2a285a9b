"""The lines of a fleet file: sections, keys and values, each with the number of its line.

The syntax is that of Python's configparser with its defaults, without interpolation. Lines that
configparser would ignore silently are errors here. Bytes are kept as they are, in every locale.
"""

from __future__ import annotations

import os
import re
from typing import NamedTuple

from csf_backup_plugin.names import has_control_character, shown

#: The section whose keys are the defaults of all others.
DEFAULTS = "DEFAULT"

_KEY = re.compile(r"(.*?)\s*[=:]\s*(.*)", re.DOTALL)
_MARK = b"\xef\xbb\xbf"  # some editors begin a file in UTF-8 with it


class Misprint(ValueError):
    """Something in a fleet file that is wrong.

    Args:
        line: the number of its line.
        what: what is wrong, as a sentence.
        next_step: what to write instead.
        key: the key whose value is wrong; empty if it is not a value.
    """

    def __init__(self, line: int, what: str, next_step: str, key: str = "") -> None:
        super().__init__(what)
        self.line, self.what, self.next_step, self.key = line, what, next_step, key


class Item(NamedTuple):
    """A line of a value.

    Attributes:
        line: its number.
        text: its text, without blanks around it.
    """

    line: int
    text: str


class Entry(NamedTuple):
    """A key and its value.

    Attributes:
        key: the key, in lower case.
        line: the number of its line.
        items: the lines of the value that are not empty.
    """

    key: str
    line: int
    items: list[Item]


class Section(NamedTuple):
    """A section.

    Attributes:
        name: the name of the section.
        line: the number of the line with the name.
        entries: its entries, by key.
    """

    name: str
    line: int
    entries: dict[str, Entry]


def read_sections(data: bytes) -> list[Section]:
    """Return the sections of a file.

    Raises:
        Misprint: a line is not valid in a fleet file.
    """
    found: dict[str, Section] = {}
    entry, indent = None, 0  # the entry whose value may continue, and its indentation
    for number, line in enumerate(_lines(data), start=1):
        text = line.strip()
        if not text or text[0] in "#;":
            continue
        blanks = len(line) - len(line.lstrip())
        if entry and blanks > indent:
            entry.items.append(Item(number, _name(text)))
            continue
        indent = blanks
        if text.startswith("["):
            entry = None
            _add_section(found, number, text)
        else:
            entry = _add_entry(found, number, text)
    return [*found.values()]


def _lines(data: bytes) -> list[str]:
    """Return the lines; bytes outside ASCII are kept, and never count as blanks."""
    text = data.removeprefix(_MARK).decode("ascii", "surrogateescape")
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    for number, line in enumerate(lines, start=1):
        if has_control_character(_name(line.replace("\t", " "))):
            raise Misprint(
                number,
                f"{shown(_name(line))} holds a control character.",
                "Remove it; a fleet file is plain text.",
            )
    return lines


def _name(text: str) -> str:
    """Return a text of the file, decoded as file names are."""
    return os.fsdecode(text.encode("ascii", "surrogateescape"))


def _add_section(found: dict[str, Section], number: int, text: str) -> None:
    name, bracket, rest = text[1:].rpartition("]")
    if not bracket or rest or not name.strip():
        raise Misprint(
            number,
            f"{shown(_name(text))} is not the line of a section.",
            "Write a section's name alone between brackets, such as [lib]. A comment has a line "
            "of its own.",
        )
    section = Section(_name(name), number, {})
    if other := found.get(section.name):
        raise Misprint(
            number,
            f"the section [{shown(section.name)}] is already in line {other.line}.",
            "Give each repository one section, of a name of its own.",
        )
    found[section.name] = section


def _add_entry(found: dict[str, Section], number: int, text: str) -> Entry:
    pair = _KEY.fullmatch(text)
    if pair is None or not pair[1]:
        raise Misprint(
            number,
            f"{shown(_name(text))} is neither a section nor a key with its value.",
            "Write KEY = VALUE. Each further line of a value begins with a blank.",
        )
    if not found:
        raise Misprint(
            number,
            f"{shown(_name(text))} is not in a section.",
            f"Put it below the line of its section: [NAME], or [{DEFAULTS}] for all of them.",
        )
    key, value = _name(pair[1].lower()), _name(pair[2])
    entries = next(reversed(found.values())).entries
    if key in entries:
        raise Misprint(
            number,
            f"{shown(key)} is already in line {entries[key].line}.",
            "Give each key of a section once. Each further line of a value begins with a blank.",
            key,
        )
    entries[key] = Entry(key, number, [Item(number, value)] if value else [])
    return entries[key]
