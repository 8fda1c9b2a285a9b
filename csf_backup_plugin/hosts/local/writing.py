"""Writing files: each operation is atomic, and is on the disk when it returns."""

from __future__ import annotations

import os

from csf_backup_plugin.hosts.local import access, entries
from csf_backup_plugin.hosts.local import temporary as aside
from csf_backup_plugin.hosts.local.opening import named, opened


def create(path: str, data: bytes) -> None:
    """Make a file that must not exist yet; leave none behind on failure.

    Raises:
        FileExistsError: something exists at `path`, also if it is a link without a target.
        HalfDone: it could not be written, and could not be removed either.
    """
    descriptor = aside.create(path)
    try:
        with named(path), opened(descriptor):
            entries.write(descriptor, data)
        entries.sync(os.path.dirname(path))
    except BaseException as error:
        entries.take_back(path, error)
        raise


def publish(path: str, data: bytes, like: str | None = None) -> str:
    """Create a file atomically that must not exist yet; leave none behind on failure.

    Args:
        path: the file.
        data: its contents.
        like: a file; whoever may use it may use the new one, as far as we can grant that. If it
            does not exist, it is ignored.

    Returns:
        Those of them who may not use it; empty if all may.

    Raises:
        FileExistsError: something exists at `path`.
        HalfDone: the file is there, but a power cut may remove it.
    """
    with aside.temporary(path, data) as temporary:
        lost = access.take_over(temporary, like) if like else ""
        entries.give_name(temporary, path)
    try:
        entries.sync(os.path.dirname(path))
    except BaseException as error:
        entries.take_back(path, error)
        raise
    return lost


def replace(path: str, data: bytes, like: str | None = None) -> str:
    """Replace a file's contents atomically; on failure it is as it was.

    Args:
        path: the file; it need not exist.
        data: its new contents.
        like: as for `publish`, if there is no file yet; otherwise those who may use it stay the
            same.

    Returns:
        Those who may not use it any more; empty if all may.

    Raises:
        HalfDone: the file has the new contents, but a power cut may undo that.
    """
    with aside.temporary(path, data) as temporary:
        kept = path if like and os.path.lexists(path) else like
        lost = access.take_over(temporary, kept) if kept else ""
        with entries.owners_only(path):
            os.rename(temporary, path)
    entries.sync_after(path, "was replaced")
    return lost
