"""A failure of any call that changes files loses nothing, and is reported truly.

The next run ends as if the failure had not happened.
"""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest
from faults.libc_sweep.bench import STROKES, Bench
from faults.libc_sweep.scenes import SCENES, Scene
from scale import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator

_POINTS = 8  # of each scene in CI; CSF_TEST_SCALE=50 takes them all


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """Return the bench for csf."""
    if shutil.which("cc") is None:
        needed = "a C compiler is needed, as cc"
        pytest.fail(needed) if os.environ.get("CI") else pytest.skip(needed)
    made = Bench(tmp_path_factory.mktemp("sweep"))
    yield made
    made.close()


@pytest.mark.timeout(300 + 10 * scaled(_POINTS))
@pytest.mark.parametrize("kind", SCENES, ids=lambda kind: kind.__name__)
def test_a_struck_command_harms_nothing_and_the_next_mends_it(
    bench: Bench, kind: type[Scene]
) -> None:
    """The error or signal comes at any call, once or from then on."""
    scene = kind(bench)
    undisturbed, calls = bench.calls(*scene.argv)
    assert (undisturbed.status, [*scene.struck(undisturbed)]) == (0, [])
    points = [
        (stroke, number)
        for stroke, (_, _, needed) in STROKES.items()
        for number, call in enumerate(calls, start=1)
        if call.can & needed
    ]
    count = min(len(points), scaled(_POINTS))
    wrong = []
    for stroke, number in (points[at * len(points) // count] for at in range(count)):
        bench.again()
        struck = bench.run(*scene.argv, stroke=stroke, at=number)
        found = [*scene.struck(struck)]
        bench.a_night_later()
        found += scene.next(struck)
        if found:
            call = calls[number - 1]
            wrong.append((f"{stroke} at call {number}, {call.name} {call.path}", found, struck))
    print(f"{kind.__name__}: {count} of {len(points)} points")
    assert wrong == []
