"""Programs on the host, run to their end below the shell, by `program.sh`.

Each has a process group of its own. If the driver stops waiting for it, is cut off or is killed,
the group is ended, and the shell goes on.
"""

from __future__ import annotations

import errno
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.protocol.values import ENDLESS, UNKNOWN, Completed
from csf_backup_plugin.hosts.ssh.errors import Answer, check

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from csf_backup_plugin.hosts.ssh.connection import Connection


_LATE = b"late"  # instead of the exit status


class Programs:
    """The part of a host that runs programs."""

    _connection: Connection

    def run(self, argv: Sequence[str], timeout: float) -> Completed:
        """Run a program to its end, with empty standard input."""
        return self._run("program", common.OUTPUT, timeout, *argv)

    def run_each(
        self, argv: Sequence[str], operands: Iterable[str], timeout: float
    ) -> Iterator[Completed]:
        """Run a program once for each operand; see `Host.run_each`."""
        for operand in operands:
            yield self._run("merged_program", common.OUTPUT_OF_EACH, timeout, *argv, operand)

    def digest(self, path: str, progress: Callable[[int], None]) -> tuple[int, str]:
        """Return a file's size and SHA-256; `progress` is called with the bytes read so far."""
        answer = self._connection.ask("digest", path, kind="program", heard=progress)
        if answer.status <= common.LAST_STATUS:  # not if a shell of ours was killed
            check(answer, path)
        completed = self._ended(answer)
        if completed.status == UNKNOWN:
            raise OSError(
                errno.EIO, "A process that read it was killed, or could not be started", path
            )
        check(completed, path)
        sha256, _name, size = completed.output.split()
        progress(int(size))
        return int(size), sha256.decode("ascii")

    def _run(self, function: str, room: int, timeout: float, *argv: str) -> Completed:
        words, until = (function, str(room), *argv), time.monotonic() + timeout
        answer = self._ended(self._connection.ask(*words, kind="program", until=until, grace=0))
        is_endless = max(len(answer.output), len(answer.errors)) > room
        status = ENDLESS if is_endless else common.as_wait_status(answer.status)
        return Completed(status, answer.output, answer.errors)

    def _ended(self, answer: Answer) -> Answer:
        """Return how a program ended, without the output that came after its end.

        If its output is not complete, its status is unknown.

        Raises:
            TimeoutError: its time was over, and the host has ended it.
        """
        mark = self._connection.mark
        output, end, status = answer.output.rpartition(b"\n%s " % mark)
        whole = b"\n%s whole" % mark
        is_whole = output.endswith(whole) and answer.errors.endswith(whole)
        streams = (said.removesuffix(whole) for said in (output, answer.errors))
        output, errors = (said.partition(b"%s\n" % mark)[0] for said in streams)
        if status.strip() == _LATE:
            raise TimeoutError
        is_known = bool(is_whole and end and status.strip().isdigit())
        return Answer(int(status) if is_known else UNKNOWN, output, errors)
