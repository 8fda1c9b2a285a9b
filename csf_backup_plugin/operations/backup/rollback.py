"""Keep what a run has created if it succeeds, and remove it if it fails."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import BackupError
from csf_backup_plugin.image.receipt_format import decode
from csf_backup_plugin.image.sealed_json import UnusableDocument
from csf_backup_plugin.names import shown
from csf_backup_plugin.operations.aftermath import Left, on_failure
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Iterator

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.locking import Lock


class Created(list[str]):
    """A list of paths that only this run can have created.

    Attributes:
        remains: a sentence about what the run has changed and does not undo.
        if_lost: advice for the case that the host can no longer be reached; empty if there is none.
        record: osbackup's run record, a directory; removed with everything in it.
        receipt: the receipt's path. If it is not on the list, and a usable or unreadable receipt
            exists, another command has proven the image; then nothing is removed.
        manifest: the manifest's path. If it is on the list, it is removed only if it still holds
            `manifest_data`: a class may have been created meanwhile.
        if_appended: a sentence about what the run has changed, for the case that the manifest is
            kept.
        lock: the repository's lock; if osbackup could not be ended and still holds it, nothing is
            removed.
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
        """The paths on the list, and the record."""
        return [*self, *filter(None, [self.record])]


@contextlib.contextmanager
def rollback(host: Host) -> Iterator[Created]:
    """If the block fails, remove every path on the list, and say so in the error.

    Args:
        host: where the paths are.

    Yields:
        The list, empty; the block adds each path that it creates.
    """
    created = Created()

    def clean_up(so_far: str) -> Left:
        left = _remove(host, created) if created else Left(so_far)
        return left._replace(text=" ".join(filter(None, [left.text, created.remains])))

    with on_failure(clean_up, BaseException):
        yield created


def _remove(host: Host, paths: Created) -> Left:
    """Remove the paths, the last one first; return what is left, and what to do about it."""
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
    except BackupError as error:  # the host cannot be reached
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
    except PermissionError:  # it belongs to another user, who may have proven the image
        return True
    except (OSError, UnusableDocument):  # it proves nothing
        return False


def _is_appended(host: Host, paths: Created) -> bool:
    try:
        return host.read(paths.manifest) not in (None, paths.manifest_data)
    except OSError:  # it cannot be known
        return True


def _kept(host: Host, paths: Created) -> list[str]:
    """Remove the paths, in one exchange if possible; return those that are left, with reasons."""
    # The claim is removed last: the claim and the record show the next rotation what a kill has
    # left.
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
