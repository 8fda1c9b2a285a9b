"""What several kinds of tests share: hypothesis profiles, a repository, utilities made of tar."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import hypothesis
import pytest
import schemas
from cards import is_of_a_card
from sshd import Sshd
from ways import is_meant

from csf_backup_plugin.attempts import recording
from csf_backup_plugin.cli import report
from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.notices import program
from csf_simulator import simulator as simulator_module
from csf_simulator.simulator import Simulator
from csf_simulator.system import processes
from sites import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence
    from pathlib import Path

# A fsync on a busy machine takes longer than hypothesis allows an example; CI repeats itself.
hypothesis.settings.register_profile("default", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "default")

# Under nohup, or in the background of a script, signals are ignored, and so they would be by every
# program the tests start; many tests are about signals.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)

# Variables that would name other utilities than those of a test.
UTILITIES = (
    *("CSF_BACKUP_OSBACKUP", "CSF_BACKUP_OSRESTORE", "CSF_BACKUP_OSVERIFYDB"),
    *("CSF_BACKUP_OSSVRSTAT", "CSF_BACKUP_QUIESCE", "CSF_BACKUP_QUIESCE_TIMEOUT"),
)

# Nothing of the simulator: osbackup and osrestore as their documents describe them, made of tar.
OSBACKUP = """#!/bin/sh
printf '%s\\n' "$@" >> "$0.arguments"
cat > "$0.stdin"
exec tar -cP --verbatim-files-from -f "$5" -T "$3"
"""
OSRESTORE = """#!/bin/sh
[ "$1" != -t ] || exec tar -tP --quoting-style=literal -f "$3"
printf '%s\\n' "$@" > "$0.arguments"
exec tar -xP -f "$2" ${3:+--transform "s,^$3/,$4/,"}
"""


@pytest.fixture(scope="session", autouse=True)
def _state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the records of commands in this process out of the user's home directory."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CSF_BACKUP_STATE_DIR", str(tmp_path_factory.mktemp("state")))
        yield


#: What makes each document of the plugin, and where it is called from.
MAKERS = (
    (sealed_json, "encode"),
    (recording, "encode"),
    (report, "encoded"),
    (program, "document"),
)


def _checking(make: Callable[..., str | bytes]) -> Callable[..., str | bytes]:
    """Return a context in which the plugin's documents are compared with their schemas."""

    def made(*arguments: object, **options: object) -> str | bytes:
        document = make(*arguments, **options)
        frame = sys._getframe(1)
        while frame.f_back and frame.f_globals["__name__"].startswith("csf_backup_plugin.image."):
            frame = frame.f_back  # the function that makes the facts
        # Documents that tests themselves make may be unsound.
        if frame.f_globals["__name__"].startswith("csf_backup_plugin."):
            schemas.check(document)
        return document

    return made


@pytest.fixture(scope="session", autouse=True)
def _documents_are_checked() -> Iterator[None]:
    """Compare each document that the plugin makes in this process, or prints to a test."""
    run_to_end = processes.run_to_end

    def run(*arguments: Any, **options: Any) -> Any:
        result = run_to_end(*arguments, **options)
        if result.stdout.startswith('{"schema": "csf-backup/'):
            schemas.check(result.stdout)
        return result

    with pytest.MonkeyPatch.context() as patch:
        for module, name in MAKERS:
            patch.setattr(module, name, _checking(getattr(module, name)))
        patch.setattr(simulator_module, "run_to_end", run)
        yield


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Measure the coverage of programs that a test starts only if it is marked, as that is slow."""
    with pytest.MonkeyPatch.context() as patch:
        if not item.get_closest_marker("measured"):
            patch.delenv("COVERAGE_PROCESS_CONFIG", raising=False)
        return (yield)


class Tools:
    """An osbackup and an osrestore in a separate directory, which a test may replace.

    Args:
        directory: where they are; it is to come first on PATH.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        directory.mkdir()
        self.write("osbackup", OSBACKUP)
        self.write("osrestore", OSRESTORE)

    def write(self, name: str, script: str) -> None:
        """Replace a utility by a script; without a #! line it is one for sh."""
        path = self.directory / name
        path.write_text(script if script.startswith("#!") else f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    @property
    def calls(self) -> list[list[str]]:
        """The arguments of every osbackup call so far."""
        path = self.directory / "osbackup.arguments"
        words = path.read_text().splitlines() if path.exists() else []
        return [words[at : at + 5] for at in range(0, len(words), 5)]


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tools:
    """Return utilities made of tar, first on PATH."""
    made = Tools(tmp_path / "bin")
    monkeypatch.setenv("PATH", str(made.directory), prepend=os.pathsep)
    for name in ("OS_ROOTDIR", *UTILITIES):
        monkeypatch.delenv(name, raising=False)
    return made


class Place:
    """A repository of a master and a class's database, and a directory for images.

    Args:
        root: where both are made.
    """

    def __init__(self, root: Path) -> None:
        self.repository = root / "repository"
        self.images = root / "images"
        self.repository.mkdir()
        self.images.mkdir()
        self.master = str(self.repository / "lib.db")
        self.image = str(self.images / "a.img")
        for name in ("lib.db", "Book.db"):
            (self.repository / name).write_bytes(name.encode() * 100)

    def tree(self) -> dict[str, bytes]:
        """Return every file of both directories but recovery cards, with its contents."""
        found = (*self.repository.rglob("*"), *self.images.rglob("*"))
        files = [path for path in found if path.is_file() and not is_of_a_card(str(path))]
        return {str(path): path.read_bytes() for path in files}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """Return a repository that can be backed up."""
    return Place(tmp_path)


@pytest.fixture(scope="session")
def namespace() -> list[str]:
    """Return a command prefix that runs a shell script in its own mount namespace."""
    prefix = ["unshare", "-rm", "sh", "-euc"]
    try:
        subprocess.run([*prefix, "mount -t tmpfs none /mnt"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        needed = f"mount namespaces are needed: {error}"
        pytest.fail(needed) if os.environ.get("CI") else pytest.skip(needed)
    return prefix


WAYS = {"local": "local", "ssh": pytest.param("ssh", marks=pytest.mark.remote)}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test of a site here and over ssh, or as its nearest `ways` marker says."""
    if "site" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("ways")
        ways = marker.args if marker else ("local", "ssh")
        metafunc.parametrize("site", [WAYS[way] for way in ways], indirect=True)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect the ways that a test's parameters do not take."""
    config.hook.pytest_deselected(items=[item for item in items if not is_meant(item)])
    items[:] = filter(is_meant, items)


@pytest.fixture
def site(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Site]:
    """Return a simulated site, on this machine and on one that ssh reaches."""
    for name in (*UTILITIES, "CSF_BACKUP_LOCK_WAIT"):
        monkeypatch.delenv(name, raising=False)
    with Simulator(str(tmp_path / "home")) as sim:
        if request.param == "local":
            yield Site(sim, tmp_path)
            return
        with served(tmp_path, sim) as server:
            monkeypatch.setenv("CSF_BACKUP_SSH", server.command)
            yield Site(sim, tmp_path, "remote")


@pytest.fixture
def local_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Return a simulated site on this machine, for tests that change csf's own process."""
    for name in (*UTILITIES, "CSF_BACKUP_LOCK_WAIT"):
        monkeypatch.delenv(name, raising=False)
    with Simulator(str(tmp_path / "home")) as sim:
        yield Site(sim, tmp_path)


@contextlib.contextmanager
def served(
    directory: Path,
    sim: Simulator,
    settings: str = "",
    below: Sequence[str] = (),
    **variables: str,
) -> Iterator[Sshd]:
    """Let ssh reach a simulator's machine while the block runs; see `Sshd`."""
    environment = {"HOME": str(directory), **variables}
    for name in ("PATH", "CSF_SIM_HOME"):
        environment[name] = sim.home.environment(os.environ)[name]
    (directory / "sshd").mkdir()
    server = Sshd(directory / "sshd", environment, settings, below)
    server.start()
    sim.home.variables["CSF_BACKUP_SSH"] = server.command
    try:
        yield server
    finally:
        server.stop()
