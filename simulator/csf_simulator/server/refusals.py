"""The errors with which the Server refuses a request."""

from __future__ import annotations


class DatabaseInUse(OSError):
    """A database cannot be used now, because another process uses it."""


class NoServer(FileNotFoundError):
    """There is no Server: a directory is not a simulator's home."""
