"""Why the Server does not do what it is asked for."""

from __future__ import annotations


class DatabaseInUse(OSError):
    """A database cannot be used now, because somebody else uses it."""


class NoServer(FileNotFoundError):
    """There is no Server: a directory is no simulator's home."""
