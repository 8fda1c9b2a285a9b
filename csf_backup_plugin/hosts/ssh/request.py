"""What is asked of the shell on the host, and the answer that is waited for."""

from __future__ import annotations

import dataclasses
import time
from typing import TYPE_CHECKING, Literal, NamedTuple, TypedDict

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from csf_backup_plugin.hosts.ssh.errors import Answer
    from csf_backup_plugin.hosts.ssh.shell import Shell

#: How a call is run: in a subshell; in one that has the locks; in one that listens to the driver;
#: in one that has both; in the shell itself.
Kind = Literal["script", "locked", "program", "watch", "here"]

GRACE = 20.0  # seconds that a signal leaves to a call that changes something
MOMENT = 2.0  # seconds that it leaves to any other call
FOREVER = float("inf")


class Request(NamedTuple):
    """What is asked.

    Attributes:
        text: see `library.step`.
        kind: how it is run.
        locked: whether to refuse it if a lock was held and is lost.
        grace: for how long it goes on after a signal that asks us to end, in seconds.
        until: the monotonic time at which it is given up.
        heard: is called repeatedly with the progress of the call; None for no progress.
    """

    text: str
    kind: Kind = "script"
    locked: bool = False
    grace: float = MOMENT
    until: float = FOREVER
    heard: Callable[[int], None] | None = None


class How(TypedDict, total=False):
    """The attributes of a `Request` but its text."""

    kind: Kind
    locked: bool
    grace: float
    until: float
    heard: Callable[[int], None] | None


@dataclasses.dataclass
class Pending:
    """A request that was sent, and whose answer is still to come.

    Attributes:
        shell: the shell that it was sent to.
        number: the number of the call there.
        request: the request.
        before: what is run before it.
        count: of how many requests it consists.
        sent: the monotonic time at which it was sent.
        answer: its answer, if it has come.
        answers: the answer to each of the requests that it consists of, if it has come.
    """

    shell: Shell
    number: int
    request: Request
    before: str = ""
    count: int = 1
    sent: float = dataclasses.field(default_factory=time.monotonic)
    answer: Answer | None = None
    answers: Sequence[Answer] = ()

    @property
    def is_program(self) -> bool:
        """Whether its standard error is that of a program, and not of the shell."""
        return self.request.kind == "program"

    @property
    def listens(self) -> bool:
        """Whether it reads from us the order to end."""
        return self.request.kind in ("program", "watch")
