"""The drill of a rotation; due when the repository's last good drill is too old."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin import timestamps
from csf_backup_plugin.errors import BackupError, FaultFound, HostUnreachable, Interrupted
from csf_backup_plugin.operations.drill import drill
from csf_backup_plugin.operations.drill.request import DrillRequest

if TYPE_CHECKING:
    from collections.abc import Collection

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.drill import Drill
    from csf_backup_plugin.operations.rotate.freeze import Witness
    from csf_backup_plugin.operations.rotate.request import RotateRequest
    from csf_backup_plugin.progress_listener import Listener

#: How much earlier a drill may be due, in seconds: last week's drill may have ended later in the
#: night than tonight's begins.
_EARLY = 3600.0


class Drilled(NamedTuple):
    """The drill of tonight's set.

    Attributes:
        drill: the result of a good drill; None if there is a problem.
        problem: why the drill failed or could not be made; None if it was good.
    """

    drill: Drill | None = None
    problem: BackupError | None = None

    @property
    def is_fault(self) -> bool:
        """Whether the drill has found a fault in the image."""
        return isinstance(self.problem, FaultFound)


def is_due(every: float, witnesses: Collection[Witness], now: str) -> bool:
    """Return whether a drill is due.

    Args:
        every: how old the last good drill may be, in seconds.
        witnesses: the repository's sets.
        now: the host's clock, in ISO 8601.
    """
    sound = [one.drilled.at for one in witnesses if one.drilled and one.drilled.is_sound]
    past = [at for at in sound if not timestamps.is_future(at, now)]
    if not past:
        return True
    return timestamps.between(max(past), now) >= every - min(_EARLY, every / 10)


def drill_set(image: ImagePath, request: RotateRequest, host: Host, listener: Listener) -> Drilled:
    """Drill tonight's set; return a failure of the drill instead of raising it.

    Args:
        image: the set's image.
        request: the command's validated options.
        host: the host to work on.
        listener: gets the progress.

    Raises:
        HostUnreachable, Interrupted: the connection was lost, or a signal has come.
    """
    assert request.scratch
    asked = DrillRequest(image, request.scratch, request.repository)
    try:
        return Drilled(drill(asked, host, listener))
    except (HostUnreachable, Interrupted):
        raise
    except BackupError as error:
        return Drilled(problem=error)
