"""Two workers that share out tasks."""

from __future__ import annotations

import threading
import time

import pytest

from csf_simulator.image.layout import FRAME
from csf_simulator.image.worker_pool import WorkerPool


def test_every_task_is_done_once() -> None:
    """No task is left out or done twice."""
    tasks = iter(range(1000))
    done: list[int] = []
    WorkerPool(lambda _: next(tasks, None), lambda task, _: done.append(task)).run()
    assert sorted(done) == list(range(1000))


def test_both_workers_work_at_the_same_time() -> None:
    """A task can wait for another, so two are under way at once, each with its own buffer."""
    tasks = iter(range(2))
    together = threading.Barrier(2)
    buffers: list[bytearray] = []

    def work(_: int, buffer: bytearray) -> None:
        together.wait(timeout=60)
        buffers.append(buffer)

    WorkerPool(lambda _: next(tasks, None), work).run()
    assert buffers[0] is not buffers[1]
    assert [len(buffer) for buffer in buffers] == [FRAME, FRAME]


def test_task_gets_the_buffer_it_was_taken_with() -> None:
    """What taking a task put into a buffer is there when the task is done."""
    tasks = iter(range(100))

    def take(buffer: bytearray) -> int | None:
        task = next(tasks, None)
        buffer[0] = task or 0
        return task

    seen: list[bool] = []
    WorkerPool(take, lambda task, buffer: seen.append(buffer[0] == task)).run()
    assert seen == [True] * 100


def test_failure_of_a_task_ends_the_run_and_is_raised() -> None:
    """After a failure the other worker ends its task, and begins no further one."""
    tasks = iter(range(1000))
    together = threading.Barrier(2)
    done: list[int] = []

    def work(task: int, _: bytearray) -> None:
        done.append(task)
        if task < 2:
            together.wait(timeout=60)
        if task == 0:
            raise ValueError("no")
        while not crew._failures:
            time.sleep(0)

    crew = WorkerPool(lambda _: next(tasks, None), work)
    with pytest.raises(ValueError, match="no"):
        crew.run()
    assert sorted(done) == [0, 1]


def test_failure_to_find_the_next_task_is_raised() -> None:
    """A failure between tasks is one as well."""

    def take(_: bytearray) -> int | None:
        raise OSError("broken")

    with pytest.raises(OSError, match="broken"):
        WorkerPool(take, lambda *_: None).run()


def test_one_worker_does_tasks_in_order() -> None:
    """A single worker does everything itself."""
    tasks = iter(range(10))
    done: list[tuple[int, int]] = []

    def work(task: int, _: bytearray) -> None:
        done.append((task, threading.get_ident()))

    WorkerPool(lambda _: next(tasks, None), work).run(workers=1)
    assert done == [(task, threading.get_ident()) for task in range(10)]
