"""Ask the host from several threads in one call.

A call costs the host five processes besides those of its text. So the requests that threads make
at the same time go there as one call. A thread with a request waits until every other thread has a
request too, or has ended.
"""

from __future__ import annotations

import contextlib
import threading
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from csf_backup_plugin.hosts.ssh.errors import Answer
    from csf_backup_plugin.hosts.ssh.pending import Pending


class _Batch:
    """Texts that go to the host in one call.

    Attributes:
        texts: see `library.step`.
        is_closed: whether no text can be added any more; if there are texts, they were sent.
        pending: the call; None until it was sent.
        answers: the answers to the texts, in order.
    """

    def __init__(self) -> None:
        self.texts: list[str] = []
        self.is_closed = False
        self.pending: Pending | None = None
        self.answers: Future[Sequence[Answer]] = Future()


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
        post: sends texts to the host in one call.
        wait: waits for that call, and returns the answers; it takes the number of texts.
    """

    def __init__(
        self,
        post: Callable[[Sequence[str]], Pending],
        wait: Callable[[Pending, int], Sequence[Answer]],
    ) -> None:
        self._post = post
        self._wait = wait
        self._changed = threading.Condition()
        self._busy = 0  # threads that neither wait for the host nor have ended
        self._batch = _Batch()
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
        with ThreadPoolExecutor(len(steps)) as pool:
            try:
                begun += (pool.submit(self._carry_out, step, group) for step in steps)
            finally:
                for _ in steps[len(begun) :]:
                    self._end(group)
        return begun

    def ask(self, text: str) -> Answer:
        """Ask the host for something that changes nothing, in one call with the other threads.

        If the call cannot be sent, or gets no answer, each of the threads raises the error.
        """
        batch, number = self._closed(text)
        if number == 0 and batch.pending:
            self._finish(batch, batch.pending)
        return batch.answers.result()[number]

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Let this thread make another kind of call, after the other threads' requests."""
        self._closed()
        try:
            yield
        finally:
            with self._changed:
                self._busy += 1

    def _carry_out(self, step: Callable[[], Any], group: _Group) -> Any:
        self._own.is_inside = True
        try:
            return step()
        finally:
            self._end(group)

    def _end(self, group: _Group) -> None:
        with self._changed:
            group.left -= 1
            if group.left or not group.is_nested:
                self._leave()

    def _closed(self, *texts: str) -> tuple[_Batch, int]:
        """Add a text, if one is given, to the batch; wait until no thread can add another one.

        Returns:
            The batch, and the place of the text in it.
        """
        with self._changed:
            batch, number = self._batch, len(self._batch.texts)
            batch.texts += texts
            self._leave()
            self._changed.wait_for(lambda: batch.is_closed)
        return batch, number

    def _leave(self) -> None:
        """Count a thread as waiting; after the last one, send the batch."""
        self._busy -= 1
        if self._busy:
            return
        batch, self._batch = self._batch, _Batch()
        if batch.texts:
            try:
                batch.pending = self._post(batch.texts)
            except BaseException as error:  # each thread of the batch must get it
                self._busy += len(batch.texts)
                batch.answers.set_exception(error)
        batch.is_closed = True
        self._changed.notify_all()

    def _finish(self, batch: _Batch, pending: Pending) -> None:
        """Wait for the answers, in the batch's first thread, and wake the other threads."""
        answers: Sequence[Answer] = ()
        failure: BaseException | None = None
        try:
            answers = self._wait(pending, len(batch.texts))
        except BaseException as error:  # each thread of the batch must get it, also an interruption
            failure = error
        with self._changed:
            self._busy += len(batch.texts)
        if failure:
            batch.answers.set_exception(failure)
        else:
            batch.answers.set_result(answers)
