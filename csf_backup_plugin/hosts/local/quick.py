"""This machine as a host that is ready at once: for class_create, which is often run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.hosts.local import appending, lock

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from csf_backup_plugin.hosts.local.lock_file import LockFile


class QuickHost:
    """The machine csf runs on; see `LocalHost`, which does all that is seldom needed."""

    name = "localhost"

    def __init__(self) -> None:
        self.cancellation = Cancellation()

    def lock(
        self, path: str, purpose: str, wait: float, waiting: Callable[[str], None]
    ) -> AbstractContextManager[LockFile | None]:
        """Hold the lock file at `path`; see `Host.lock`."""
        return lock.held(path, purpose, wait, waiting, self.cancellation, create=True)

    def append(self, path: str, lines: bytes) -> None:
        """Append whole lines; see `Host.append`."""
        appending.append(path, lines)

    def read(self, path: str) -> bytes | None:
        """Return a file's contents, or None where there is no file, as is usual."""
        try:
            os.lstat(path)
        except FileNotFoundError:
            return None
        whole: bytes | None = self._whole().read(path)
        return whole

    def __getattr__(self, operation: str) -> Any:
        """Return what only a whole host has."""
        return getattr(self._whole(), operation)

    def _whole(self) -> Any:
        from csf_backup_plugin.hosts.local.host import LocalHost

        return LocalHost(self.name, self.cancellation)
