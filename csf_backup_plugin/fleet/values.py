"""The values of a section's keys; they are read by the same functions as those of options."""

from __future__ import annotations

import configparser
import difflib
import re
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.fleet.syntax import Misprint
from csf_backup_plugin.names import absolute, shown
from csf_backup_plugin.option_values import NONE
from csf_backup_plugin.weekdays import WEEKDAYS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from csf_backup_plugin.fleet.syntax import Entry, Item, Section

Read = TypeVar("Read")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.ASCII | re.DOTALL)
_LOOKS_LIKE_A_COMMENT = re.compile(r"\s[#;]")


class Values:
    """The values of a section; where it has none, those of the defaults.

    Args:
        section: the section.
        defaults: the entries of the defaults, by key.

    Attributes:
        entries: the entries, by key, without those whose value is ``none``.
    """

    def __init__(self, section: Section, defaults: Mapping[str, Entry]) -> None:
        self._section = section
        every = {**defaults, **section.entries}
        self.entries = {key: one for key, one in every.items() if not _is_none(one)}

    def needed(self, key: str, read: Callable[[str], Read]) -> Read:
        """Return the only value of a key that is required."""
        self._need(key)
        return self.one(key, read, None)

    def one(self, key: str, read: Callable[[str], Read], default: Any = None) -> Read | Any:
        """Return the only value of a key, or the default if the key is missing."""
        entry = self.entries.get(key)
        if entry is None:
            return default
        if len(entry.items) > 1:
            item = entry.items[1]
            self._refuse(key, item, f"{shown(item.text)} is a second value.", "Give one value.")
        return self._read(key, entry.items[0], read)

    def several(self, key: str, read: Callable[[str], Read]) -> tuple[Read, ...]:
        """Return the values of a key, one a line; refuse a value that is given twice."""
        entry = self.entries.get(key)
        found: dict[Read, int] = {}
        for item in entry.items if entry else ():
            value = self._read(key, item, read)
            if value in found:
                what = f"{shown(item.text)} is already in line {found[value]}."
                self._refuse(key, item, what, "Give each value once.")
            found[value] = item.line
        return tuple(found)

    def at_least_one(self, key: str, read: Callable[[str], Read]) -> tuple[Read, ...]:
        """Return the values of a key that is required, one a line."""
        self._need(key)
        return self.several(key, read)

    def flag(self, key: str) -> bool:
        """Return whether the value of a key is yes."""
        return bool(self.one(key, _flag, default=False))

    def _need(self, key: str) -> None:
        if key not in self.entries:
            raise Misprint(
                self._section.line,
                f"[{shown(self._section.name)}] has no {key}.",
                f"Give it one: {key} = VALUE.",
                key,
            )

    def _read(self, key: str, item: Item, read: Callable[[str], Read]) -> Read:
        try:
            return read(item.text)
        except UsageError as error:
            self._refuse(key, item, error.what, error.next_step)
        except ValueError as error:
            self._refuse(key, item, str(error), "Correct the line.")

    def _refuse(self, key: str, item: Item, what: str, next_step: str) -> NoReturn:
        if _LOOKS_LIKE_A_COMMENT.search(item.text):
            next_step += " A comment has a line of its own."
        section = shown(self._section.name)
        raise Misprint(item.line, f"{key} of [{section}]: {shown(what)}", next_step, key)


def check_keys(section: Section, known: Collection[str]) -> None:
    """Refuse unknown keys, and keys without a value.

    Raises:
        Misprint: there is such a key.
    """
    for key, entry in section.entries.items():
        if key not in known:
            raise Misprint(
                entry.line,
                f"{shown(key)} is not a key of a fleet file.",
                nearest(key, known, f"The keys are {', '.join(known)}."),
                key,
            )
        if not entry.items:
            raise Misprint(
                entry.line,
                f"{key} has no value.",
                f"Give it one, leave the line out, or write {key} = {NONE} to use no default.",
                key,
            )


def nearest(name: str, known: Collection[str], otherwise: str) -> str:
    """Return a sentence that suggests the most similar name; `otherwise` if none is similar."""
    near = difflib.get_close_matches(name, known, 1)
    return f"Did you mean {shown(near[0])}?" if near else otherwise


def weekday(text: str) -> str:
    """Return the name of a weekday.

    Raises:
        ValueError: the text is not a weekday.
    """
    if text not in WEEKDAYS:
        raise ValueError(f"{text} is not a weekday: {', '.join(WEEKDAYS)}.")
    return text


def path(text: str) -> str:
    """Return an absolute path.

    Raises:
        ValueError: the text is not an absolute path.
    """
    try:
        return absolute(text)
    except ValueError as error:
        raise ValueError(f"{text!r} {error}.") from None


def variable(text: str, keys: Collection[str]) -> tuple[str, str]:
    """Return the name and the value of an environment variable.

    Args:
        text: NAME=VALUE.
        keys: the keys of a section; refused as names, since they are lines indented by mistake.

    Raises:
        ValueError: the text is not NAME=VALUE, or NAME is a key.
    """
    if not _VARIABLE.fullmatch(text):
        raise ValueError(f"{text} is not NAME=VALUE.")
    name, _, value = text.partition("=")
    if name in keys:
        raise ValueError(f"{name} is a key: its line begins as far left as that of environment.")
    return name, value


def _flag(text: str) -> bool:
    states = configparser.ConfigParser.BOOLEAN_STATES
    if text.lower() not in states:
        raise ValueError(f"{text} is neither yes nor no.")
    return states[text.lower()]


def _is_none(entry: Entry) -> bool:
    return entry.key != "max-drill-age" and [one.text for one in entry.items] == [NONE]
