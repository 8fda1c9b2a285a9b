"""Refuse the use of databases that are being restored."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress

from csf_simulator.server.refusals import DatabaseInUse

_SEPARATOR = b"\0"  # the one byte that is in no path


class Restores:
    """The databases that running processes restore.

    Args:
        claims: the claims of these processes, made with `encode_targets`.
    """

    def __init__(self, claims: Sequence[str]) -> None:
        self._claims = claims
        self._targets: set[str] | None = None

    def require_usable(self, path: str) -> None:
        """Raise DatabaseInUse for a database that is being restored."""
        # Nothing is read, and no link followed, unless there is a restore.
        if self._claims and os.path.realpath(path) in self._read():
            raise DatabaseInUse(f"{path} is being restored")

    def _read(self) -> set[str]:
        """Return the real paths of all databases being restored."""
        if self._targets is None:
            self._targets = set()
            for claim in self._claims:
                with suppress(FileNotFoundError), open(claim, "rb") as file:  # ended meanwhile
                    self._targets |= decode_targets(file.read())
        return self._targets


def encode_targets(paths: Iterable[str]) -> bytes:
    """Make the particulars of a claim to restore databases."""
    return _SEPARATOR.join(os.fsencode(os.path.realpath(path)) for path in paths)


def decode_targets(particulars: bytes) -> set[str]:
    """Return the real paths in the particulars of a claim."""
    return {os.fsdecode(path) for path in particulars.split(_SEPARATOR)}
