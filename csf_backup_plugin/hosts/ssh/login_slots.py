"""A limit on simultaneous logins to one sshd, for all commands that share a directory of slots.

An sshd drops logins at random if too many are not authenticated yet: see MaxStartups in
sshd_config(5). A slot is a locked file: it is free again when its process has ended in any way.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import time
from typing import TYPE_CHECKING

from csf_backup_plugin.hosts.ssh.route import ssh_route
from csf_backup_plugin.log import log
from csf_backup_plugin.system_errors import in_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.cancellation import Cancellation

#: The variable that names the directory; if it is not set, there is no limit.
VARIABLE = "CSF_BACKUP_LOGIN_SLOTS"
#: Simultaneous logins to a host, or to the jump host before it; sshd begins to drop them at 10.
SLOTS = 8

_POLL = 0.05  # seconds
_FLAGS = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW


@contextlib.contextmanager
def login_slot(host: str, until: float, cancellation: Cancellation) -> Iterator[None]:
    """Have one of the slots while the block runs, if the environment names a directory of them.

    Args:
        host: the host to log in to.
        until: the monotonic time at which the wait ends.
        cancellation: what ends the wait.

    Raises:
        Interrupted: a signal came.
        TimeoutError: none was free by `until`.
    """
    top = os.environ.get(VARIABLE)
    if not top:
        yield
        return
    gate = ssh_route(host, os.environ, cancellation).gate
    directory = os.path.join(top, hashlib.sha256(os.fsencode(gate)).hexdigest()[:16])
    with contextlib.ExitStack() as stack:
        try:
            os.makedirs(directory, 0o700, exist_ok=True)
            stack.callback(os.close, _slot(directory, until, cancellation))
        except TimeoutError:
            raise
        except OSError as error:  # one login too many is better than no backup
            log.warning("logins are not counted: %s", in_words(error))
        yield


def _slot(directory: str, until: float, cancellation: Cancellation) -> int:
    """Return the descriptor of a slot, once one is free."""
    while True:
        for number in range(SLOTS):
            path = os.path.join(directory, str(number))
            with contextlib.ExitStack() as stack:
                descriptor = os.open(path, _FLAGS, 0o600)
                stack.callback(os.close, descriptor)
                with contextlib.suppress(BlockingIOError):
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    stack.pop_all()
                    return descriptor
        cancellation.check()
        if time.monotonic() >= until:
            raise TimeoutError
        time.sleep(_POLL)
