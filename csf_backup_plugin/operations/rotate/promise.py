"""The promise: a file in each image directory that says when the next set is due.

Its name is ``csf-backup-promise-ID.json``. With it, a status from any machine can report a late set
without configuration.
"""

from __future__ import annotations

import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin import __version__, timestamps
from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.image.promise_name import promise_name
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.rotate.directories import unmounted_tops
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.operations.rotate.filling import Filled
    from csf_backup_plugin.operations.rotate.site import Site


def write_promise(site: Site, filled: Filled, host: Host) -> list[str]:
    """Write the promise to each image directory whose disk is mounted, if -every was given.

    Args:
        site: the host, the repository and the image directories; its request says how often a set
            is due.
        filled: tonight's set.
        host: the host to work on.

    Returns:
        A warning for each directory where it could not be written.
    """
    repository, every = filled.repository_id, site.request.every
    if repository is None or every is None:
        return []
    facts = _facts(site, repository, every)
    data, warnings = sealed_json.encode(facts, sealed_json.PROMISE), []
    # Not below the mount point of a disk that is not mounted: it would promise a set there.
    away = unmounted_tops(filled.tonight)
    for top in (one for one in site.at if one not in away):
        path = posixpath.join(top.directory, promise_name(repository))
        try:
            host.replace(path, data)
        except OSError as error:
            warnings.append(f"{shown(path)} could not be written: {reason(error)}")
    return warnings


def _facts(site: Site, repository: str, every: float) -> dict[str, object]:
    request, machine = site.request, site.machine
    return {
        "producer": f"csf-backup-plugin {__version__}",
        "repository_id": repository,
        "master": request.repository.master,
        "host": request.host,
        "machine_id": machine.id,
        "machine": machine.name,
        "image_directories": [top.directory for top in request.tops],
        "every_seconds": every,
        "drill_every_seconds": request.drill_every,
        "utc_offset": machine.local[19:],
        "started": machine.now,
        "due": timestamps.later(machine.now, every),
    }
