"""Small disks that are mounted for one test, and files that fill them."""

from __future__ import annotations

import contextlib
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_SIZE = "40m"
_MOUNT = 'for at; do mount -t tmpfs -o size="$0" none "$at"; done; echo ready; read -r _'
_FILE = "core"


@contextlib.contextmanager
def small_disks(namespace: list[str], *paths: Path) -> Iterator[subprocess.Popen[str]]:
    """Mount small disks while the block runs; return the process that alone sees them.

    Args:
        namespace: runs a script in a mount namespace of its own.
        paths: where the disks are; the process ends with its standard input.
    """
    for path in paths:
        path.mkdir(parents=True)
    with subprocess.Popen(
        [*namespace, _MOUNT, _SIZE, *map(str, paths)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
        yield process


def entering(disks: subprocess.Popen[str]) -> list[str]:
    """Return a command prefix that runs a command where a process's disks are mounted."""
    return ["nsenter", "--preserve-credentials", "-U", "-m", "-t", str(disks.pid), "--"]


def fill(disk: Path) -> None:
    """Fill a disk with something else."""
    with contextlib.suppress(OSError), open(disk / _FILE, "wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))


def empty(disk: Path) -> None:
    """Remove that again."""
    (disk / _FILE).unlink()
