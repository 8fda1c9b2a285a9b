"""Reading the ledger."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.attempts.killed import is_free
from csf_backup_plugin.attempts.ledger import FILE
from csf_backup_plugin.attempts.line import BEGIN, NewerLine, UnreadableLine, decode
from csf_backup_plugin.attempts.outcomes import KILLED
from csf_backup_plugin.hosts.local.opening import open_file

if TYPE_CHECKING:
    from collections.abc import Iterable

    from csf_backup_plugin.attempts.line import Line


class Attempt(NamedTuple):
    """One attempt of a command.

    Attributes:
        id: a random id of its own.
        command: the command's name in csf.
        driver: the machine on which csf ran.
        user: who ran it.
        pid: csf's process.
        began: when it began; None if that is not in the ledger.
        ended: when it ended; None if it runs, or was killed and there was no attempt since.
        run_id: the id of a rotation; None for other commands.
        host: where the image is, as named; None if the command line does not say.
        image: ``HOST:PATH`` of the image that was made or read; if none was, as named.
        image_dirs: each ``HOST:DIR`` of a rotation, as named.
        database: the master database, as named.
        exit_code: None if it was killed.
        outcome: a word of `outcomes`; None if it has not ended, as far as this user can know.
        seconds: how long it took.
        bytes: the image's size; of a restore, the databases' size.
        repository_id: the id of the image's repository.
        place: the place that a rotation has filled.
        number: the number of the backup in its repository.
        drilled: whether a rotation has drilled the set.
        warnings: how many warnings there were, such as about a directory that could take no set;
            None if that is not known.
        error: how the message begins, if it was not done.
    """

    id: str
    command: str
    driver: str
    user: str
    pid: int
    began: str | None = None
    ended: str | None = None
    run_id: str | None = None
    host: str | None = None
    image: str | None = None
    image_dirs: tuple[str, ...] = ()
    database: str | None = None
    exit_code: int | None = None
    outcome: str | None = None
    seconds: float | None = None
    bytes: int | None = None
    repository_id: str | None = None
    place: str | None = None
    number: int | None = None
    drilled: bool | None = None
    warnings: int | None = None
    error: str | None = None


class Attempts(NamedTuple):
    """What the ledger says.

    Attributes:
        attempts: in the order in which they were recorded.
        newer: lines of a newer version of this plugin, which were skipped.
        unreadable: lines that were skipped because they were cut short.
    """

    attempts: list[Attempt]
    newer: int = 0
    unreadable: int = 0


def read_attempts(directory: str) -> Attempts:
    """Return every attempt in the ledger.

    Args:
        directory: as `directory.state_directory` returns it.

    Raises:
        OSError: the ledger cannot be read; `FileNotFoundError` if there is none.
    """
    found = parse(lines_of(directory))
    free = {one.id for one in found.attempts if not one.outcome and is_free(directory, one.id)}
    if not free:
        return found
    found = parse(lines_of(directory))  # an attempt that has ended meanwhile has recorded its end
    attempts = [
        one._replace(outcome=KILLED) if one.id in free and not one.outcome else one
        for one in found.attempts
    ]
    return found._replace(attempts=attempts)


def lines_of(directory: str) -> list[bytes]:
    """Return every line of the ledger.

    It takes the arguments of `read_attempts`, and raises what `read_attempts` raises.
    """
    with open(open_file(os.path.join(directory, FILE), os.O_RDONLY), "rb") as file:
        return file.readlines()


def parse(lines: Iterable[bytes]) -> Attempts:
    """Return the attempts that lines are about."""
    found, newer, unreadable = dict[str, Attempt](), 0, 0
    for data in lines:
        try:
            line = decode(data)
        except NewerLine:
            newer += 1
        except UnreadableLine:
            unreadable += 1
        else:
            found[line.id] = _with(found.get(line.id), line)
    return Attempts([*found.values()], newer, unreadable)


def _with(attempt: Attempt | None, line: Line) -> Attempt:
    """Return an attempt, updated by a line."""
    facts = {**line.facts, "image_dirs": tuple(line.facts["image_dirs"])}
    at = facts.pop("at")
    if line.event == BEGIN:
        return attempt or Attempt(line.id, began=at, **facts)
    if attempt and attempt.outcome and facts["outcome"] == KILLED:
        return attempt
    # An end that the attempt itself has recorded counts, even if another one took it for killed.
    return Attempt(line.id, began=attempt and attempt.began, ended=at, **facts)
