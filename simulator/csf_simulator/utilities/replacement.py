"""Replace databases by those of an image, all or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from csf_simulator.faults.run import FaultyRun
from csf_simulator.image.reader import ImageReader
from csf_simulator.image.scanner import Frame
from csf_simulator.image.worker_pool import WorkerPool
from csf_simulator.utilities.loading import loader_for
from csf_simulator.utilities.staging import Staging

Guard = Callable[[Callable[[], None]], None]


def replace(
    reader: ImageReader, targets: Mapping[int, str], guard: Guard, faulty_run: FaultyRun
) -> None:
    """Restore databases beside their targets, and put all in place once all are sound."""
    load, staging = loader_for(reader.bases, targets), Staging(targets)

    def restore(frame: Frame, buffer: bytearray) -> None:
        data = load(frame, buffer)
        staging.write(frame.record.database, frame.record.first, data)
        faulty_run.wrote(len(data))

    guard(staging.abandon)
    try:
        staging.create(reader.databases)
        WorkerPool(reader.take, restore).run()
        staging.publish()
    finally:
        staging.discard()
