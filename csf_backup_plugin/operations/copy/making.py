"""Make one copy: claim its name, transfer and prove the image, publish, the receipt last."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from csf_backup_plugin import timestamps
from csf_backup_plugin.errors import BackupError, ImageExists
from csf_backup_plugin.hosts.cleanup import clean_up
from csf_backup_plugin.image import copy_record
from csf_backup_plugin.image.receipt import Copied
from csf_backup_plugin.image.receipt_format import encode_copy
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.copy.claim import claimed
from csf_backup_plugin.operations.copy.killed import bytes_left
from csf_backup_plugin.operations.copy.target import check_free, check_room, existing_copy
from csf_backup_plugin.operations.copy.transfer import Deadline, transfer
from csf_backup_plugin.operations.sync_warnings import unsynced_warnings
from csf_backup_plugin.system_errors import HalfDone

if TYPE_CHECKING:
    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.receipt import Receipt
    from csf_backup_plugin.operations.copy.claim import Claim
    from csf_backup_plugin.operations.copy.original import Original
    from csf_backup_plugin.operations.copy.request import CopyRequest
    from csf_backup_plugin.operations.copy.target import Target
    from csf_backup_plugin.progress_listener import Listener


class Making:
    """The steps that make one copy.

    Attributes:
        made_now: whether this run has made the copy; if not, it existed.
        also_done: what was done with leftovers of earlier runs; each is a part of a sentence.
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
        self.also_done: list[str] = []
        self.warnings: list[str] = []

    @property
    def done(self) -> str:
        """What errors of later steps say first: that the copy is made; empty if it is not."""
        return f"The copy is made and proven: {self._target.image}" if self.made_now else ""

    def foretell(self) -> Receipt:
        """Check everything that a copy needs; return the receipt that it has or would have."""
        image = self._target.image
        if found := existing_copy(self._target, self._original, self._host):
            self.also_done.append(f"{self._original.image} was copied to {image} already")
            return found
        left = bytes_left(image, copy_record.backup_of(self._original.receipt), self._host)
        check_free(image, [] if left is None else image.unfinished_copy, self._host)
        check_room(self._target, self._original, self._host, left or 0)
        return self._copied(self._original.receipt.sha256)

    def make(self) -> Receipt:
        """Make the copy unless it exists already; return its receipt."""
        if found := self._earlier():
            return found
        try:
            made = self._claimed()
        except ImageExists:  # another run may have made the copy during the wait
            if found := self._earlier():
                return found
            raise
        self.made_now = True
        return made

    def _earlier(self) -> Receipt | None:
        """Return the receipt of an existing copy, and remove its record; None if there is none."""
        found = existing_copy(self._target, self._original, self._host)
        if found:
            image = self._target.image
            self.also_done.append(f"{self._original.image} was copied to {image} already")
            self.warnings += clean_up([image.copying], self._host)
        return found

    def _claimed(self) -> Receipt:
        wait, host = self._request.wait, self._host
        with claimed(self._target, self._original, wait, host, self._listener) as claim:
            self.warnings += claim.warnings
            self.also_done += claim.also_done
            check_room(self._target, self._original, host)
            made = self._transferred(claim)
            self._publish(claim, made)
            claim.created.clear()
            self.warnings += clean_up([self._target.image.copying], host)
        return made

    def _transferred(self, claim: Claim) -> Receipt:
        """Transfer the image to a temporary name on the host; return the receipt to write."""
        image, original = self._target.image, self._original
        deadline = Deadline(original, self._request.timeout, self._host)
        claim.created.append(image.arriving)
        sha256, unsynced = transfer(
            *(original, self._target, self._source, self._host), deadline, self._listener
        )
        self.warnings += unsynced_warnings(unsynced, "the copy", self._host)
        return self._copied(sha256)

    def _copied(self, sha256: str | None) -> Receipt:
        """Return the receipt of a copy that is complete now."""
        original = self._original
        at = timestamps.later(self._target.machine.now, time.monotonic() - self._began)
        copied = Copied(original.image, at, original.receipt.run_id)
        return original.receipt._replace(
            image=self._target.image, sha256=sha256, placement=None, copied=copied
        )

    def _publish(self, claim: Claim, made: Receipt) -> None:
        """Write the import file, rename the image to its final name, and write the receipt."""
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
                    f"{image.host}:{shown(path)} has appeared just now: something else is making "
                    "it.",
                    "See what that is, and copy to another directory.",
                ) from None
            except (BackupError, HalfDone):  # the step may have been done
                claim.created.append(path)
                raise
            claim.created.append(path)
