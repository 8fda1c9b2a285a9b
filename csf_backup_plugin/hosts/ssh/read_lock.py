"""A file that is not withdrawn while it is read: the shell on the host holds a shared lock.

If the connection is cut, the lock is lost; the shell of the next login takes it again before it
does anything else. For a running utility, its guardian holds a lock of its own.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts import common
from csf_backup_plugin.hosts.ssh.errors import Answer, Status, os_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.hosts.ssh.connection import Connection

_SLICE = "-w1"  # one wait on the host, so that it notices a lost connection
_AT_ONCE = "-n"


@contextlib.contextmanager
def held(connection: Connection, path: str) -> Iterator[None]:
    """Hold a shared lock on a file while the block runs; see `Host.reading`."""
    descriptor = connection.descriptors.pop()
    try:
        _take(connection, descriptor, path)
        connection.readings[descriptor] = path
        connection.at_login[descriptor] = ("lock_read", descriptor, path, _AT_ONCE)
        yield
    finally:
        connection.readings.pop(descriptor, None)
        connection.at_login.pop(descriptor, None)
        connection.run_unheard("lock_end", descriptor, path, "release")
        connection.descriptors.append(descriptor)


def _take(connection: Connection, descriptor: str, path: str) -> None:
    deadline = time.monotonic() + common.WITHDRAWAL
    while True:
        connection.cancellation.check()
        answer = connection.ask("lock_read", descriptor, path, _SLICE, kind="here")
        if answer.status != Status.BUSY:
            break
        if time.monotonic() >= deadline:
            raise common.withdrawing(path, connection.host)
    if answer.status:
        raise os_error(Answer(answer.status, b"", answer.output), path)
