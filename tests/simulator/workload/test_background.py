"""The workload in the background."""

from __future__ import annotations

import os
import signal
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from waiting import wait_for

from csf_simulator.repository import repository
from csf_simulator.repository.check import check
from csf_simulator.repository.names import RepositoryError
from csf_simulator.server.server import Server
from csf_simulator.workload import background
from csf_simulator.workload.background import start_workload
from csf_simulator.workload.running import Result, Workload, WorkloadError
from csf_simulator.workload.transfer import totals


class Site:
    """A home with a repository of two classes."""

    def __init__(self, directory: Path) -> None:
        self.server = Server(str(directory / "server"))
        self.server.create()
        self.master = repository.create(self.server, str(directory / "zoo/zoo.db"), classes=2)

    def start(self, writers: int = 2) -> AbstractContextManager[Workload]:
        """Start a workload."""
        return start_workload(self.server, self.master, writers=writers)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """The site."""
    return Site(tmp_path)


def await_transactions(workload: Workload, count: int) -> None:
    """Wait until a workload has done some more."""
    goal = workload.result().transactions + count
    wait_for(lambda: workload.result().transactions >= goal)


def test_it_runs_as_long_as_the_block(site: Site) -> None:
    """A workload reports its result while it runs and afterwards."""
    with site.start() as workload:
        assert [writer.poll() for writer in workload.writers] == [None, None]
        await_transactions(workload, 20)
        so_far = workload.result()
    final = workload.result()
    assert final.transactions >= so_far.transactions >= 20
    assert final == workload.result()
    assert final.rate == final.transactions / final.seconds > 0
    assert [writer.returncode for writer in workload.writers] == [0, 0]
    assert check(site.server, site.master) == []


def test_what_writers_do_before_all_are_there_does_not_count(site: Site) -> None:
    """The rate is that of all of them."""
    with site.start() as workload:
        started = workload._before.started
    assert started == 2


def test_a_failing_block_ends_it_too(site: Site) -> None:
    """No writer outlives a block that fails, and the block's error is the one raised."""
    with pytest.raises(ZeroDivisionError), site.start() as workload:
        await_transactions(workload, 1)
        raise ZeroDivisionError
    assert [writer.returncode for writer in workload.writers] == [0, 0]
    assert workload.result().transactions >= 1


def test_classes_created_meanwhile_join_in(site: Site) -> None:
    """New classes take part, and the repository is sound between any two transactions."""
    with site.start() as workload:
        for number in range(3):
            path = repository.create_class(site.server, site.master, f"New{number}", durable=False)
            before = Path(path).read_bytes()
            while Path(path).read_bytes() == before:
                assert check(site.server, site.master) == []
        await_transactions(workload, 5)
    assert totals(site.server, site.master) == (5 * 16000, 5 * 16000)


def test_a_writer_that_is_killed_is_no_failure(site: Site) -> None:
    """A test may kill a writer; the others go on."""
    with site.start(3) as workload:
        workload.writers[0].kill()
        workload.writers[0].wait()
        await_transactions(workload, 10)
    assert [writer.returncode for writer in workload.writers] == [-signal.SIGKILL, 0, 0]
    assert check(site.server, site.master) == []


def test_a_writer_that_fails_is_one(site: Site, capfd: pytest.CaptureFixture[str]) -> None:
    """A failing writer is an error at the end of the block."""
    damaged = os.path.join(os.path.dirname(site.master), "Class1.db")
    with pytest.raises(WorkloadError, match="said why on standard error"), site.start() as workload:
        with site.server.between_transactions():
            os.truncate(damaged, 0)
        for writer in workload.writers:
            writer.wait(60)
    assert "NotADatabase" in capfd.readouterr().err


def test_a_writer_that_cannot_start_is_one_at_once(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The block is not even begun."""
    monkeypatch.setattr(background, "command", lambda *_, **__: ["false"])
    with pytest.raises(WorkloadError, match="ended at once"), site.start():
        pytest.fail("nobody is at work")


def test_a_writer_that_does_not_end_is_killed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of the block waits for a writer only for a limited time."""
    with site.start(1) as workload:
        workload.writers[0].send_signal(signal.SIGSTOP)
        monkeypatch.setattr(background, "_PATIENCE", 0.01)
    assert workload.writers[0].returncode == -signal.SIGKILL
    assert check(site.server, site.master) == []


def test_a_restore_is_waited_out(site: Site) -> None:
    """Transactions are refused meanwhile, and go on afterwards."""
    with site.start() as workload:
        with site.server.restoring([site.master]):
            before = workload.result().refused
            wait_for(lambda: workload.result().refused >= before + 3)
        await_transactions(workload, 3)
    assert workload.result().refused >= 3


@pytest.mark.parametrize("name", ["zoo_schema.db", "none.db"])
def test_only_a_repository_can_be_worked_on(site: Site, name: str) -> None:
    """A name that is no repository is an error before any writer starts."""
    path = os.path.join(os.path.dirname(site.master), name)
    with pytest.raises(RepositoryError, match=name), start_workload(site.server, path):
        pytest.fail("there is nothing to do")


def test_a_repository_without_classes_has_no_money(site: Site, tmp_path: Path) -> None:
    """There is no money to move."""
    path = repository.create(site.server, str(tmp_path / "empty" / "empty.db"))
    with pytest.raises(RepositoryError, match="no class"), start_workload(site.server, path):
        pytest.fail("there is nothing to do")


def test_a_relative_name_will_do(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative name is relative to the working directory of the caller."""
    monkeypatch.chdir(os.path.dirname(site.master))
    with start_workload(site.server, "zoo.db", writers=1) as workload:
        await_transactions(workload, 1)


def test_the_rate_is_per_second() -> None:
    """The rate counts the time in which all writers were at work."""
    assert Result(transactions=50, refused=0, seconds=20.0).rate == 2.5


def test_variables_of_real_programs_do_not_reach_it(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Writers do not get the variables that name real programs."""
    monkeypatch.setenv("CSF_BACKUP_OSBACKUP", "real")
    monkeypatch.setenv("OS_ROOTDIR", "real")
    with site.start() as workload:
        for writer in workload.writers:
            with open(f"/proc/{writer.pid}/environ", "rb") as file:
                variables = file.read().split(b"\0")
            assert any(variable.startswith(b"PATH=") for variable in variables)
            assert [variable for variable in variables if variable.endswith(b"=real")] == []


def test_ctrl_c_is_for_whoever_started_it(site: Site) -> None:
    """Writers are in sessions of their own."""
    with site.start() as workload:
        sessions = {os.getsid(writer.pid) for writer in workload.writers}
    assert sessions == {writer.pid for writer in workload.writers}
