"""The record of an image's last drill, beside the image."""

from __future__ import annotations

import contextlib
import posixpath
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import BackupError, FaultFound
from csf_backup_plugin.image.check_record import CheckRecord
from csf_backup_plugin.image.sealed_json import DRILL
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.aftermath import preceded
from csf_backup_plugin.operations.recovery_card import write_cards
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.operations.drill.preflight import Plan
    from csf_backup_plugin.operations.drill.trial import Trial


class Record:
    """The record of one drill.

    Args:
        plan: what to restore, and with what.
        started: when the drill began by the host's clock, in ISO 8601.
        host: where the image is.
    """

    def __init__(self, plan: Plan, started: str, host: Host) -> None:
        self._plan = plan
        self._host = host
        self._record = CheckRecord(DRILL, plan.image, plan.receipt, started, host)

    def success(self, trial: Trial, place: str) -> None:
        """Record that the drill succeeded.

        Args:
            trial: the size of the restored databases, and osrestore's time.
            place: the scratch directory.

        Raises:
            OSError: the record cannot be written.
        """
        self._record.write(
            [],
            scratch=posixpath.dirname(place),
            databases=len(self._plan.receipt.databases),
            bytes=trial.size,
            seconds=round(trial.seconds, 3),
            osverifydb=self._plan.osverifydb,
        )

    @contextlib.contextmanager
    def of_failure(self) -> Iterator[None]:
        """Record a fault that the block finds, and say so in the error.

        The recovery cards are written again, so that they no longer recommend the image.
        """
        try:
            yield
        except FaultFound as error:
            try:
                self._record.write(error.findings)
            except (OSError, BackupError) as problem:
                recorded = (
                    f"It could not be recorded in {shown(self._record.path)}: {reason(problem)}"
                )
            else:
                recorded = f"It is on record in {shown(self._record.path)}"
                cards = write_cards([self._plan.image], self._host)
                recorded = "; ".join([recorded, *cards])
            error.left = preceded(recorded, error.left).text
            raise
