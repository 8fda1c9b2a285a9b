"""The hooks of this plugin: how other distributions learn of attempts, and may refuse one.

A distribution offers a module, or another object, as an entry point of the group `PROJECT`, and
marks its functions with `hookimpl`. What a hook prints goes to standard error. `docs/hooks.md`
says when hooks are called, and has programs that need no Python.
"""

from __future__ import annotations

from typing import NamedTuple

import pluggy

PROJECT = "csf_backup"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Refused(Exception):
    """Raise this to refuse an attempt; any other exception is only a warning.

    Args:
        reason: why, in words for the user who has typed the command.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Attempt(NamedTuple):
    """What a command line asks for; names are as they were typed.

    Attributes:
        attempt: its id in the ledger; None if there is no ledger.
        driver: the machine on which csf runs.
        command: the command's name.
        run_id: the value of ``-run-id``; None if it is not given.
        host: where the image is; None if the command line does not say.
        image: ``HOST:PATH``.
        image_dirs: each ``HOST:DIR``.
        database: the master database.
    """

    attempt: str | None
    driver: str
    command: str
    run_id: str | None
    host: str | None
    image: str | None
    image_dirs: tuple[str, ...]
    database: str | None


class Outcome(NamedTuple):
    """How an attempt has ended.

    Attributes:
        attempt: as in `Attempt`, and so are driver, command, image_dirs and database.
        run_id: the id of a rotation, also if none was given.
        host: where the image is.
        image: ``HOST:PATH`` of the image that was made or read; if none was, as typed.
        exit_code: None if csf was killed.
        outcome: ``done``, ``refused``, ``failed``, ``stopped`` by a signal, or ``killed``.
        seconds: how long it took; None if it was killed.
        bytes: the image's size; of a restore, the databases'.
        repository_id: the id of the image's repository.
        place: the place that a rotation has filled.
        number: the number of the backup in its repository.
        drilled: whether a rotation has drilled the set.
        warnings: how many warnings there were, such as about a directory that could take no set;
            None if that is not known.
        error: how the message begins, if it was not done.
        rehearsal: whether this only tests that the hooks are called; then nothing has failed.
    """

    attempt: str | None
    driver: str
    command: str
    run_id: str | None
    host: str | None
    image: str | None
    image_dirs: tuple[str, ...]
    database: str | None
    exit_code: int | None
    outcome: str
    seconds: float | None
    bytes: int | None
    repository_id: str | None
    place: str | None
    number: int | None
    drilled: bool | None
    warnings: int | None
    error: str | None
    rehearsal: bool = False


@hookspec
def attempt_starting(attempt: Attempt) -> None:
    """Called for an attempt before its work begins, and before anything is locked.

    Every implementation is called, also after one has refused. Example::

        import os

        from csf_backup_plugin.hookspecs import Attempt, Refused, hookimpl

        @hookimpl
        def attempt_starting(attempt: Attempt) -> None:
            if attempt.command.endswith("_rotate") and os.path.exists("/run/month-end"):
                raise Refused("the month-end run is at work, see /run/month-end")

    Args:
        attempt: what is asked for.

    Raises:
        Refused: the attempt must not be made now. The command does nothing, and ends with exit code
            21.
    """


@hookspec
def attempt_finished(outcome: Outcome) -> None:
    """Called when an attempt has ended, its locks are released and its outcome is reported.

    Any exception becomes a warning. Example::

        import syslog

        from csf_backup_plugin.hookspecs import Outcome, hookimpl

        @hookimpl
        def attempt_finished(outcome: Outcome) -> None:
            if outcome.exit_code != 0:  # 71: it was done, and its drill may have failed
                text = f"{outcome.command} of {outcome.database}: {outcome.error}"
                syslog.syslog(syslog.LOG_ERR, text)

    Args:
        outcome: how it has ended. If a run was killed, this is called by the next attempt.
    """
