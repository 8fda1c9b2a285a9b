"""pytest fixtures: a simulator of its own for every test that asks for one.

They exist once the simulator is installed; none is used unless a test names it. Each is a few
lines over `csf_simulator.simulator.Simulator`, which does the same without pytest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from csf_simulator.simulator import Result, Simulator
    from csf_simulator.workload.running import Workload


@pytest.fixture
def simulator(tmp_path: Path) -> Iterator[Simulator]:
    """A simulator with a home of its own, below the test's `tmp_path`.

    The test fails at its end if a fault was scripted that never struck; where that is meant,
    `simulator.faults.clear()` says so.
    """
    from csf_simulator.simulator import Simulator

    with Simulator(str(tmp_path / "csf-sim")) as made:
        yield made
    if unstruck := made.faults.unstruck():
        faults = "; ".join(map(str, unstruck))
        pytest.fail(
            f"scripted and never injected: {faults} (if that is right, call "
            "simulator.faults.clear())"
        )


@pytest.fixture
def repository(simulator: Simulator) -> Callable[..., str]:
    """A function that makes a repository and returns its master database's path.

    See `Simulator.repository`: `repository(classes=3, size=0)`.
    """
    return simulator.repository


@pytest.fixture
def csf(simulator: Simulator) -> Callable[..., Result]:
    """A function that runs csf: `csf("class_create", "-database", master, "-class", "Book")`.

    It returns exit code, stdout and stderr; see `Simulator.csf`.
    """
    return simulator.csf


@pytest.fixture
def workload(simulator: Simulator) -> Callable[..., AbstractContextManager[Workload]]:
    """A function that keeps a repository busy for the length of a block.

    See `Simulator.workload`: `with workload(master, writers=4) as running: ...`.
    """
    return simulator.workload


@pytest.fixture
def fault(simulator: Simulator) -> Callable[..., None]:
    """A function that scripts a fault: `fault("osbackup", "exit", "3")`.

    See `Simulator.fault`.
    """
    return simulator.fault
