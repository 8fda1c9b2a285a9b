"""The simulated osverifydb."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from csf_simulator.home import Home
from csf_simulator.repository import repository
from csf_simulator.utilities import osverifydb

Capture = pytest.CaptureFixture[str]


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A simulator's home."""
    home = Home(str(tmp_path / "home"))
    home.create()
    monkeypatch.setenv("CSF_SIM_HOME", home.path)
    return home


@pytest.fixture
def zoo(home: Home, tmp_path: Path) -> Path:
    """The directory of a repository."""
    repository.create(home.server, str(tmp_path / "zoo" / "zoo.db"), classes=2)
    return tmp_path / "zoo"


def flip(path: Path, offset: int) -> None:
    """Flip a bit in a file."""
    content = bytearray(path.read_bytes())
    content[offset] ^= 1
    path.write_bytes(content)


def test_a_sound_database_is_only_named(zoo: Path, capfd: Capture) -> None:
    """The line is as documented, with the name as it was given."""
    for name in (str(zoo / "zoo.db"), f"localhost:{zoo}/Class1.db"):
        assert osverifydb.run([name]) == 0
        assert capfd.readouterr() == (f"Verifying database {name}\n", "")


def test_each_fault_has_a_block(zoo: Path, capfd: Capture) -> None:
    """A fault is a failure, which is reported like others."""
    path = zoo / "Class1.db"
    flip(path, 3 * 512 + 99)
    flip(path, 5 * 512 + 99)
    assert osverifydb.run([str(path)]) == 1
    out, err = capfd.readouterr()
    assert out == (
        f"Verifying database {path}\n"
        f"\nFault #1 in database {path}:\n    sector 3 fails its checksum\n"
        f"\nFault #2 in database {path}:\n    sector 5 fails its checksum\n"
    )
    assert err == f"<err-0001-9902>{path}: faults were found (err_inconsistent_db)\n"


def test_a_reference_that_leads_nowhere_is_a_fault(zoo: Path, capfd: Capture) -> None:
    """The databases it refers to must be there, whether they are sound or not."""
    flip(zoo / "Class2.db", 999)
    assert osverifydb.run([str(zoo / "zoo.db")]) == 0
    (zoo / "Class2.db").unlink()
    assert osverifydb.run([str(zoo / "zoo.db")]) == 1
    fault = "Pointer to deleted storage: sector 3 refers to Class2.db, which cannot be opened"
    assert f"\n    {fault}: " in capfd.readouterr().out


@pytest.mark.parametrize("arguments", [[], ["a", "b"], ["-x", "a"]])
def test_one_database_is_verified_at_a_time(
    home: Home, capfd: Capture, arguments: list[str]
) -> None:
    """Anything else is misuse."""
    assert osverifydb.run(arguments) == 1
    out, err = capfd.readouterr()
    assert out == ""
    assert err.endswith("usage: osverifydb pathname\n")


def test_what_is_not_there_is_not_verified(zoo: Path, capfd: Capture) -> None:
    """A missing file is no fault of a database."""
    assert osverifydb.run([str(zoo / "none.db")]) == 1
    assert "No such file or directory (err_database_not_found)" in capfd.readouterr().err


def test_a_database_under_restore_is_not_verified(home: Home, zoo: Path, capfd: Capture) -> None:
    """A database that is being restored is in use, and not verified."""
    with home.server.restoring([str(zoo / "zoo.db")]):
        assert osverifydb.run([str(zoo / "zoo.db")]) == 1
    assert "is being restored (err_database_lock_conflict)" in capfd.readouterr().err


@pytest.mark.measured
def test_it_is_among_the_executables(home: Home, zoo: Path) -> None:
    """osverifydb exists in the home's own folder, and nowhere else."""
    command = [os.path.join(home.bin, "osverifydb"), str(zoo / "zoo.db")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"Verifying database {zoo / 'zoo.db'}\n"
