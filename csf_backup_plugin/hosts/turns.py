"""Steps that are carried out one after another, until one fails: see `Host.in_turn`."""

from __future__ import annotations

import errno
import functools
import os
from typing import TYPE_CHECKING, NoReturn

from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.hosts.protocol.steps import (
    Absent,
    Append,
    Create,
    Publish,
    Release,
    RemoveTrees,
    Replace,
)
from csf_backup_plugin.names import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.steps import Step

Ended = tuple["Callable[[], str]", ...]


def carried_out(host: Host, steps: Sequence[Step]) -> Ended:
    """Carry out steps; see `Host.in_turn`."""
    said: list[str] = []
    try:
        for step in steps:
            said.append(_carry_out(step, host))
    except OSError as error:
        return ended(said, len(steps), error)
    except BackupError as error:  # as for a host that is gone
        say_unknown(error, steps, host.name)
        raise
    return ended(said, len(steps))


def say_unknown(error: BackupError, steps: Sequence[Step], host: str) -> None:
    """Make an error say that it is not known which steps were carried out."""
    files = [step.path for step in steps if not isinstance(step, Absent | RemoveTrees | Release)]
    error.left = f"It is not known whether {listed(files)} was written on {host}."


def ended(said: Sequence[str], count: int, error: OSError | None = None) -> Ended:
    """Return how steps have ended, as `Host.in_turn` does.

    Args:
        said: what the steps that succeeded have returned.
        count: how many there were.
        error: that of the next one, if there were more.
    """
    done = [functools.partial(str, one) for one in said]
    return (*done, *[functools.partial(_fail, error)] * (count - len(done)))


def _fail(error: OSError | None) -> NoReturn:
    assert error is not None
    raise error


def _carry_out(step: Step, host: Host) -> str:
    if isinstance(step, Create):
        host.create(*step)
    elif isinstance(step, Absent):
        _check_absent(step, host)
    elif isinstance(step, Append):
        host.append(*step)
    elif isinstance(step, Publish):
        return host.publish(step.path, step.data, **_like(step))
    elif isinstance(step, Replace):
        return host.replace(step.path, step.data, **_like(step))
    elif isinstance(step, RemoveTrees):
        host.remove_trees(step.paths, mine=False)
    else:
        step.lock.release()
    return ""


def _like(step: Publish | Replace) -> dict[str, str]:
    return {"like": step.like} if step.like else {}


def _check_absent(step: Absent, host: Host) -> None:
    for path, at in zip(step.paths, host.stat(step.paths), strict=True):
        if at.kind != "missing":
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)
