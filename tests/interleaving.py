"""Threads that take turns at every file operation, in an order given by one number."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from random import Random
from typing import Any

import pytest

OPERATIONS = ("lseek", "pread", "preadv", "pwrite", "unlink")
Work = Callable[[], None]


class Interleaving:
    """Runs functions side by side, but only one at any moment.

    Before each file operation, another one may continue. The same number gives the same order, so
    that a failure can be reproduced.

    Args:
        seed: The number.
    """

    def __init__(self, seed: int) -> None:
        self._random = Random(seed)
        self._turns: dict[int, threading.Semaphore] = {}
        self._luck: dict[int, float] = {}
        self._failures: list[BaseException] = []

    def patch(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let the file operations take turns."""
        for name in OPERATIONS:
            monkeypatch.setattr(os, name, self._taking_turns(getattr(os, name)))

    def run(self, *works: Work) -> None:
        """Run all functions, and raise the first failure."""
        threads = [threading.Thread(target=self._do, args=(work,)) for work in works]
        for thread in threads:
            self._turns[id(thread)] = threading.Semaphore(0)
            self._luck[id(thread)] = self._random.random() ** 4  # some are much faster than others
        for thread in threads:
            thread.start()
        self._pass_on()
        for thread in threads:
            thread.join()
        if self._failures:
            raise self._failures[0]

    def _do(self, work: Work) -> None:
        """Run a function when it is its turn."""
        me = id(threading.current_thread())
        self._turns[me].acquire()
        try:
            work()
        except BaseException as failure:
            self._failures.append(failure)
        del self._turns[me]
        self._pass_on()

    def _pass_on(self) -> None:
        """Let any unfinished function continue."""
        if self._turns:
            luck = [self._luck[waiting] for waiting in self._turns]
            (chosen,) = self._random.choices(list(self._turns), luck)
            self._turns[chosen].release()

    def _taking_turns(self, operation: Callable[..., Any]) -> Callable[..., Any]:
        """Return a file operation that lets others take turns before it."""

        def take_turns(*arguments: Any, **keywords: Any) -> Any:
            turn = self._turns.get(id(threading.current_thread()))
            if turn is not None:
                self._pass_on()
                turn.acquire()
            return operation(*arguments, **keywords)

        return take_turns
