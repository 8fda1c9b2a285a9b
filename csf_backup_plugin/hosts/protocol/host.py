"""What a use case may ask of a host: a few file operations, a lock, and ObjectStore's utilities.

Paths are absolute and in the host's own file system. When an operation that writes returns, its
data is on the disk. An error of the operating system is raised as `OSError`, whose message names
the file.

Two errors may come from every operation, and from what it has returned: at the beginning and the
end of a block, at each step of an iterator, and from `Running.poll`.

* `HostUnreachable`: there is no connection to the host, or it was cut and could not be made again.
  Then it is not known whether the operation was done. A local host never raises it.
* `Interrupted`: a signal has asked the command to end; see `Host.cancellation`. It is raised once,
  so that the operations that clean up after it are carried out.

Each operation names the other errors that it may raise.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from csf_backup_plugin.hosts.protocol.locking import Locking
from csf_backup_plugin.hosts.protocol.looking import Looking
from csf_backup_plugin.hosts.protocol.programs import Programs
from csf_backup_plugin.hosts.protocol.streaming import Streaming
from csf_backup_plugin.hosts.protocol.together import Together
from csf_backup_plugin.hosts.protocol.writing import Writing

if TYPE_CHECKING:
    from csf_backup_plugin.cancellation import Cancellation


class Host(Looking, Locking, Writing, Streaming, Programs, Together, Protocol):
    """A machine on which databases lie and utilities run.

    Attributes:
        name: what the user calls it; messages use the same name.
        cancellation: says whether the command is to end; operations check it before a step that
            changes much.
    """

    name: str
    cancellation: Cancellation
