"""Backups and restores of databases that are at work, with the real executables."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from scale import scaled
from waiting import wait_for

from csf_simulator.repository import repository
from csf_simulator.server.claims import CLIENT
from csf_simulator.simulator import Simulator
from csf_simulator.utilities import osbackup, osrestore
from csf_simulator.workload.running import Workload

Process = subprocess.Popen[bytes]
NAMES = ["Class1.db", "Class2.db", "Class3.db", "zoo.db", "zoo_schema.db"]
FIRST_BYTES = 100_000  # bytes of an image; it is longer, and a pipe holds less


class Site:
    """A simulator with a repository of three classes, and places for images and copies."""

    def __init__(self, directory: Path, sim: Simulator) -> None:
        self.sim = sim
        self.directory = directory
        self.databases = directory / "zoo"
        self.master = str(self.databases / "zoo.db")
        repository.create(sim.home.server, self.master, classes=3, size=200_000)
        self.copies = 0

    def image(self, name: str) -> str:
        """Return the path of an image."""
        return str(self.directory / name)

    def start_backup(self, image: str) -> Process:
        """Start a backup of all databases."""
        environment = self.sim.home.environment(os.environ)
        command = ["osbackup", "-a", "-f", image, str(self.databases)]
        return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)

    def restore(self, *images: str) -> str:
        """Restore images into one new directory; return the copy's master database."""
        self.copies += 1
        copy = self.directory / f"copy{self.copies}"
        copy.mkdir()
        for image in images:
            result = self.sim.run(["osrestore", "-a", "-f", image, str(self.databases), str(copy)])
            assert result.exit_code == 0, result.stderr
        return str(copy / "zoo.db")

    def claims(self) -> list[str]:
        """Return the claims, also void ones, except those of a workload's writers."""
        names = os.listdir(os.path.join(self.sim.home.path, "server", "claims"))
        return [name for name in names if not name.startswith(CLIENT)]

    def files(self) -> list[str]:
        """Return the names of all files beside the databases, and of these."""
        return sorted([*os.listdir(self.databases), *os.listdir(self.directory)])


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The site, whose home the utilities use that run in this process too."""
    with Simulator(str(tmp_path / "home")) as sim:
        monkeypatch.setenv("CSF_SIM_HOME", sim.home.path)
        yield Site(tmp_path, sim)


def await_transactions(workload: Workload, count: int) -> None:
    """Wait until a workload has done some more."""
    goal = workload.result().transactions + count
    wait_for(lambda: workload.result().transactions >= goal)


def test_backups_of_one_run_are_consistent(site: Site) -> None:
    """However busy the writers are, every copy is sound, and no money is lost."""
    images = [site.image(f"image{number}") for number in range(scaled(4))]
    with site.sim.workload(site.master, writers=4) as workload:
        for image in images:
            process = site.start_backup(image)
            assert process.communicate()[0].count(b"Archiving") == 5
            assert process.returncode == 0
            await_transactions(workload, 1)
    for image in images:
        assert site.sim.check(site.restore(image)) == []
    assert site.claims() == []


def test_backups_of_several_runs_are_not(site: Site) -> None:
    """A run for each database gives sound databases that do not match."""
    rounds = [[site.image(f"{name}{number}") for name in NAMES] for number in range(scaled(3))]
    with site.sim.workload(site.master, writers=4) as workload:
        for images in rounds:
            for name, image in zip(NAMES, images, strict=True):
                command = ["osbackup", "-a", "-f", image, str(site.databases / name)]
                assert site.sim.run(command).exit_code == 0
                await_transactions(workload, 10)
    for images in rounds:
        findings = site.sim.check(site.restore(*images))
        assert findings
        assert all("all accounts together hold" in finding.fault for finding in findings)


def test_two_backups_at_once_both_work(site: Site) -> None:
    """Each is of its own instant."""
    with site.sim.workload(site.master, writers=2) as workload:
        processes = [site.start_backup(site.image(name)) for name in ("one", "two")]
        assert [process.wait() for process in processes] == [0, 0]
        await_transactions(workload, 1)
    for process in processes:
        process.communicate()
    for name in ("one", "two"):
        assert site.sim.check(site.restore(site.image(name))) == []


def test_writers_do_not_wait_for_the_copy(site: Site) -> None:
    """A backup that waits for a full pipe does not delay transactions."""
    with site.sim.workload(site.master, writers=2) as workload:
        process = site.start_backup("-")
        assert process.stdout is not None
        begun = process.stdout.read(1)
        await_transactions(workload, 200)
        assert process.poll() is None
        Path(site.image("image")).write_bytes(begun + process.communicate()[0])
    assert process.returncode == 0
    assert site.sim.check(site.restore(site.image("image"))) == []


def test_a_killed_backup_holds_up_nobody(site: Site) -> None:
    """A killed backup leaves nothing beside the databases or in the home."""
    before = site.files()
    with site.sim.workload(site.master, writers=2) as workload:
        for number in range(scaled(10)):
            process = site.start_backup("-")
            assert process.stdout is not None
            process.stdout.read(1 + FIRST_BYTES * number // scaled(10))
            process.kill()
            process.communicate()
            await_transactions(workload, 3)  # the last of them began after the kill
            assert site.claims() == []
    assert site.files() == before
    assert site.sim.check(site.master) == []


def test_a_database_under_restore_is_not_backed_up(
    site: Site, capfd: pytest.CaptureFixture[str]
) -> None:
    """The image is not begun."""
    with site.sim.home.server.restoring([str(site.databases / "Class2.db")]):
        assert osbackup.run(["-a", "-f", site.image("image"), str(site.databases)]) == 1
    assert capfd.readouterr().err == (
        f"<err-0001-9904>{site.databases}/Class2.db is being restored "
        "(err_database_lock_conflict)\n"
    )
    assert not os.path.exists(site.image("image"))


def test_a_restore_waits_for_a_transaction_so_long(
    site: Site, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restore that waits too long for a transaction fails and changes nothing."""
    assert osbackup.run(["-a", "-f", site.image("image"), str(site.databases)]) == 0
    monkeypatch.setattr(osrestore, "LOCK_WAIT", 0.01)
    before = site.files()
    with site.sim.home.server.transaction():
        assert osrestore.run(["-a", "-f", site.image("image")]) == 1
    assert "(err_database_lock_conflict)" in capfd.readouterr().err
    assert site.files() == before
    assert osrestore.run(["-a", "-f", site.image("image")]) == 0


def test_a_restore_takes_the_databases_away_from_writers(site: Site) -> None:
    """No writer sees half a restore: before and after it, all money is there."""
    image = site.image("image")
    process = site.start_backup(image)
    process.communicate()
    content = Path(image).read_bytes()
    environment = site.sim.home.environment(os.environ)
    with site.sim.workload(site.master, writers=2) as workload:
        await_transactions(workload, 10)
        with subprocess.Popen(
            ["osrestore", "-a", "-f", "-"], env=environment, stdin=subprocess.PIPE
        ) as restore:
            assert restore.stdin is not None
            restore.stdin.write(content[:FIRST_BYTES])
            restore.stdin.flush()
            while workload.result().refused < 3:
                assert restore.poll() is None
            restore.stdin.write(content[FIRST_BYTES:])
            restore.stdin.close()
            assert restore.wait() == 0
        await_transactions(workload, 10)
        assert site.sim.check(site.master) == []
    assert site.claims() == []


def test_a_killed_restore_holds_up_nobody(site: Site) -> None:
    """The databases can be used again at once, and so they can be restored again."""
    image = site.image("image")
    site.start_backup(image).communicate()
    environment = site.sim.home.environment(os.environ)
    with ExitStack() as stack:
        restore = stack.enter_context(
            subprocess.Popen(["osrestore", "-a", "-f", "-"], env=environment, stdin=subprocess.PIPE)
        )
        assert restore.stdin is not None
        restore.stdin.write(Path(image).read_bytes()[:FIRST_BYTES])
        restore.stdin.flush()
        while not site.claims():
            assert restore.poll() is None
        restore.kill()
    assert site.sim.check(site.master) == []
    assert site.claims() == []
    assert osrestore.run(["-a", "-f", image]) == 0


def test_a_database_restored_under_a_backup_fails_it(site: Site) -> None:
    """The sectors to be saved are gone, so the backup reports a failure."""
    image = site.image("image")
    site.start_backup(image).communicate()
    process = site.start_backup("-")
    assert process.stdout is not None
    process.stdout.read(1)
    assert osrestore.run(["-a", "-f", image]) == 0
    process.communicate()
    assert process.returncode == 1


def test_utilities_need_a_home_that_exists(
    site: Site, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a home, the utilities fail for want of a Server."""
    monkeypatch.setenv("CSF_SIM_HOME", site.image("nowhere"))
    assert osbackup.run(["-a", "-f", site.image("image"), site.master]) == 1
    assert capfd.readouterr().err == (
        f"<err-0001-9905>{site.directory}/nowhere is not a simulator's home; make one with csf-sim "
        "(err_broken_server_connection)\n"
    )
