"""What a status of many images costs, here and on another host.

``python tests/benchmarks/status_cost.py``, with a sshd of its own on the loopback. There are 366,
1,000 and 5,000 images of 40 databases, each with a receipt and a record of a verification. Printed
are medians of the wall time of ``csf admin_database_status``, beside that of ``csf -help``.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, os.path.join(os.path.dirname(__file__), os.pardir))

from receipts import STARTED, made, receipt_of
from sshd import Sshd

from csf_backup_plugin.hosts.local import LocalHost
from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.image.check_record import CheckRecord
from csf_backup_plugin.image.path import ImagePath

IMAGES = (366, 1_000, 5_000)
ROUNDS = 5
DATABASES = ["/r/lib.db", *(f"/r/Class{number}.db" for number in range(39))]
PROGRAM = (
    "import sys, click; from csf_backup_plugin import plugin\n"
    "csf = click.Group('csf'); plugin.register_commands(csf); csf(sys.argv[1:])"
)


def main() -> None:
    """Measure, and print a table."""
    print(f"csf -help {_median(['-help']):.3f} s")
    print(f"{'images':>9} {'here':>9} {'over ssh':>10}")
    for images in IMAGES:
        with tempfile.TemporaryDirectory() as name:
            directory = Path(name)
            (directory / "images").mkdir()
            for number in range(1, images + 1):
                _make(str(directory / "images"), number)
            (directory / "sshd").mkdir()
            server = Sshd(directory / "sshd", {"HOME": name, "PATH": os.environ["PATH"]})
            os.environ["CSF_BACKUP_SSH"] = server.command
            server.start()
            try:
                here = _median(_status("localhost", directory))
                there = _median(_status("remote", directory))
            finally:
                server.stop()
        print(f"{images:9,} {here:7.3f} s {there:8.3f} s")


def _status(host: str, directory: Path) -> list[str]:
    return ["admin_database_status", "-image-dir", f"{host}:{directory}/images"]


def _make(directory: str, number: int) -> None:
    """Make an image of one byte, its receipt, and the record of a verification."""
    image = ImagePath("localhost", f"{directory}/lib-{number:05}.img")
    receipt = made(image.path, number, databases=dict.fromkeys(DATABASES, 1), image=image)
    Path(image.path).write_bytes(b"x")
    Path(image.receipt).write_bytes(receipt_of(receipt))
    record = CheckRecord(sealed_json.VERIFICATION, image, receipt, STARTED, LocalHost())
    record.write([])


def _median(words: list[str]) -> float:
    """Return the median wall time of a command, in seconds."""
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", PROGRAM, *words], check=False, capture_output=True)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


if __name__ == "__main__":
    main()
