"""Copy a proven set to another host or disk; the receipt is written last, as in a backup.

The bytes pass through this machine, and are read again on the target host. Until the receipt is
written, a record beside the image says that it is an unfinished copy, and of which set.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin.image.catalog import ImageSet
from csf_backup_plugin.operations.aftermath import on_failure, preceded
from csf_backup_plugin.operations.copy.keeping import doubts, remove_older, withheld
from csf_backup_plugin.operations.copy.making import Making
from csf_backup_plugin.operations.copy.original import held_original
from csf_backup_plugin.operations.copy.target import look_at_target, shared_warnings
from csf_backup_plugin.operations.recovery_card import write_cards
from csf_backup_plugin.system_errors import translated

if TYPE_CHECKING:
    from csf_backup_plugin.errors import BackupError
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.receipt import Receipt
    from csf_backup_plugin.operations.copy.request import CopyRequest
    from csf_backup_plugin.operations.rotate.set_removal import Removal
    from csf_backup_plugin.progress_listener import Listener


class Copy(NamedTuple):
    """A copy that exists, or that a dry run predicts.

    Attributes:
        request: the command's validated options.
        source: the set that was copied.
        image: the copy.
        receipt: the copy's receipt; in a dry run, the receipt that it would have.
        made_now: whether this run has made the copy; if not, it existed.
        also_done: what was done with leftovers of earlier runs; each is a part of a sentence.
        removal: what was decided about all copies in the directory, and done.
        warnings: what the user should know although the copy succeeded.
        seconds: how long it took.
    """

    request: CopyRequest
    source: ImagePath
    image: ImagePath
    receipt: Receipt
    made_now: bool
    also_done: tuple[str, ...]
    removal: Removal
    warnings: tuple[str, ...]
    seconds: float

    @property
    def problem(self) -> BackupError | None:
        """Why the command does not end with 0; None if it ends with 0."""
        return withheld(self.request, self.image, self.removal)


def copy(request: CopyRequest, source: Host, host: Host, listener: Listener) -> Copy:
    """Copy a proven set, prove the copy, and remove older copies that are not kept.

    Args:
        request: what to copy, and where to.
        source: the host of the set.
        host: the host that the copy goes to; it may be the same.
        listener: gets the progress.

    Raises:
        BackupError: the copy failed. Everything that this run had created was removed, or the
            message names what is left.
    """
    began = time.monotonic()
    with (
        translated(source.name),
        held_original(request, source, listener) as original,
        translated(host.name),
    ):
        target = look_at_target(request, original, host, listener)
        making = Making(request, original, target, source, host, listener)
        receipt = making.foretell() if request.dry_run else making.make()
        there = ImageSet(target.image, receipt, 0.0)
        with on_failure(lambda so_far: preceded(making.done, so_far)), translated(host.name):
            doubted = doubts(request, original, source)
            removal = remove_older(request, there, target.machine.now, host, doubted)
            # Write the card even if the copy existed: the run that made it may have been killed
            # before it wrote the card.
            cards = [] if request.dry_run else write_cards([target.image], host)
    warnings = (*original.warnings, *shared_warnings(target, original), *making.warnings)
    return Copy(
        request,
        original.image,
        target.image,
        receipt,
        making.made_now,
        (*making.also_done, *removal.also_done),
        removal,
        (*warnings, *removal.warnings, *cards),
        time.monotonic() - began,
    )
