"""Memory that is at hand when a command starts.

A virtual machine may return free memory to its host. What is written to such memory waits until the
host provides it again: cp of 768 MiB took 0.24 s or 1.9 s, depending on what had run before it.
"""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def then_touched(prepare: Callable[[], object], source: str, root: Path) -> Callable[[], None]:
    """Return what prepares a command, and then copies a directory and removes the copy.

    The command gets the memory that this has filled.

    Args:
        prepare: what the command needs.
        source: the directory.
        root: where it is copied to.
    """

    def prepared() -> None:
        prepare()
        copy = root / "touched"
        subprocess.run(["cp", "-r", "--reflink=never", source, str(copy)], check=True)
        shutil.rmtree(copy)

    return prepared
