"""Steps for `Host.together` that take long, and so are carried out beside the others everywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future

T = TypeVar("T")


class Long(Generic[T]):
    """A step that mostly waits for a disk or a program, or computes: it gets a thread of its own.

    Args:
        step: what is to be done; it shares nothing that it changes with any other.
    """

    def __init__(self, step: Callable[[], T]) -> None:
        self._step = step

    def __call__(self) -> T:
        """Do it."""
        return self._step()


def overlapped(steps: Sequence[Callable[[], Any]]) -> tuple[Any, ...]:
    """Carry out steps in order, and beside them those that are `Long`, which begin at once.

    Returns:
        What each has returned, in order.

    Raises:
        Exception: whatever the first one in order that failed has raised, once all `Long` ones have
            ended; no other one is begun after an error.
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
