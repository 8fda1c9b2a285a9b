"""A rotation: a backup to the place of its day, and the removal of the sets that it replaces.

The new set is made and proven first, and drilled if a drill is due. Only then does the plan choose
older sets to remove. So there is a proven set at any time.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.errors import NOTHING_LEFT, BackupError
from csf_backup_plugin.operations.aftermath import Left, on_failure
from csf_backup_plugin.operations.recovery_card import write_cards
from csf_backup_plugin.operations.rotate.drilling import Drilled, drill_set, is_due
from csf_backup_plugin.operations.rotate.filling import fill
from csf_backup_plugin.operations.rotate.foretelling import foretell
from csf_backup_plugin.operations.rotate.promise import write_promise
from csf_backup_plugin.operations.rotate.removal import (
    free_space_warnings,
    look_back,
    remove_replaced,
)
from csf_backup_plugin.operations.rotate.site import look_at_site
from csf_backup_plugin.operations.rotate.verdict import verdict
from csf_backup_plugin.system_errors import translated

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.operations.rotate.filling import Filled
    from csf_backup_plugin.operations.rotate.request import RotateRequest
    from csf_backup_plugin.operations.rotate.set_removal import Removal
    from csf_backup_plugin.operations.rotate.site import Site
    from csf_backup_plugin.progress_listener import Listener


class Rotated(NamedTuple):
    """A rotation whose set is proven, or that a dry run predicts.

    Attributes:
        request: the validated options, with resolved paths.
        filled: tonight's set.
        drilled: the drill of that set; None if none was due.
        removal: what was decided about all sets, and done.
        warnings: what the user should know although the rotation succeeded.
        problem: why the command does not end with 0; None if it does.
        seconds: how long it took.
    """

    request: RotateRequest
    filled: Filled
    drilled: Drilled | None
    removal: Removal
    warnings: tuple[str, ...]
    problem: BackupError | None
    seconds: float


def rotate(request: RotateRequest, host: Host, listener: Listener) -> Rotated:
    """Make tonight's set, drill it if a drill is due, and remove the sets that it replaces.

    Args:
        request: what to back up, and where to.
        host: the machine that holds the databases and all images.
        listener: gets the progress.

    Raises:
        BackupError: no set was made; or the error says that it was made and proven, and a later
            step failed.
    """
    began = time.monotonic()
    with translated(host.name):
        site = look_at_site(request, host, listener)
        filled, drilled = fill(site, host, listener), None
        if request.dry_run:
            removal = foretell(site, filled)
            warnings = (*filled.warnings, *removal.warnings)
        else:
            made = f"The new backup is made and proven: {filled.image}"
            proven = " ".join(f"{one}." for one in (*filled.also_done, made))
            with (
                on_failure(lambda so_far: Left(so_far.replace(NOTHING_LEFT, proven))),
                translated(host.name),
            ):
                cards = write_cards([filled.image, *filled.proven], host)
                host.cancellation.check_start()
                drilled = _drilled(site, filled, host, listener)
                removal = remove_replaced(site, filled, host, listener)
                cards += write_cards([*removal.removed, *removal.finished], host)
                warnings = (*filled.warnings, *removal.warnings, *free_space_warnings(filled, host))
                warnings += (*write_promise(site, filled, host), *dict.fromkeys(cards))
    seconds = time.monotonic() - began
    problem = verdict(site, filled, drilled, removal)
    return Rotated(site.request, filled, drilled, removal, warnings, problem, seconds)


def _drilled(site: Site, filled: Filled, host: Host, listener: Listener) -> Drilled | None:
    """Drill tonight's set if a drill is due."""
    request = site.request
    if request.drill_every is None:
        return None
    outlook = look_back(site, filled.image, host)
    known = outlook.witnesses if outlook else []
    if not is_due(request.drill_every, known, site.machine.now):
        return None
    return drill_set(filled.image, request, host, listener)
