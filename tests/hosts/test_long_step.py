"""Long steps run in parallel, and their results keep their order."""

from __future__ import annotations

import functools
import threading
from typing import NoReturn

import pytest

from csf_backup_plugin.cancellation import Cancellation
from csf_backup_plugin.errors import Interrupted
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.hosts.long_step import Long


def test_long_steps_run_beside_each_other_and_the_others() -> None:
    """Each step waits until all have begun."""
    all_have_begun = threading.Barrier(3, timeout=60)

    def step(name: str) -> str:
        all_have_begun.wait()
        return name

    steps = (Long(lambda: step("a")), lambda: step("b"), Long(lambda: step("c")))
    assert LocalHost().together(*steps) == ("a", "b", "c")


def test_a_single_long_step_has_no_thread() -> None:
    """No other step could run in parallel."""
    here = threading.get_ident()
    found = LocalHost().together(Long(threading.get_ident), threading.get_ident)
    assert found == (here, here)


def test_the_first_error_in_order_is_raised_once_all_long_steps_have_ended() -> None:
    """No other step is begun after it."""
    last_has_failed, ended = threading.Event(), list[str]()

    def fail_late() -> NoReturn:
        last_has_failed.wait()
        raise OSError(1, "first")

    def fail_early() -> NoReturn:
        last_has_failed.set()
        raise OSError(2, "last")

    def end_at_last() -> None:
        last_has_failed.wait()
        ended.append("long")

    def fail() -> NoReturn:
        raise OSError(3, "short")

    after = functools.partial(ended.append, "short")
    steps = (Long(fail_late), fail, Long(fail_early), after, Long(end_at_last))
    with pytest.raises(OSError, match="first"):
        LocalHost().together(*steps)
    with pytest.raises(OSError, match="short"):
        LocalHost().together(Long(end_at_last), fail, Long(fail_early), after)
    assert ended == ["long"] * 2


def test_a_signal_ends_all_of_them() -> None:
    """Programs and reads of files end as if each were alone."""
    cancellation = Cancellation()
    host = LocalHost(cancellation=cancellation)
    both_run = threading.Barrier(3, timeout=60)

    def signalled() -> None:
        both_run.wait()
        cancellation.cancel(15)

    def program() -> object:
        both_run.wait()
        return host.run(["sleep", "60"], 60)

    def reading() -> object:
        both_run.wait()
        while True:
            host.digest("/proc/self/status", lambda _: None)

    signaller = threading.Thread(target=signalled)
    signaller.start()
    with pytest.raises(Interrupted):
        host.together(Long(program), Long(reading))
    signaller.join()
