"""The executor: threads, or what the user names; anything else is refused before any job."""

from __future__ import annotations

import sys
from concurrent.futures import Executor, ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.fleet.driver.executor import close, executor_of

if TYPE_CHECKING:
    from pathlib import Path

MODULE = """
from concurrent.futures import ThreadPoolExecutor

NUMBER = 3

class Makers:
    one = ThreadPoolExecutor

def fails():
    raise RuntimeError("no cluster")

def nothing():
    pass
"""


@pytest.fixture(autouse=True)
def _module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a module of a user, and one that cannot be imported."""
    (tmp_path / "my_executors.py").write_text(MODULE)
    (tmp_path / "my_broken.py").write_text("1 / 0")
    monkeypatch.syspath_prepend(tmp_path)
    for name in ("my_executors", "my_broken"):
        monkeypatch.delitem(sys.modules, name, raising=False)


def test_threads_are_used_where_none_is_named() -> None:
    """There are as many threads as jobs may run."""
    made = executor_of(None, 5)
    assert isinstance(made, ThreadPoolExecutor)
    assert made._max_workers == 5
    assert close(made, wait=True) == ""


@pytest.mark.parametrize(
    "name", ["my_executors:ThreadPoolExecutor", "concurrent.futures:ThreadPoolExecutor",
             "my_executors:Makers.one"]
)  # fmt: skip
def test_a_callable_is_called_without_arguments(name: str) -> None:
    """It may be anywhere in a module."""
    made = executor_of(name, 5)
    assert isinstance(made, ThreadPoolExecutor)
    assert close(made, wait=True) == ""


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("my_executors", "is not of the form module:callable"),
        ("my_executors:", "is not of the form module:callable"),
        ("../x:y", "is not of the form module:callable"),
        ("no_such_module:make", "cannot be imported: ModuleNotFoundError"),
        ("my_broken:make", "cannot be imported: ZeroDivisionError"),
        ("my_executors:make", "cannot be imported: AttributeError"),
        ("my_executors:NUMBER", "is a int, and cannot be called"),
        ("my_executors:fails", "has failed: RuntimeError: no cluster"),
        ("my_executors:nothing", "returns a NoneType, not an executor"),
    ],
)
def test_what_is_no_executor_is_refused(name: str, told: str) -> None:
    """The message says what is wrong with it."""
    with pytest.raises(UsageError) as caught:
        executor_of(name, 5)
    assert told in caught.value.what
    assert name in caught.value.what


def test_an_executor_that_cannot_be_closed_is_reported() -> None:
    """The results of the jobs are known nevertheless."""

    class Stuck(Executor):
        def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002
            raise OSError(5, f"{wait}")

    assert close(Stuck(), wait=False) == "the executor cannot be closed: OSError: False"
