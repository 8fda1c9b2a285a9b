"""Claims of living processes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from csf_simulator.server.claims import CLIENT, RESTORE, SNAPSHOT, Claims, void

DIE = """
import os, signal, sys
from csf_simulator.server.claims import Claims
with Claims(sys.argv[1]).hold("snapshot"):
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def place(tmp_path: Path) -> Claims:
    """A place for claims."""
    made = Claims(str(tmp_path / "claims"))
    made.create()
    made.create()
    return made


def test_a_claim_lasts_as_long_as_its_block(place: Claims, tmp_path: Path) -> None:
    """Others see it by its kind, and nothing is left of it."""
    with place.hold(SNAPSHOT) as fd, place.hold(RESTORE), place.hold(RESTORE):
        os.write(fd, b"particulars")
        living = place.living()
        assert [len(living[kind]) for kind in (SNAPSHOT, RESTORE)] == [1, 2]
        assert Path(living[SNAPSHOT][0]).read_bytes() == b"particulars"
    assert place.living() == {SNAPSHOT: [], RESTORE: [], CLIENT: []}
    assert os.listdir(tmp_path / "claims") == []


def test_a_claim_ends_with_a_failure_too(place: Claims, tmp_path: Path) -> None:
    """An exception leaves nothing behind."""
    with pytest.raises(ZeroDivisionError), place.hold(SNAPSHOT):
        raise ZeroDivisionError
    assert os.listdir(tmp_path / "claims") == []


def test_the_claim_of_a_dead_process_is_void(place: Claims, tmp_path: Path) -> None:
    """The next process that lists the claims removes it."""
    done = subprocess.run([sys.executable, "-c", DIE, tmp_path / "claims"])
    assert done.returncode == -9
    assert len(os.listdir(tmp_path / "claims")) == 1
    assert place.living()[SNAPSHOT] == []
    assert os.listdir(tmp_path / "claims") == []


def test_a_claim_can_be_made_void(place: Claims, tmp_path: Path) -> None:
    """Another process may end a claim; its owner ends it again without an error."""
    with place.hold(SNAPSHOT):
        void(*place.living()[SNAPSHOT])
        assert place.living()[SNAPSHOT] == []


def test_a_claim_that_ends_under_the_eyes_is_none(
    place: Claims, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If it ends between the listing and its check, it is not listed."""
    monkeypatch.setattr(os, "listdir", lambda _: ["snapshot-1-1"])
    assert place.living()[SNAPSHOT] == []
