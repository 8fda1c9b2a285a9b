"""Steps for `Host.together` that take long, and so run in parallel where a host can do that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

T = TypeVar("T")


class Long(Generic[T]):
    """A step that mostly waits for a disk or a program, or computes: it runs in its own thread.

    Args:
        step: what is to be done; nothing that it changes is used by another step.
    """

    def __init__(self, step: Callable[[], T]) -> None:
        self._step = step

    def __call__(self) -> T:
        """Do it."""
        return self._step()


def overlapped(steps: Sequence[Callable[[], Any]]) -> tuple[Any, ...]:
    """Carry out steps in order; those that are `Long` begin at once and run in parallel.

    Returns:
        What each step has returned, in the order of the steps.

    Raises:
        Exception: the error of the first step, in their order, that failed, once all `Long` steps
            have ended; no further step begins after an error.
    """
    if sum(isinstance(step, Long) for step in steps) < 2:  # there is nothing to overlap
        return tuple(step() for step in steps)
    # Only a proof needs it, and it takes a while to load.
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(len(steps)) as pool:
        begun = [pool.submit(step) if isinstance(step, Long) else None for step in steps]
        done: list[Future[Any]] = []
        for step, one in zip(steps, begun, strict=True):
            done.append(one or _carried_out(step))
            if one is None and done[-1].exception():
                break
        return tuple(one.result() for one in done)


def _carried_out(step: Callable[[], Any]) -> Future[Any]:
    from concurrent.futures import Future

    future: Future[Any] = Future()
    try:
        future.set_result(step())
    except Exception as error:
        future.set_exception(error)
    return future
