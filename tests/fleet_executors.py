"""Executors for the driver of a test."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: Of this number of tasks, one is run twice.
RERUN = 33


class Rerunning(ThreadPoolExecutor):
    """Runs some tasks twice at the same time, like an engine that has lost contact with one."""

    def __init__(self) -> None:
        super().__init__(max_workers=8)
        self._tasks = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **more: Any) -> Future[Any]:
        """Run a task; return the result of its second run, if there are two."""
        self._tasks += 1
        if self._tasks % RERUN == 1:
            return super().submit(_twice, fn, *args, **more)
        return super().submit(fn, *args, **more)


def _twice(fn: Callable[..., Any], /, *args: Any, **more: Any) -> Any:
    with ThreadPoolExecutor(1) as other:
        first = other.submit(fn, *args, **more)
        result = fn(*args, **more)
        first.result()
    return result
