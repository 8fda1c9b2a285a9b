"""A pool of threads: two of them checksum and copy about as fast as `cp` copies.

Reading, checksumming and writing all happen outside of Python's global lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

from csf_simulator.image.layout import FRAME

Task = TypeVar("Task")


class WorkerPool(Generic[Task]):
    """Threads, this one included, that do tasks until none is left or one fails.

    Args:
        take: returns the next task, None when none is left; called by one thread at a time with
            the caller's own buffer of layout.FRAME bytes, which it may fill.
        work: does a task; called with the buffer its task was taken with.
    """

    def __init__(
        self, take: Callable[[bytearray], Task | None], work: Callable[[Task, bytearray], object]
    ) -> None:
        self._take = take
        self._work = work
        self._turn = threading.Lock()
        self._failures: list[BaseException] = []

    def run(self, workers: int = 2) -> None:
        """Do all tasks.

        Raises:
            BaseException: the first failure of a task; no other is begun after it.
        """
        others = [threading.Thread(target=self._run_tasks) for _ in range(workers - 1)]
        for thread in others:
            thread.start()
        self._run_tasks()
        for thread in others:
            thread.join()
        if self._failures:
            raise self._failures[0]

    def _run_tasks(self) -> None:
        """Do tasks until none is left or one fails."""
        buffer = bytearray(FRAME)
        try:
            while (task := self._next(buffer)) is not None:
                self._work(task, buffer)
        except BaseException as failure:
            self._failures.append(failure)

    def _next(self, buffer: bytearray) -> Task | None:
        """Return the next task, unless one failed."""
        with self._turn:
            return None if self._failures else self._take(buffer)
