"""One copy that is being made: claimed, brought, proven, and published, the receipt last."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from csf_backup_plugin import timestamps
from csf_backup_plugin.errors import BackupError, ImageExists
from csf_backup_plugin.hosts.cleanup import clean_up
from csf_backup_plugin.image.receipt import Copied
from csf_backup_plugin.image.receipt_format import encode_copy
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.copy.claim import claimed
from csf_backup_plugin.operations.copy.target import (
    check_free,
    check_room,
    existing_copy,
    left_by_killed,
)
from csf_backup_plugin.operations.copy.transfer import Deadline, transfer
from csf_backup_plugin.operations.sync_warnings import unsynced_warnings
from csf_backup_plugin.system_errors import HalfDone

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol import Host
    from csf_backup_plugin.image.receipt import Receipt
    from csf_backup_plugin.operations.copy.claim import Claim
    from csf_backup_plugin.operations.copy.original import Original
    from csf_backup_plugin.operations.copy.request import CopyRequest
    from csf_backup_plugin.operations.copy.target import Target
    from csf_backup_plugin.progress_listener import Listener


class Making:
    """One copy that is being made.

    Attributes:
        made_now: whether it was made, and not found.
        told: what became of what earlier runs had left, a sentence part each.
        warnings: what the user should know.
    """

    made_now = False

    def __init__(
        self,
        request: CopyRequest,
        original: Original,
        target: Target,
        source: Host,
        host: Host,
        listener: Listener,
    ) -> None:
        self._request = request
        self._original = original
        self._target = target
        self._source = source
        self._host = host
        self._listener = listener
        self._began = time.monotonic()
        self.told: list[str] = []
        self.warnings: list[str] = []

    @property
    def done(self) -> str:
        """What was made, to precede what is said of a later step; empty if nothing was."""
        return f"The copy is made and proven: {self._target.image}" if self.made_now else ""

    def foretell(self) -> Receipt:
        """Check all that a copy needs; return what its receipt says, or would."""
        image = self._target.image
        if found := existing_copy(self._target, self._original, self._host):
            self.told.append(f"{self._original.image} was copied to {image} already")
            return found
        left = left_by_killed(self._target, self._original, self._host)
        own = [image.copying, image.arriving, image.path, image.import_file]
        check_free(self._target, [] if left is None else own, self._host)
        check_room(self._target, self._original, self._host, left or 0)
        return self._copied(self._original.receipt.sha256)

    def make(self) -> Receipt:
        """Make the copy, unless it is there already; return its receipt."""
        if found := self._earlier():
            return found
        try:
            made = self._claimed()
        except ImageExists:  # it may have been made while the claim was waited for
            if found := self._earlier():
                return found
            raise
        self.made_now = True
        return made

    def _earlier(self) -> Receipt | None:
        """Return the receipt of the copy that an earlier run has made; its record may be there."""
        found = existing_copy(self._target, self._original, self._host)
        if found:
            image = self._target.image
            self.told.append(f"{self._original.image} was copied to {image} already")
            self.warnings += clean_up([image.copying], self._host)
        return found

    def _claimed(self) -> Receipt:
        wait, host = self._request.wait, self._host
        with claimed(self._target, self._original, wait, host, self._listener) as claim:
            self.warnings += claim.warnings
            self.told += claim.told
            check_room(self._target, self._original, host)
            made = self._brought(claim)
            self._publish(claim, made)
            claim.created.clear()
            self.warnings += clean_up([self._target.image.copying], host)
        return made

    def _brought(self, claim: Claim) -> Receipt:
        """Bring the image to the host, under another name; return what its receipt is to say."""
        image, original = self._target.image, self._original
        deadline = Deadline(original, self._request.timeout, self._host)
        claim.created.append(image.arriving)
        sha256, unsynced = transfer(
            *(original, self._target, self._source, self._host), deadline, self._listener
        )
        self.warnings += unsynced_warnings(unsynced, "the copy", self._host)
        return self._copied(sha256)

    def _copied(self, sha256: str | None) -> Receipt:
        """Return what the receipt of a copy is to say that is complete now."""
        original = self._original
        at = timestamps.later(self._target.machine.now, time.monotonic() - self._began)
        copied = Copied(original.image, at, original.receipt.run_id)
        return original.receipt._replace(
            image=self._target.image, sha256=sha256, placement=None, copied=copied
        )

    def _publish(self, claim: Claim, made: Receipt) -> None:
        """Give the copy its import file, its name, and at last its receipt."""
        image, host = self._target.image, self._host
        host.cancellation.check()
        sealed = encode_copy(self._original.sealed, made)
        for path, step in (
            (
                image.import_file,
                lambda: host.publish(image.import_file, self._original.import_file),
            ),
            (image.path, lambda: host.move([(image.arriving, image.path)])),
            (image.receipt, lambda: host.publish(image.receipt, sealed)),
        ):
            try:
                step()
            except FileExistsError:
                raise ImageExists(
                    f"{image.host}:{shown(path)} has appeared just now: something else makes it.",
                    "See what that is, and copy to another directory.",
                ) from None
            except (BackupError, HalfDone):  # it may be there
                claim.created.append(path)
                raise
            claim.created.append(path)
