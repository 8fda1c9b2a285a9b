"""The home directory of a simulator, its executables, and the environment they are found in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from csf_simulator.home import EXECUTABLES, Home, HomeError, require_home

FOREIGN = [
    "OS_ROOTDIR",
    "CSF_BACKUP_OSBACKUP",
    "CSF_BACKUP_OSRESTORE",
    "CSF_BACKUP_OSVERIFYDB",
    "CSF_BACKUP_LOCK_WAIT",
    "CSF_BACKUP_SSH",
    "CSF_BACKUP_LOG",
    "CSF_BACKUP_OF_TOMORROW",
]
ODD_NAMES = ["plain", "a b", "it's", 'say "x"', "$(touch x); `y`", "a\nb", "-dash", "\udcff"]


def listed(directory: str) -> dict[str, tuple[int, float]]:
    """Return inode and time of each file."""
    with os.scandir(directory) as files:
        return {file.name: (file.stat().st_ino, file.stat().st_mtime) for file in files}


@pytest.mark.parametrize("name", ODD_NAMES)
def test_executables_are_found_and_run(tmp_path: os.PathLike[str], name: str) -> None:
    """Whatever the home's name, its csf runs by its bare name and finds the home."""
    home = Home(os.path.join(tmp_path, name))
    home.create()
    done = subprocess.run(["csf", "-help"], env=home.environment(os.environ), capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"class_create" in done.stdout


@pytest.mark.parametrize("name", sorted(EXECUTABLES))
def test_every_executable_runs_the_python_that_made_it(
    tmp_path: os.PathLike[str], name: str
) -> None:
    """Each is a script for sh that starts this very Python, isolated."""
    home = Home(os.fspath(tmp_path))
    home.create()
    path = os.path.join(home.bin, name)
    assert os.access(path, os.X_OK)
    with open(path) as file:
        assert file.readline() == "#!/bin/sh\n"
        assert file.readline().startswith(f"exec {sys.executable} -I -c ")
    outside = {key: value for key, value in os.environ.items() if key != "CSF_SIM_HOME"}
    done = subprocess.run([path, "-nonsense"], env=outside, capture_output=True, text=True)
    assert done.returncode == 1
    assert "CSF_SIM_HOME is not set" in done.stderr


def test_creating_it_again_changes_nothing(tmp_path: os.PathLike[str]) -> None:
    """A home that is complete is left alone, a pending redo log included."""
    home = Home(os.fspath(tmp_path))
    home.create()
    with open(os.path.join(tmp_path, "server", "redo.log"), "w") as file:
        file.write("pending")
    before = listed(home.bin), listed(os.path.join(tmp_path, "server"))
    home.create()
    assert (listed(home.bin), listed(os.path.join(tmp_path, "server"))) == before


def test_executables_follow_the_python(
    tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """When another Python runs csf-sim, the executables run that one from then on."""
    home = Home(os.fspath(tmp_path))
    home.create()
    monkeypatch.setattr(sys, "executable", "/opt/other python/bin/python3")
    home.create()
    with open(os.path.join(home.bin, "csf")) as file:
        assert "exec '/opt/other python/bin/python3' -I" in file.read()


def test_several_processes_may_create_it_at_once(tmp_path: os.PathLike[str]) -> None:
    """All processes succeed, no temporary file is left, and all executables are there."""
    path = os.path.join(tmp_path, "home")
    code = "import sys; from csf_simulator.home import Home; Home(sys.argv[1]).create()"
    creators = [subprocess.Popen([sys.executable, "-c", code, path]) for _ in range(6)]
    assert [creator.wait(60) for creator in creators] == [0] * 6
    assert sorted(os.listdir(os.path.join(path, "bin"))) == sorted(EXECUTABLES)
    assert sorted(os.listdir(os.path.join(path, "server"))) == ["claims", "lock", "redo.log"]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_executables_are_executable_under_any_umask(tmp_path: os.PathLike[str], umask: int) -> None:
    """The umask decides who may run them besides their owner."""
    before = os.umask(umask)
    try:
        home = Home(os.fspath(tmp_path))
        home.create()
    finally:
        os.umask(before)
    assert os.stat(os.path.join(home.bin, "csf")).st_mode & 0o777 == 0o777 & ~umask


def own(home: Home) -> dict[str, str]:
    """Return the variables that name a home and what its commands record."""
    return {"CSF_SIM_HOME": home.path, "CSF_BACKUP_STATE_DIR": os.path.join(home.path, "state")}


def test_the_environment_puts_the_simulator_first(tmp_path: os.PathLike[str]) -> None:
    """The PATH has the home's folder first, and once, and names no real ObjectStore."""
    home = Home(os.fspath(tmp_path))
    base = {"PATH": "/usr/bin:/bin", "OS_ROOTDIR": "/opt/ostore", "LANG": "C"}
    expected = {"PATH": f"{home.bin}:/usr/bin:/bin", **own(home), "LANG": "C"}
    assert home.environment(base) == expected
    assert home.environment(home.environment(base)) == expected
    assert base["OS_ROOTDIR"] == "/opt/ostore"


@pytest.mark.parametrize("name", FOREIGN)
def test_what_names_real_programs_is_left_out(tmp_path: os.PathLike[str], name: str) -> None:
    """A variable of csf-backup-plugin or ObjectStore takes effect only where a test set it."""
    home = Home(os.fspath(tmp_path))
    base = {"PATH": "/bin", "CSF_BACKUP": "1", "OS_ROOTDIR2": "2", name: "real"}
    expected = {"PATH": f"{home.bin}:/bin", "CSF_BACKUP": "1", "OS_ROOTDIR2": "2"}
    assert home.environment(base) == {**expected, **own(home)}
    home.variables[name] = "meant"
    assert home.environment(base)[name] == "meant"
    assert base[name] == "real"


def test_without_a_path_the_usual_places_follow(tmp_path: os.PathLike[str]) -> None:
    """An environment without PATH still finds sh."""
    home = Home(os.fspath(tmp_path))
    assert home.environment({})["PATH"] == f"{home.bin}:{os.defpath}"


def test_a_relative_home_is_made_absolute(
    tmp_path: os.PathLike[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A command that changes its directory stays in the same home."""
    monkeypatch.chdir(tmp_path)
    assert Home("home").path == os.path.join(tmp_path, "home")


def test_a_colon_is_refused(tmp_path: os.PathLike[str]) -> None:
    """No PATH can name a directory with a colon."""
    with pytest.raises(HomeError, match="a:b holds a colon"):
        Home(os.path.join(tmp_path, "a:b"))


def test_home_is_the_variable_s(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A relative home is one of the current directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CSF_SIM_HOME", "home")
    assert require_home() == str(tmp_path / "home")
    assert not (tmp_path / "home").exists()
