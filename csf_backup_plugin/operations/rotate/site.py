"""The host, the repository and the image directories of a rotation, as they are now."""

from __future__ import annotations

import dataclasses
import functools
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.hosts.postponed import postponed
from csf_backup_plugin.image.location import locate_image
from csf_backup_plugin.image.place import PLACES, in_place
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.mounts import mount_points
from csf_backup_plugin.repository.location import locate, look_at_repository
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.values import Facts, Machine
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.operations.rotate.request import RotateRequest
    from csf_backup_plugin.progress_listener import Listener


class Site(NamedTuple):
    """What was found.

    Attributes:
        request: the validated options, with resolved paths.
        machine: the host, and its clock.
        at: the facts on each image directory that exists, by its ``latest``.
        problems: why the other image directories cannot be used.
    """

    request: RotateRequest
    machine: Machine
    at: Mapping[ImagePath, Facts]
    problems: Mapping[ImagePath, str]

    @property
    def mounts(self) -> dict[str, str]:
        """The mount point of each image directory whose mount point is known."""
        return mount_points({top.directory: at for top, at in self.at.items()})


def look_at_site(request: RotateRequest, host: Host, listener: Listener) -> Site:
    """Read the facts on host, repository and image directories; some of the last may fail.

    Args:
        request: the command's validated options.
        host: the host to work on.
        listener: gets a note if a path resolves to another one.

    Raises:
        RepositoryNotFound: there is no such master database.
        UsageError: two of the image directories are the same, or one is a place of another.
    """
    steps = [postponed(functools.partial(host.look, [top.directory])) for top in request.tops]
    machine, places, looked = host.together(
        host.machine,
        lambda: look_at_repository(request.repository, host),
        lambda: host.together(*steps),
    )
    repository = locate(request.repository, places, host, listener.note)
    tops: list[ImagePath] = []
    at: dict[ImagePath, Facts] = {}
    problems: dict[ImagePath, str] = {}
    for top, found in zip(request.tops, looked, strict=True):
        try:
            (facts,) = found()
        except OSError as error:
            tops.append(top)
            problems[top] = f"cannot be looked at: {reason(error)}"
            continue
        tops.append(located := locate_image(top, facts, listener.note))
        if located in at:
            raise UsageError(
                f"{shown(top.directory)} is {shown(located.directory)}, which is given as well.",
                "Give each directory once.",
            )
        if facts.kind == "directory":
            _check_apart(located, at)
            at[located] = facts
        else:
            problems[top] = "does not exist" if facts.kind == "missing" else "is not a directory"
    located_request = dataclasses.replace(request, repository=repository, tops=tuple(tops))
    return Site(located_request, machine, at, problems)


def _check_apart(top: ImagePath, others: Iterable[ImagePath]) -> None:
    """Refuse a directory that is a place of another one, or has one as its place."""
    for other in others:
        for above, below in ((top, other), (other, top)):
            if below.directory in [in_place(above, place).directory for place in PLACES]:
                raise UsageError(
                    f"{shown(below.directory)} is a place of {shown(above.directory)}.",
                    "Give only the directory in which the places are.",
                )
