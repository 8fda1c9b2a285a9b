"""Starts the kernel's writing early, so that the fsync at the end has little left to wait for."""

from __future__ import annotations

import os
import threading

STEP = 64 * 1024 * 1024  # bytes between two starts


class WriteBack:
    """A thread that syncs an open file whenever another 64 MiB were written to it.

    The kernel reports an error of its writing once only, so one that is reported here is kept
    and raised by `finish`.
    """

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._unsynced = 0
        self._failure: OSError | None = None
        self._due = threading.Semaphore(0)
        self._ended = False
        self._thread: threading.Thread | None = None

    def wrote(self, length: int) -> None:
        """Take note of bytes written; the caller sees to it that only one thread does so."""
        self._unsynced += length
        if self._unsynced >= STEP:
            self._unsynced = 0
            self._start()
            self._due.release()

    def finish(self) -> None:
        """End the thread.

        Raises:
            OSError: The kernel could not write what it had taken.
        """
        self.stop()
        if self._failure is not None:
            raise self._failure

    def stop(self) -> None:
        """End the thread, whatever it met; once is enough."""
        self._ended = True
        self._due.release()
        if self._thread is not None:
            self._thread.join()

    def _start(self) -> None:
        """Start the thread when there is something for it to do: a small file never has."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._sync, daemon=True)
            self._thread.start()

    def _sync(self) -> None:
        """Sync whenever it is due, up to the end or the first failure."""
        try:
            while self._due.acquire() and not self._ended:
                os.fdatasync(self._fd)
        except OSError as error:
            self._failure = error
