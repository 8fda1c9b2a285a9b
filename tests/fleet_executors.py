"""Executors that a driver of a test is told to use."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: One task of so many is run twice.
RERUN = 33


class Rerunning(ThreadPoolExecutor):
    """Runs some tasks twice at the same time, as an engine does that has lost sight of one."""

    def __init__(self) -> None:
        super().__init__(max_workers=8)
        self._tasks = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **more: Any) -> Future[Any]:
        """Run a task; tell what the second run of it has come to, if there are two."""
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
