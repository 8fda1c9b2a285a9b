r"""Quote words for crontabs and systemd units; any bytes but control characters are legal.

In a crontab's command, crontab(5), a ``%`` is a newline unless a backslash precedes it. Some crons
remove that backslash, and some leave it to the shell; after another backslash it may not escape
anything. So a ``%`` is written as ``\%``, outside the shell's quotes.

In a unit, systemd.syntax(7) and systemd.service(5), ``%`` begins a specifier and ``$`` a variable
unless they are doubled, and a line must be UTF-8: each byte outside ASCII is written like ``\xff``.
"""

from __future__ import annotations

import os
import re
import shlex

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.names import shown

_QUOTES = "\"'"
_PLAIN = re.compile(r"[\w@%+=:,./$-]+", re.ASCII)
# Characters that systemd refuses in a unit's program, however they are quoted.
_NO_PROGRAM = re.compile(r"[\"'\\]")


def cron_word(word: str) -> str:
    """Return a word, quoted for a crontab's command."""
    parts = word.split("%")
    return r"\%".join(shlex.quote(part) if part else "" for part in parts) or "''"


def cron_setting(name: str, value: str) -> str:
    """Return the line of a crontab that sets a variable; nothing is escaped there.

    Raises:
        UsageError: the value contains both kinds of quotes.
    """
    if value == value.strip(" ") and value[:1] not in _QUOTES:
        return f"{name}={value}"
    for quote in _QUOTES:
        if quote not in value:
            return f"{name}={quote}{value}{quote}"
    raise UsageError(
        f"{name}={shown(value)} cannot be written in a crontab: it has both kinds of quotes.",
        f"Set {name} to another value, or give -format systemd.",
    )


def unit_word(word: str) -> str:
    """Return an argument, quoted for a unit's command."""
    return _unit_quoted(word.replace("$", "$$"))


def unit_program(path: str) -> str:
    """Return a program, quoted for a unit's command; a ``$`` in it is not special.

    Raises:
        UsageError: systemd runs no program with such a path.
    """
    if _NO_PROGRAM.search(path):
        raise UsageError(
            f"systemd runs no program with a quote or a backslash in its path: {shown(path)}.",
            "Call csf by another path, such as a link to it, or give -format cron.",
        )
    return _unit_quoted(path)


def unit_setting(name: str, value: str) -> str:
    """Return the line of a unit that sets a variable.

    Raises:
        UsageError: the value is not UTF-8.
    """
    try:
        os.fsencode(value).decode()
    except UnicodeDecodeError:
        raise UsageError(
            f"systemd sets no variable to what is not UTF-8: {name}={shown(value)}.",
            f"Set {name} to another value, or give -format cron.",
        ) from None
    return f"Environment={_unit_quoted(f'{name}={value}')}"


def _unit_quoted(word: str) -> str:
    doubled = word.replace("%", "%%")
    return doubled if _PLAIN.fullmatch(doubled) else f'"{_escaped(doubled)}"'


def _escaped(word: str) -> str:
    return "".join(map(_character, os.fsencode(word)))


def _character(byte: int) -> str:
    letter = chr(byte)
    if not letter.isascii():
        return f"\\x{byte:02x}"
    return f"\\{letter}" if letter in '"\\' else letter
