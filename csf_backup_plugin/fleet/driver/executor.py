"""The executor of the jobs: threads of csf, or an executor that the user names."""

from __future__ import annotations

import importlib
import re
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TYPE_CHECKING

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.names import shown
from csf_backup_plugin.system_errors import reason

if TYPE_CHECKING:
    from collections.abc import Callable

_OPTION = "-executor"
_FORM = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*(\.[^\W\d]\w*)*")


def executor_of(name: str | None, jobs: int) -> Executor:
    """Return the executor that the user has named, or one of threads.

    Args:
        name: ``module:callable``, which is called without arguments; None for threads.
        jobs: how many threads.

    Raises:
        UsageError: it cannot be imported or called, or does not return an executor.
    """
    if name is None:
        return ThreadPoolExecutor(jobs, "fleet")
    made = _called(name, _found(name))
    if not isinstance(made, Executor):
        raise UsageError(
            f"{_OPTION} {shown(name)} returns a {type(made).__name__}, not an executor.",
            "Name a callable that returns a concurrent.futures.Executor.",
        )
    return made


def _found(name: str) -> Callable[[], object]:
    if not _FORM.fullmatch(name):
        raise UsageError(
            f"{_OPTION} {shown(name)!r} is not of the form module:callable.",
            "Give it such as my_executors:make, with the module's directory in PYTHONPATH.",
        )
    module, _, path = name.partition(":")
    try:
        found = importlib.import_module(module)
        for part in path.split("."):
            found = getattr(found, part)
    except Exception as error:  # a foreign module may raise anything
        raise _refused(name, "cannot be imported", error) from None
    if not callable(found):
        raise UsageError(
            f"{_OPTION} {shown(name)} is a {type(found).__name__}, and cannot be called.",
            "Name a callable that returns a concurrent.futures.Executor.",
        )
    return found


def _called(name: str, make: Callable[[], object]) -> object:
    try:
        return make()
    except Exception as error:  # a foreign executor may raise anything
        raise _refused(name, "has failed", error) from None


def _refused(name: str, what: str, error: Exception) -> UsageError:
    return UsageError(
        f"{_OPTION} {shown(name)} {what}: {type(error).__name__}: {shown(reason(error))}.",
        "Fix that; PYTHONPATH names the directories of modules that are not installed.",
    )


def close(executor: Executor, *, wait: bool) -> str:
    """Shut an executor down; return why that failed, or an empty string.

    Args:
        executor: the executor.
        wait: whether to wait until its threads have ended; False if a job may never end.
    """
    try:
        executor.shutdown(wait=wait)
    except Exception as error:  # a foreign executor may raise anything
        return f"the executor cannot be closed: {type(error).__name__}: {shown(reason(error))}"
    return ""
