"""Sync, remove and rename any number of files on the host with one call."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.ssh.errors import Answer, Status, check, os_error
from csf_backup_plugin.hosts.ssh.looking import split
from csf_backup_plugin.hosts.ssh.request import GRACE
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from csf_backup_plugin.hosts.protocol.steps import Withdrawal
    from csf_backup_plugin.hosts.ssh.connection import Connection


_STAYS: dict[int, str] = {
    Status.GONE: common.GONE,
    Status.BEING_READ: common.BEING_READ,
    Status.REPLACED_MEANWHILE: common.REPLACED,
}


class Writing:
    """The part of a host that changes directories."""

    _connection: Connection

    def sync(self, paths: Iterable[str]) -> list[str]:
        """Bring files and their names to the disk; see `Host.sync`."""
        return split(self._each("sync_files", list(paths)))

    def remove(self, paths: Iterable[str]) -> None:
        """Delete files and empty directories that exist, in order."""
        self._each("remove_files", list(paths))

    def remove_trees(self, paths: Iterable[str], *, mine: bool) -> None:
        """Remove files, or directories with all that is in them; see `Host.remove_trees`."""
        self._one_by_one(("remove_trees", "mine" if mine else ""), list(paths))

    def make_directories(self, paths: Iterable[str]) -> None:
        """Make directories, in order; they must not exist yet."""
        self._one_by_one(("make_directories",), list(paths))

    def move(self, moves: Iterable[tuple[str, str]]) -> None:
        """Give files other names in the same file system; see `Host.move`."""
        pairs = list(moves)
        if not pairs:
            return
        paths = [path for pair in pairs for path in pair]
        answer = self._connection.ask("move_files", *paths, grace=GRACE)
        moved = int(answer.output or 0)
        if moved < len(pairs):
            raise os_error(answer, pairs[moved][0])
        check(answer, paths[0])

    def withdraw(self, files: Iterable[Withdrawal]) -> list[str]:
        """Rename files, except those that are being read; see `Host.withdraw`."""
        wanted = list(files)
        if not wanted:
            return []
        words = [word for one in wanted for word in one]
        answer = check(self._connection.ask("withdraw_files", *words, grace=GRACE), wanted[0].path)
        ended = answer.output.split(b"\0")[:-1]
        return [_why_it_stays(one, told) for one, told in zip(wanted, ended, strict=True)]

    def _one_by_one(self, words: Sequence[str], paths: list[str]) -> None:
        """Call a function that prints a dot for each path that is done."""
        answer = self._connection.ask(*words, *paths, grace=GRACE)
        if (done := len(answer.output)) < len(paths):
            raise os_error(answer, paths[done])

    def _each(self, function: str, paths: list[str]) -> bytes:
        """Call a function on many paths; return what it prints."""
        if not paths:
            return b""
        answer = self._connection.ask(function, *paths, grace=GRACE)
        return check(answer, _blamed(answer.errors, paths)).output


def _why_it_stays(one: Withdrawal, told: bytes) -> str:
    """Return why a file was not withdrawn, from its status and errors; empty if it was."""
    status, _, said = told.partition(b" ")
    answer = Answer(int(status), b"", said)
    if not answer.status:
        return ""
    if answer.status == Status.KEPT:
        return common.kept(one.unless)
    return _STAYS.get(answer.status) or reason(os_error(answer, one.path))


def _blamed(errors: bytes, paths: list[str]) -> str:
    """Return the path that is named in an error, the last one if several are."""
    return next((path for path in reversed(paths) if os.fsencode(path) in errors), paths[0])
