"""Find the last good image of a repository: drill images from the newest to the oldest.

If the databases are found to be corrupt, this shows between which backups they became so.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import FaultFound, LockBusy, NoReceipt
from csf_backup_plugin.image.latest import find_newest
from csf_backup_plugin.image.location import locate_image
from csf_backup_plugin.image.wanted_repository import wanted_at
from csf_backup_plugin.names import listed, shown
from csf_backup_plugin.operations.aftermath import on_failure, preceded
from csf_backup_plugin.operations.drill import drill
from csf_backup_plugin.operations.drill.request import DrillRequest
from csf_backup_plugin.operations.drill.search import Search, Tried
from csf_backup_plugin.operations.drill.unfilled import newest_elsewhere
from csf_backup_plugin.system_errors import translated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.operations.drill.request import LastGoodRequest
    from csf_backup_plugin.progress_listener import Listener


def find_last_good(request: LastGoodRequest, host: Host, listener: Listener) -> Search:
    """Drill images from the newest to the oldest until one is sound, and record each drill.

    Args:
        request: which repository's images to drill, and where to restore them.
        host: the host to work on.
        listener: gets a note at once for each faulty image.

    Raises:
        FaultFound: there is no image of the repository. If its rotation has not filled the
            directory yet, and has filled another one, nothing is drilled, and this is no error.
        WrongRepository: it is not certain which images belong to the repository.
        BackupError: a drill could not be carried out.
    """
    began = time.monotonic()
    with translated(host.name):
        machine, wanted, (at,) = host.together(
            host.machine,
            lambda: wanted_at(request.repository, host),
            lambda: host.look([request.top.directory]),
        )
        top = locate_image(request.top, at, listener.note)
        try:
            newest = find_newest(top, wanted, machine, host)
        except FaultFound:
            elsewhere = newest_elsewhere(top, wanted, machine, host)
            if elsewhere is None:
                raise
            where = f"{top.host}:{shown(top.directory)}"
            gone = [f"{where} has no image of {shown(wanted.master)} yet; none was drilled there"]
            return Search(request, elsewhere, [], gone, time.monotonic() - began, is_unfilled=True)
    tried: list[Tried] = []
    gone = []
    with on_failure(lambda so_far: preceded(_so_far(tried), so_far)), translated(host.name):
        for one in newest.sets:
            host.cancellation.check()
            try:
                asked = DrillRequest(one.image, request.directory, is_one_of_many=True)
                made = drill(asked, host, listener)
            except (NoReceipt, LockBusy) as error:
                gone.append(f"{one.image} was not drilled: {error.what}")
            except FaultFound as error:
                listener.note(f"at fault {one.image}: {'; '.join(error.findings)}")
                tried.append(Tried(one, fault=error))
            else:
                tried.append(Tried(one, drill=made))
                break
    return Search(request, newest, tried, gone, time.monotonic() - began)


def _so_far(tried: Sequence[Tried]) -> str:
    """Return a sentence about the images that a failed search has found faulty so far."""
    if not tried:
        return ""
    return f"Not sound, each on record: {listed([one.set.image.path for one in tried])}"
