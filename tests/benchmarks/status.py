"""A status of a directory with many images, beside csf -help.

Each image is of 40 databases, and has a receipt and a record of a verification.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.bench import bench
from benchmarks.table import Table
from benchmarks.timing import Case, alternate
from receipts import STARTED, made, receipt_of

from csf_backup_plugin.exit_codes import ExitCode
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.image.check_record import CheckRecord
from csf_backup_plugin.image.path import ImagePath

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.sizes import Sizes

_DATABASES = ["/r/lib.db", *(f"/r/Class{number}.db" for number in range(39))]


def tables(sizes: Sizes) -> Iterator[Table]:
    """Measure directories of each number of images."""
    with bench(1) as site:
        cases = [Case("csf -help", ["csf", "-help"])]
        for images in sizes.images:
            directory = site.root / str(images)
            directory.mkdir()
            for number in range(1, images + 1):
                _make(directory, number)
            argv = ["csf", "admin_database_status", "-image-dir", f"localhost:{directory}"]
            ends = (ExitCode.DONE, ExitCode.STALE)
            cases.append(Case(f"csf status, {images:,} images", argv, "csf -help", accepted=ends))
        costs = alternate(cases, sizes.rounds, site.environment)
    yield Table("status of many images", cases, costs)


def _make(directory: Path, number: int) -> None:
    """Make an image of one byte, its receipt, and the record of a verification."""
    image = ImagePath("localhost", f"{directory}/lib-{number:05}.img")
    receipt = made(image.path, number, databases=dict.fromkeys(_DATABASES, 1), image=image)
    Path(image.path).write_bytes(b"x")
    Path(image.receipt).write_bytes(receipt_of(receipt))
    record = CheckRecord(sealed_json.VERIFICATION, image, receipt, STARTED, LocalHost())
    record.write([])
