"""The record beside an image of how its last drill, or its last verification, went."""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, NamedTuple

from csf_backup_plugin import __version__, timestamps
from csf_backup_plugin.image import sealed_json

if TYPE_CHECKING:
    from collections.abc import Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.image.path import ImagePath
    from csf_backup_plugin.image.receipt import Receipt


class Check(NamedTuple):
    """One drill or verification of an image.

    Attributes:
        is_sound: whether nothing was found to be wrong.
        at: when the check ended by the host's clock, in ISO 8601.
        seconds: how long osrestore took in a drill; None if that is not recorded.
    """

    is_sound: bool
    at: str
    seconds: float | None = None


class CheckRecord:
    """The record of a check; `backup_started` ties it to an image, even if that is renamed.

    Args:
        kind: the document's kind: `sealed_json.DRILL` or `sealed_json.VERIFICATION`.
        image: the image.
        receipt: its receipt.
        started: when the check began by the host's clock, in ISO 8601.
        host: where the image is.
    """

    def __init__(
        self, kind: str, image: ImagePath, receipt: Receipt, started: str, host: Host
    ) -> None:
        self.path = image.drill if kind == sealed_json.DRILL else image.verification
        self._kind = kind
        self._image = image
        self._receipt = receipt
        self._started = started
        self._began = time.monotonic()
        self._host = host

    def write(self, findings: Sequence[str], **facts: object) -> None:
        """Write the record; replace an earlier one.

        Args:
            findings: what is wrong with the image; none if it is sound.
            facts: what else the record is to say.

        Raises:
            OSError: it cannot be written.
        """
        image, receipt = self._image, self._receipt
        document = {
            "producer": f"csf-backup-plugin {__version__}",
            "host": image.host,
            "image": image.path,
            "image_bytes": receipt.size,
            "image_sha256": receipt.sha256,
            "backup_started": receipt.started,
            "repository_id": receipt.origin.id,
            "number": receipt.origin.number,
            "started": self._started,
            "finished": timestamps.later(self._started, time.monotonic() - self._began),
            "findings": list(findings),
            **facts,
        }
        self._host.replace(self.path, sealed_json.encode(document, self._kind))


def read_check(data: bytes | OSError | None, kind: str, receipt: Receipt) -> Check | None:
    """Return what a record says.

    Args:
        data: its bytes; or the error of reading them, or None if there is no record.
        kind: the document's kind, as for `CheckRecord`.
        receipt: the receipt of the image that the record is beside.

    Returns:
        The check; None if there is no usable record, or if it is of another image that once had the
        same name.
    """
    with contextlib.suppress(sealed_json.UnusableDocument):
        if isinstance(data, bytes):
            facts = sealed_json.decode(data, kind)
            at = timestamps.read(str(facts.get("finished")))
            if at and facts.get("backup_started") == receipt.started:
                seconds = facts.get("seconds")
                took = float(seconds) if isinstance(seconds, (int, float)) else None
                return Check(not facts.get("findings"), at, took)
    return None
