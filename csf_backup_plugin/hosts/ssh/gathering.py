"""Ask the host from several threads in one call.

A call costs the host five processes besides those of its text. So the requests that threads make
at the same time go there as one call, and as another one for those that take long, which the host
runs in parallel. A thread with a request waits until every other thread has a request too, or has
ended.
"""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, NamedTuple

from csf_backup_plugin.hosts.ssh.request import FOREVER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from csf_backup_plugin.hosts.ssh.errors import Answer
    from csf_backup_plugin.hosts.ssh.request import Pending, Request


class _Batch:
    """Requests that go to the host in one call.

    Attributes:
        requests: the requests, in order.
        is_closed: whether no request can be added any more; if there are some, they were sent.
        pending: the call; None until it was sent.
        answers: the answers to the requests, in order.
    """

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.is_closed = False
        self.pending: Pending | None = None
        self.answers: Future[Sequence[Answer]] = Future()


class _Batches(NamedTuple):
    """The batches that requests are added to: of looks, and of programs, which take long."""

    looks: _Batch
    programs: _Batch


class _Group:
    """Threads that carry out the steps of one `Host.together`.

    Attributes:
        left: how many threads have not ended.
        is_nested: whether the thread that waits for them carries out a step itself.
    """

    def __init__(self, left: int, *, is_nested: bool) -> None:
        self.left = left
        self.is_nested = is_nested


class Gathering:
    """The threads that carry out steps at once.

    Args:
        post: sends requests to the host in one call.
        wait: waits for that call, and returns the answers.
    """

    def __init__(
        self,
        post: Callable[[Sequence[Request]], Pending],
        wait: Callable[[Pending], Sequence[Answer]],
    ) -> None:
        self._post = post
        self._wait = wait
        self._changed = threading.Condition()
        self._busy = 0  # threads that neither wait for the host nor have ended
        self._batches = _Batches(_Batch(), _Batch())
        self._under_way: _Batch | None = None  # of programs, behind which nothing can be sent
        self._own = threading.local()

    @property
    def is_inside(self) -> bool:
        """Whether this thread carries out one of several steps."""
        return getattr(self._own, "is_inside", False)

    def carry_out(self, steps: Sequence[Callable[[], Any]]) -> list[Future[Any]]:
        """Carry out steps, each in a thread of its own; return them once all have ended.

        If this thread itself carries out a step, it counts as one of the new threads until these
        have ended.
        """
        group = _Group(len(steps), is_nested=self.is_inside)
        begun: list[Future[Any]] = []
        if not steps:
            return begun
        with self._changed:
            self._busy += len(steps) - group.is_nested
        threads: list[threading.Thread] = []
        try:
            for step in steps:
                future: Future[Any] = Future()
                thread = threading.Thread(target=self._carry_out, args=(step, group, future))
                thread.start()
                threads.append(thread)
                begun.append(future)
        finally:
            for _ in steps[len(begun) :]:
                self._end(group)
            for thread in threads:
                thread.join()
        return begun

    def takes(self, request: Request) -> bool:
        """Return whether a request can go in one call with others."""
        is_look = (request.kind, request.locked, request.until) == ("script", False, FOREVER)
        return is_look or request.kind == "program"

    def ask(self, request: Request) -> Answer:
        """Ask the host for something that changes nothing, in one call with the other threads.

        If the call cannot be sent, or gets no answer, each of its threads raises the error.
        """
        with self._changed:
            looks, programs = self._batches
            batch = programs if request.kind == "program" else looks
            batch.requests.append(request)
            number = len(batch.requests) - 1
            self._wait_for(batch)
        if number == 0 and batch.pending:
            self._finish(batch, batch.pending)
        return batch.answers.result()[number]

    def wait_for_turn(self) -> None:
        """Wait until this thread can make another kind of call, after what the others ask for."""
        with self._changed:
            self._wait_for(self._batches.looks)
            self._changed.wait_for(lambda: not self._under_way)
            self._busy += 1

    def _carry_out(self, step: Callable[[], Any], group: _Group, future: Future[Any]) -> None:
        self._own.is_inside = True
        try:
            future.set_result(step())
        except BaseException as error:  # whoever waits for the step must get it
            future.set_exception(error)
        finally:
            self._end(group)

    def _end(self, group: _Group) -> None:
        with self._changed:
            group.left -= 1
            if group.left or not group.is_nested:
                self._leave()

    def _wait_for(self, batch: _Batch) -> None:
        """Wait until no thread can add another request to a batch."""
        self._leave()
        self._changed.wait_for(lambda: batch.is_closed)

    def _leave(self) -> None:
        """Count a thread as waiting; after the last one, send what was asked for."""
        self._busy -= 1
        if self._busy or self._under_way:
            return
        batches, self._batches = self._batches, _Batches(_Batch(), _Batch())
        for batch in batches:
            self._send(batch)
        if batches.programs.pending:
            self._under_way = batches.programs
        self._changed.notify_all()

    def _send(self, batch: _Batch) -> None:
        batch.is_closed = True
        if not batch.requests:
            return
        try:
            batch.pending = self._post(batch.requests)
        except BaseException as error:  # each thread of the batch must get it
            self._busy += len(batch.requests)
            batch.answers.set_exception(error)

    def _finish(self, batch: _Batch, pending: Pending) -> None:
        """Wait for the answers, in the batch's first thread, and wake the other threads."""
        answers: Sequence[Answer] = ()
        failure: BaseException | None = None
        try:
            answers = self._wait(pending)
        except BaseException as error:  # each thread of the batch must get it, also an interruption
            failure = error
        with self._changed:
            self._busy += len(batch.requests)
            if self._under_way is batch:
                self._under_way = None
                self._changed.notify_all()
        if failure:
            batch.answers.set_exception(failure)
        else:
            batch.answers.set_result(answers)
