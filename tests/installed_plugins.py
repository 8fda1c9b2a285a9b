"""Distributions with plugins, installed as pip does it: a module and its metadata."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

#: The beginning of each module: it records the calls where a test can read them.
HEAD = """
from csf_backup_plugin.hookspecs import Attempt, Outcome, Refused, hookimpl
told = []
"""


def install(directory: Path, name: str, source: str, entry: str) -> None:
    """Install a distribution of a module.

    Args:
        directory: where; whoever is to find it has it on its path.
        name: of the distribution, and of its module.
        source: of the module.
        entry: the entry point's name.
    """
    (directory / f"{name}.py").write_text(source)
    metadata = directory / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text(f"[csf_backup]\n{entry} = {name}\n")


class Installed:
    """A directory on the path, in which distributions are installed.

    Args:
        directory: which is to be made.
        monkeypatch: takes everything back.
    """

    def __init__(self, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._directory = directory
        self._monkeypatch = monkeypatch
        directory.mkdir()
        monkeypatch.syspath_prepend(str(directory))

    def add(self, name: str, source: str, *, entry: str = "", head: str = HEAD) -> None:
        """Install a distribution of a module.

        Args:
            name: of the distribution, and of its module.
            source: of the module, behind a head.
            entry: the entry point's name, if it is not the module's.
            head: of the module.
        """
        install(self._directory, name, head + source, entry or name)
        self._monkeypatch.setitem(sys.modules, name, None)  # so that it is removed after the test
        del sys.modules[name]

    def told(self, name: str) -> list[object]:
        """Return the calls that a module has recorded, and clear them."""
        told: list[object] = sys.modules[name].told
        gone = told[:]
        del told[:]
        return gone
