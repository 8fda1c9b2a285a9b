"""What a run has created is kept if it succeeds and removed if it does not."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.image.receipt_format import decode
from csf_backup_plugin.image.sealed_json import UnusableDocument
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.aftermath import Left, left_told
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.hosts.protocol import Host, Lock


class Created(list[str]):
    """Paths that nobody else has made.

    Attributes:
        remains: a sentence on what the run has changed and does not take back.
        if_lost: what to do besides, once the host cannot be reached any more; empty if nothing.
        record: the directory about osbackup's run, with whatever that has left there.
        receipt: if it is there and sound, or may not be read, and is not among the paths, another
            command has proven the image; then nothing is removed.
        manifest: if it is among the paths, it is removed only if it still holds `manifest_data`: a
            class may have been created meanwhile.
        if_appended: what the run has changed if the manifest is kept.
        lock: the repository's; if osbackup could not be ended and keeps it, nothing is removed.
    """

    remains = ""
    if_lost = ""
    record = ""
    receipt = ""
    manifest = ""
    manifest_data = b""
    if_appended = ""
    lock: Lock | None = None

    @property
    def all(self) -> list[str]:
        """The paths, and the record."""
        return [*self, *filter(None, [self.record])]


@contextlib.contextmanager
def rollback(host: Host) -> Iterator[Created]:
    """Remove, if the block fails, every path it has put on the list, and say so in the error.

    Args:
        host: where the paths are.

    Yields:
        The list.
    """
    created = Created()

    def clean_up(said: str) -> Left:
        left = _remove(host, created) if created else Left(said)
        return left._replace(said=" ".join(filter(None, [left.said, created.remains])))

    with left_told(clean_up, BaseException):
        yield created


def _remove(host: Host, paths: Created) -> Left:
    """Remove the paths, the last one first; say what that left, and what is to be done with it."""
    if paths.lock and paths.lock.is_left:
        names = ", ".join(map(shown, paths.all))
        what = f"osbackup could not be ended on {host.name}, and may still write: {names} stay."
        return Left(what, paths.if_lost)
    try:
        if _is_proven(host, paths):
            return Left(
                f"Another command has written {shown(paths.receipt)} meanwhile: all is kept."
            )
        if paths.manifest in paths and _is_appended(host, paths):
            paths.remove(paths.manifest)
            paths.remains = paths.if_appended
        kept = _kept(host, paths)
    except BackupError as error:  # the host is gone
        names = ", ".join(map(shown, paths.all))
        what = f"What this run had created may still be there: {names}. {error.what}"
        return Left(what, paths.if_lost)
    if kept:
        return Left(f"What this run had created could not all be removed: {', '.join(kept)}.")
    rest = "." if paths.remains else "; nothing else was changed."
    return Left(f"What this run had created was removed{rest}")


def _is_proven(host: Host, paths: Created) -> bool:
    if not paths.receipt or paths.receipt in paths:
        return False
    try:
        data = host.read(paths.receipt)
        return data is not None and bool(decode(data))
    except PermissionError:  # another user's, who may have proven the image
        return True
    except (OSError, UnusableDocument):  # it proves nothing
        return False


def _is_appended(host: Host, paths: Created) -> bool:
    try:
        return host.read(paths.manifest) not in (None, paths.manifest_data)
    except OSError:  # nobody knows
        return True


def _kept(host: Host, paths: Created) -> list[str]:
    """Remove the paths, all at once if that goes; return those that are left, with why."""
    # The claim goes last: by that and the record, the next rotation knows what a kill has left.
    claim, *rest = paths
    with contextlib.suppress(OSError):
        host.remove(reversed(rest))
        if paths.record:
            host.remove_trees([paths.record], mine=False)
        host.remove([claim])
        return []
    kept = []
    for path in (*reversed(rest), *filter(None, [paths.record]), claim):
        try:
            if path == paths.record:
                host.remove_trees([path], mine=False)
            else:
                host.remove([path])
        except OSError as error:
            kept.append(f"{shown(path)} ({reason(error)})")
    return kept
