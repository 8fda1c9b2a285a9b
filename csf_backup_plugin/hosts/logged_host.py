"""A host that logs its work: programs, locks, and everything that writes or removes."""

from __future__ import annotations

import contextlib
import functools
import logging
import os
import time
from typing import TYPE_CHECKING, Any, cast

from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.hosts.protocol.steps import Absent, Release, RemoveTrees
from csf_backup_plugin.hosts.protocol.values import ENDLESS, UNKNOWN, UNQUIET
from csf_backup_plugin.log import log
from csf_backup_plugin.names import command, listed, shown
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from csf_backup_plugin.hosts.protocol.host import Host
    from csf_backup_plugin.hosts.protocol.locking import Lock
    from csf_backup_plugin.hosts.protocol.programs import Running
    from csf_backup_plugin.hosts.protocol.steps import Step, Withdrawal
    from csf_backup_plugin.hosts.protocol.streaming import Sink, Source
    from csf_backup_plugin.hosts.protocol.values import Completed

_CHANGING = {
    *("create", "append", "publish", "replace", "sync"),
    *("remove", "remove_trees", "make_directories", "move"),
}
_ENDINGS = {
    UNKNOWN: "an unknown status",
    ENDLESS: "a stop, since it printed without end",
    UNQUIET: "no start, since the repository could not be made quiet",
}


def observed(host: Host) -> Host:
    """Return the host, wrapped so that its work is logged if anybody reads the log."""
    return cast("Host", _Observed(host)) if log.isEnabledFor(logging.INFO) else host


class _Observed:
    def __init__(self, host: Host) -> None:
        self.name = host.name
        self.cancellation = host.cancellation
        self._host = host
        self._directory = _working_directory(host)

    def __getattr__(self, operation: str) -> Any:
        method = getattr(self._host, operation)
        if operation in _CHANGING:
            return functools.partial(self._changed, operation, method)
        return method

    def _changed(
        self, operation: str, method: Callable[..., Any], what: Any, *rest: Any, **options: Any
    ) -> Any:
        what = what if isinstance(what, str) else list(what)
        with self._timed(f"{operation.replace('_', ' ')} {_named(what)}"):
            return method(what, *rest, **options)

    @contextlib.contextmanager
    def lock(self, path: str, *arguments: Any, **options: Any) -> Iterator[Lock | None]:
        with contextlib.ExitStack() as stack:
            with self._timed(f"lock {shown(path)}"):
                lock = stack.enter_context(self._host.lock(path, *arguments, **options))
            if lock:
                stack.callback(log.info, "unlock %s on %s", shown(path), self.name)
            yield lock

    @contextlib.contextmanager
    def lock_and_look(
        self, path: str, *arguments: Any, **options: Any
    ) -> Iterator[tuple[Lock | None, Any]]:
        with contextlib.ExitStack() as stack:
            with self._timed(f"lock {shown(path)}"):
                found = stack.enter_context(self._host.lock_and_look(path, *arguments, **options))
            if found[0]:
                stack.callback(log.info, "unlock %s on %s", shown(path), self.name)
            yield found

    def in_turn(self, *steps: Step) -> tuple[Callable[[], str], ...]:
        ended = self._host.in_turn(*steps)
        for step, done in zip(steps, ended, strict=True):
            try:
                done()
            except OSError as error:
                log.info("%s on %s: failed: %s", _described(step), self.name, reason(error))
                break
            log.info("%s on %s: done", _described(step), self.name)
        return ended

    @contextlib.contextmanager
    def reading(self, path: str) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            with self._timed(f"lock {shown(path)} for reading"):
                stack.enter_context(self._host.reading(path))
            yield

    @contextlib.contextmanager
    def sending(self, path: str) -> Iterator[Source]:
        with self._timed(f"send {shown(path)}"), self._host.sending(path) as source:
            yield source

    @contextlib.contextmanager
    def receiving(self, path: str) -> Iterator[Sink]:
        with self._timed(f"receive {shown(path)}"), self._host.receiving(path) as sink:
            yield sink

    def withdraw(self, files: Iterable[Withdrawal]) -> list[str]:
        wanted = list(files)
        answers = self._host.withdraw(wanted)
        for one, why in zip(wanted, answers, strict=True):
            names = f"{shown(one.path)} to {shown(one.to)}"
            log.info("withdraw %s on %s: %s", names, self.name, why or "done")
        return answers

    def find(self, utility: str, variable: str) -> str:
        found = self._host.find(utility, variable)
        log.info("%s on %s is %s", utility, self.name, shown(found))
        return found

    def digest(self, path: str, progress: Callable[[int], None]) -> tuple[int, str]:
        with self._timed(f"take the SHA-256 of {shown(path)}"):
            return self._host.digest(path, progress)

    def run(self, argv: Sequence[str], timeout: float) -> Completed:
        with self._program(argv, self._directory) as ended:
            completed = self._host.run(argv, timeout)
            ended(completed)
        return completed

    def run_each(
        self, argv: Sequence[str], operands: Iterable[str], timeout: float
    ) -> Iterator[Completed]:
        names = list(operands)
        for name, completed in zip(names, self._host.run_each(argv, names, timeout), strict=True):
            with self._program([*argv, name], self._directory) as ended:
                ended(completed)
            yield completed

    @contextlib.contextmanager
    def start(
        self,
        argv: Sequence[str],
        watched: str,
        lock: Lock | None,
        record: str,
        *limit: float,
        **options: Any,
    ) -> Iterator[Running]:
        with (
            self._program(argv, shown(record)) as ended,
            self._host.start(argv, watched, lock, record, *limit, **options) as running,
        ):
            yield _Running(running, ended)

    @contextlib.contextmanager
    def _program(
        self, argv: Sequence[str], directory: str
    ) -> Iterator[Callable[[Completed], None]]:
        """Log a program's start and its end; yield a function to call with how it ended."""
        typed, began, ends = command(*argv), time.monotonic(), list[str]()
        log.info("run on %s in %s: %s", self.name, directory, typed)

        def ended(completed: Completed) -> None:
            status = _ENDINGS.get(completed.status, f"status {completed.status}")
            ends.append(f"ended with {status}")

        try:
            yield ended
        finally:
            how = ends[0] if ends else "not seen to its end"
            log.info("%s on %s after %.3f s: %s", how, self.name, time.monotonic() - began, typed)

    @contextlib.contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        began = time.monotonic()
        try:
            yield
        except Exception as error:
            log.info("%s on %s: failed: %s", what, self.name, reason(error))
            raise
        log.info("%s on %s: %.3f s", what, self.name, time.monotonic() - began)


class _Running:
    """A running utility, whose end is logged."""

    def __init__(self, running: Running, ended: Callable[[Completed], None]) -> None:
        self._running = running
        self._ended = ended

    def poll(self) -> tuple[Completed | None, int]:
        completed, size = self._running.poll()
        if completed:
            self._ended(completed)
        return completed, size


def _working_directory(host: Host) -> str:
    if not isinstance(host, LocalHost):
        return "the login's directory"
    try:
        return shown(os.getcwd())
    except OSError as error:
        return f"no directory ({reason(error)})"


def _described(step: Step) -> str:
    """Return what a step does."""
    if isinstance(step, Release):
        return "release the lock"
    if isinstance(step, Absent):
        return f"expect nothing at {listed(step.paths)}"
    if isinstance(step, RemoveTrees):
        return f"remove trees {listed(step.paths)}"
    return f"{type(step).__name__.lower()} {shown(step.path)}"


def _named(what: str | list[str] | list[tuple[str, str]]) -> str:
    """Return the name of a file, or of several, or the old and new names of moved files."""
    if isinstance(what, str):
        return shown(what)
    return listed([one if isinstance(one, str) else " to ".join(one) for one in what])
