"""How cron and systemd read a schedule, written from their manuals and sources."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any

from csf_backup_plugin.hosts.protocol.values import Machine
from csf_backup_plugin.operations.rotate.request import BackupOptions, RotateRequest
from csf_backup_plugin.operations.schedule.request import ScheduleRequest
from csf_backup_plugin.operations.schedule.surroundings import Surroundings
from doubles import MemoryHost

if TYPE_CHECKING:
    from collections.abc import Sequence

HERE = Surroundings(
    "/opt/csf/bin/csf",
    "lib",
    Machine("b" * 32, "desk", "2026-11-30T12:00:00+00:00"),
    {"OS_ROOTDIR": "/opt/objectstore", "PATH": "/usr/bin:/bin"},
    "/usr/sbin/sendmail",
)
_ESCAPES = {b"\\": b"\\", b'"': b'"', b"'": b"'", b"s": b" "}
_ESCAPE = re.compile(rb"x([0-9a-f]{2})|([\\\"'s])")


def asked(
    form: str,
    *directories: str,
    master: str = "/databases/lib.db",
    host: str = "db1",
    at: str | None = None,
    strict: bool = False,
    options: BackupOptions | None = None,
    **rotation: Any,
) -> ScheduleRequest:
    """Return the request for a schedule; the image directory is /backup1 if none is given."""
    tops = [f"{host}:{one}" for one in directories or ("/backup1",)]
    made = RotateRequest.parse(master, tops, options or {}, every=86400.0, **rotation)
    return ScheduleRequest.parse(made, form, at, strict=strict)


def host_with(*mounted: str, on_root: Sequence[str] = ()) -> MemoryHost:
    """Return a host with the master database, and with image directories on their own disks."""
    directories = ("/", "/databases", *mounted, *on_root)
    made = MemoryHost({"/databases/lib.db": b"x"}, directories)
    made.facts = {path: {"device": number} for number, path in enumerate(mounted, start=50)}
    return made


def to_shell(command: str, *, is_first: bool = False) -> str:
    r"""Return what cron passes to the shell for a crontab's command.

    Args:
        command: the sixth field.
        is_first: as Vixie's first cron does, which leaves the backslash of ``\%`` to the shell.
    """
    given, is_escaped = "", False
    for character in command:
        if is_escaped:
            is_escaped = False
            if character == "%" and not is_first:
                given = given[:-1]
        elif character == "%":
            return given  # the rest is standard input
        else:
            is_escaped = character == "\\"
        given += character
    return given


def setting(line: str) -> tuple[str, str] | None:
    """Return name and value of a crontab's line that sets a variable; None for other lines.

    This follows load_env of Vixie's cron: nothing is escaped, and a quote ends at the same quote.
    """
    name, equals, value = line.partition("=")
    if not equals or not re.fullmatch(r"\w+", name.strip(" \t"), re.ASCII):
        return None
    value = value.lstrip(" \t")
    if value[:1] in ("'", '"'):
        inside, quote, rest = value[1:].partition(value[0])
        return (name, inside) if quote and not rest.strip(" \t") else None
    return name, value.rstrip(" \t")


def unit_words(value: str) -> list[bytes]:
    """Return the words of a unit's setting by systemd.syntax(7), with specifiers resolved."""
    rest, words = os.fsencode(value), []
    assert rest.isascii()
    while rest := rest.lstrip(b" "):
        quote = rest[:1] if rest[:1] in (b"'", b'"') else b""
        word, rest = _word(rest[len(quote) :], quote or b" ")
        assert not quote or rest[:1] in (b" ", b"")
        words.append(_specifiers_undone(word))
    return words


def _word(rest: bytes, end: bytes) -> tuple[bytes, bytes]:
    word = b""
    while rest and rest[:1] != end:
        if rest[:1] != b"\\":
            word, rest = word + rest[:1], rest[1:]
            continue
        found = _ESCAPE.match(rest, 1)
        assert found, rest
        word += bytes.fromhex(found[1].decode()) if found[1] else _ESCAPES[found[2]]
        rest = rest[found.end() :]
    assert rest or end == b" "
    return word, rest[1:]


def _specifiers_undone(word: bytes) -> bytes:
    assert not re.search(rb"(?<!%)%(?:%%)*(?!%)", word), word
    return word.replace(b"%%", b"%")


def dollars_undone(words: list[bytes]) -> list[bytes]:
    """Return the arguments that a unit's program gets, without variables."""
    for word in words:
        assert not re.search(rb"(?<!\$)\$(?:\$\$)*(?!\$)", word), word
    return [word.replace(b"$$", b"$") for word in words]
