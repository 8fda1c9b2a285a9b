"""A backup of another host whose connection is cut, or whose csf is killed."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

import pytest
from conftest import served
from scale import scaled

from csf_simulator.simulator import Simulator
from sites import Site

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sshd import Sshd

pytestmark = pytest.mark.remote

SLOW = """#!/bin/sh
echo started >> {starts}
sleep {seconds}
exec {real} "$@"
"""


@pytest.fixture
def served_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Site, Sshd]]:
    """Return a simulated site on a host that is reached by ssh, and its sshd."""
    with Simulator(str(tmp_path / "home")) as sim, served(tmp_path, sim) as server:
        monkeypatch.setenv("CSF_BACKUP_SSH", server.command)
        yield Site(sim, tmp_path, "remote"), server


def slow(site: Site, seconds: float) -> tuple[dict[str, str], Path]:
    """Return the environment of a slow osbackup, and the file in which it notes each start."""
    starts = site.images.parent / "starts"
    program = site.images.parent / "slow-osbackup"
    real = os.path.join(site.sim.home.bin, "osbackup")
    program.write_text(SLOW.format(starts=starts, seconds=seconds, real=real))
    program.chmod(0o755)
    return {**site.sim.home.environment(os.environ), "CSF_BACKUP_OSBACKUP": str(program)}, starts


def test_a_cut_backup_ends_as_if_it_had_not_been_cut(served_site: tuple[Site, Sshd]) -> None:
    """Wherever it is cut while osbackup runs, osbackup is started once, and the image is proven."""
    site, server = served_site
    environment, starts = slow(site, 0.5)
    points = scaled(4)
    for point in range(points):
        site.image = str(site.images / f"{point}.img")
        process = subprocess.Popen(
            site.command(), env=environment, stderr=subprocess.PIPE, text=True
        )
        while not (starts.exists() and starts.read_text().count("started") > point):
            time.sleep(0.005)
        time.sleep(0.6 * point / points)
        server.cut()
        _, err = process.communicate()
        assert process.returncode == 0, err
        assert os.path.exists(f"{site.image}.receipt.json")
        assert not os.path.exists(f"{site.image}.run")
    assert starts.read_text().count("started") == points


def test_a_killed_client_leaves_a_run_that_ends_well(served_site: tuple[Site, Sshd]) -> None:
    """If csf is killed, osbackup continues, and its end is recorded; there is no receipt yet."""
    site, _ = served_site
    environment, starts = slow(site, 0.3)
    process = subprocess.Popen(site.command(), env=environment, stderr=subprocess.DEVNULL)
    while not starts.exists():
        time.sleep(0.005)
    process.kill()
    process.wait()
    status = f"{site.image}.run/status"
    while _read(status) in ("", "running"):
        time.sleep(0.02)
    assert _read(status) == "0"
    assert os.path.getsize(site.image)
    assert not os.path.exists(f"{site.image}.receipt.json")
    created = site.sim.csf("class_create", "-database", site.master, "-class", "Book")
    assert created.exit_code == 0


def test_three_hosts_are_backed_up_from_a_fourth(tmp_path: Path) -> None:
    """One machine can back up three hosts at once, each with its own ssh command."""
    for number in range(3):
        root = tmp_path / str(number)
        root.mkdir()
        with Simulator(str(root / "home")) as sim, served(root, sim) as server:
            site = Site(sim, root, "remote")
            assert site.backup(CSF_BACKUP_SSH=server.command).exit_code == 0
            assert server.logins() == 1
            assert site.sim.check(site.restored(root / "scratch")) == []


def _read(path: str) -> str:
    try:
        with open(path) as file:
            return file.read().strip()
    except FileNotFoundError:
        return ""
