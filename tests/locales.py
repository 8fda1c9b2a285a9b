"""The locales of names: of real processes, and for one that is tested in place."""

from __future__ import annotations

import contextlib
import os
import subprocess
from typing import TYPE_CHECKING
from unittest import mock

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ENCODINGS = ("utf-8", "ascii", "iso8859-1")  # of UTF-8 locales, C as it once was, and Latin-1


@contextlib.contextmanager
def encoded(encoding: str) -> Iterator[None]:
    """Decode names as in a locale of another encoding while the block runs."""

    def encode(name: str | bytes) -> bytes:
        return name if isinstance(name, bytes) else name.encode(encoding, "surrogateescape")

    def decode(name: str | bytes) -> str:
        return name if isinstance(name, str) else name.decode(encoding, "surrogateescape")

    with mock.patch.multiple(os, fsencode=encode, fsdecode=decode):
        yield


def environments(directory: Path) -> list[dict[str, str]]:
    """Return what programs need to run in a locale of each of `ENCODINGS`, in order.

    Args:
        directory: where a Latin-1 locale is made.
    """
    made = ["localedef", "-i", "de_DE", "-f", "ISO-8859-1", str(directory / "de_DE.ISO-8859-1")]
    try:
        subprocess.run(made, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        needed = f"the sources of locales are needed; apt-get install locales: {error}"
        pytest.fail(needed) if os.environ.get("CI") else pytest.skip(needed)
    plain = {"PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "LOCPATH": str(directory)}
    return [
        {"LC_ALL": "C.UTF-8"},
        {"LC_ALL": "C", **plain},
        {"LC_ALL": "de_DE.ISO-8859-1", **plain},
    ]
