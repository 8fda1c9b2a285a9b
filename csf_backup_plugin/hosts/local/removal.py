"""Removing a directory with all its contents, and nothing else, whatever links are put there."""

from __future__ import annotations

import errno
import os

from csf_backup_plugin.hosts.local.entries import sync_after

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


def remove_tree(path: str, *, mine: bool) -> None:
    """Remove what is at `path`, if anything is; see `Host.remove_trees`.

    Raises:
        OSError: not all of it could be removed; this is the first error.
    """
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return
    if mine and status.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "Belongs to another user", path)
    failed: list[OSError] = []
    _remove(path, None, status.st_dev, failed)
    if failed:
        raise OSError(failed[0].errno, failed[0].strerror, path)
    sync_after(path, "was removed")


def _remove(name: str, within: int | None, device: int, failed: list[OSError]) -> None:
    """Remove a file or a directory, as far as that can be done.

    Args:
        name: its name.
        within: a descriptor of its directory, so that no link can be put into the path.
        device: the file system to stay in.
        failed: the list to which errors are added.
    """
    try:
        try:
            os.unlink(name, dir_fd=within)
        except IsADirectoryError:
            _empty(name, within, device, failed)
            os.rmdir(name, dir_fd=within)
    except FileNotFoundError:
        pass
    except OSError as error:
        failed.append(error)


def _empty(name: str, within: int | None, device: int, failed: list[OSError]) -> None:
    descriptor = os.open(name, _DIRECTORY, dir_fd=within)
    try:
        if os.fstat(descriptor).st_dev != device:
            raise OSError(errno.EXDEV, "Another file system is mounted in it")
        for inner in os.listdir(descriptor):
            _remove(inner, descriptor, device, failed)
    finally:
        os.close(descriptor)
