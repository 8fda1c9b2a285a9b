"""What a run has created is kept if it succeeds and removed if it does not."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.names import shown

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.hosts.protocol import Host


@contextlib.contextmanager
def rollback(host: Host) -> Iterator[list[str]]:
    """Remove, if the block fails, every path it has put on the list, and say so in the error.

    Args:
        host: where the paths are.

    Yields:
        The list: of paths nobody else has made.
    """
    created: list[str] = []
    try:
        yield created
    except BaseException as error:
        left = _remove(host, created) if created else ""
        if isinstance(error, BackupError):
            error.left = left or error.left
        raise


def _remove(host: Host, paths: list[str]) -> str:
    """Remove the paths, the last one first, and say what that left."""
    try:
        kept = _kept(host, paths)
    except BackupError as error:  # the host is gone
        names = ", ".join(map(shown, paths))
        return f"What this run had created may still be there: {names}. {error.what}"
    if kept:
        return f"What this run had created could not all be removed: {', '.join(kept)}."
    return "What this run had created was removed; nothing else was changed."


def _kept(host: Host, paths: list[str]) -> list[str]:
    """Remove the paths, all at once if that goes; return those that are left, with why."""
    with contextlib.suppress(OSError):
        host.remove(reversed(paths))
        return []
    kept = []
    for path in reversed(paths):
        try:
            host.remove([path])
        except OSError as error:
            kept.append(f"{shown(path)} ({error.strerror})")
    return kept
