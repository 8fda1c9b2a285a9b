"""A call that was sent to the shell on the host, and waits for its answer."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.ssh.errors import Answer
    from csf_backup_plugin.hosts.ssh.library import Kind
    from csf_backup_plugin.hosts.ssh.shell import Shell


@dataclasses.dataclass
class Pending:
    """A call whose answer is still to come.

    Attributes:
        shell: the shell that it was sent to.
        number: its number there.
        kind: how it is run.
        before: what is run before it.
        sent: the monotonic time at which it was sent.
        answer: its answer, if it has come.
    """

    shell: Shell
    number: int
    kind: Kind
    before: str
    sent: float = dataclasses.field(default_factory=time.monotonic)
    answer: Answer | None = None

    @property
    def is_program(self) -> bool:
        """Whether its standard error is that of a program, and not of the shell."""
        return self.kind == "program"

    @property
    def listens(self) -> bool:
        """Whether it reads from us the order to end."""
        return self.kind in ("program", "watch")
