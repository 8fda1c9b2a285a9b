"""Proving as a user does it: the image of a csf that was killed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from conftest import served

from csf_simulator.simulator import Simulator
from sites import Site

PROVE = "admin_database_prove"


@pytest.fixture
def orphan(site: Site) -> Path:
    """Return the record of osbackup's run beside an image whose csf was killed before the proof."""
    assert site.backup().exit_code == 0
    os.unlink(f"{site.image}.receipt.json")
    record = Path(f"{site.image}.run")
    record.mkdir()
    (record / "pid").write_text("4711\n")
    (record / "output").write_text("Closing volume #1.\n")
    (record / "started").write_text("2026-11-23T02:10:00Z\n")
    (record / "status").write_text("0\n")
    return record


def test_an_image_whose_csf_was_killed_gets_its_receipt(site: Site, orphan: Path) -> None:
    """From then on it is a backup like any other, and can be drilled."""
    result = site.on_image(PROVE)
    assert result.exit_code == 0, result.stderr
    assert "Proved " in result.stderr
    assert "backup begun 2026-11-23T02:10:00+00:00" in result.stderr
    assert not orphan.exists()
    facts = json.loads(Path(f"{site.image}.receipt.json").read_bytes())
    assert facts["proven_by"] == PROVE
    assert set(facts["databases"].values()) == {None}
    again = site.on_image("admin_database_verify")
    assert (again.exit_code, "Verified " in again.stderr) == (0, True), again.stderr
    scratch = orphan.parent
    assert site.on_image("admin_database_drill", "-scratch-dir", str(scratch)).exit_code == 0


@pytest.mark.remote
def test_a_killed_client_costs_no_backup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """osbackup goes on to its end on the other host, and prove finds how it ended."""
    with Simulator(str(tmp_path / "home")) as sim, served(tmp_path, sim) as server:
        monkeypatch.setenv("CSF_BACKUP_SSH", server.command)
        site = Site(sim, tmp_path, "remote")
        sim.fault("osbackup", "slow", "10k/s")
        process = subprocess.Popen(
            site.command(), env=sim.home.environment(os.environ), stderr=subprocess.DEVNULL
        )
        while not os.path.exists(site.image):
            time.sleep(0.02)
        process.kill()
        process.wait()
        status = Path(f"{site.image}.run/status")
        while not (status.exists() and status.read_text().strip().isdecimal()):
            time.sleep(0.02)
        result = site.on_image(PROVE)
        assert result.exit_code == 0, result.stderr
        assert "Proved " in result.stderr
        assert {path.name for path in site.images.iterdir()} == {
            *("a.img", "a.img.dbn", "a.img.receipt.json")
        }
        assert site.sim.check(site.restored(tmp_path / "copy")) == []


def test_without_a_recorded_start_the_import_files_age_tells_when_the_backup_began(
    site: Site, orphan: Path
) -> None:
    """It is made right before osbackup is run."""
    (orphan / "started").unlink()
    os.utime(f"{site.image}.dbn", (1_700_000_000, 1_700_000_000))
    result = site.on_image(PROVE, "-json")
    assert json.loads(result.stdout)["started"] == "2023-11-14T22:13:20+00:00"


@pytest.mark.ways("local")
@pytest.mark.parametrize(
    ("status", "problem"),
    [
        ("1\n", "osbackup failed: exit 1, and it said:\n    Closing volume #1."),
        ("running\n", "did not live to record its end"),
        ("", "did not live to record its end"),
        (None, "did not live to record its end"),
    ],
)
def test_an_osbackup_that_is_not_known_to_have_succeeded_proves_nothing(
    site: Site, orphan: Path, status: str | None, problem: str
) -> None:
    """However sound the image looks; nothing is changed."""
    (orphan / "status").unlink()
    if status is not None:
        (orphan / "status").write_text(status)
    before = site.listing()
    result = site.on_image(PROVE)
    assert result.exit_code == 41
    assert problem in result.stderr
    assert f"osrestore -t -f {site.image} shows what is in it" in result.stderr
    assert site.listing() == before


def test_nothing_is_proven_while_the_repository_is_locked(site: Site, orphan: Path) -> None:
    """The osbackup that writes the image may still be at work; it holds the lock."""
    lock = f"{site.master}.lock"
    with subprocess.Popen(["flock", lock, "sh", "-c", "echo; cat"], stdin=-1, stdout=-1) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        before = site.listing()
        assert site.on_image(PROVE, CSF_BACKUP_LOCK_WAIT="0").exit_code == 20
        assert site.listing() == before
        holder.communicate()
    assert site.on_image(PROVE).exit_code == 0


@pytest.mark.ways("local")
def test_a_lost_repository_keeps_no_image_from_being_proven(site: Site, orphan: Path) -> None:
    """Then nobody can hold its lock."""
    shutil.rmtree(site.repository)
    assert site.on_image(PROVE).exit_code == 0
    assert not orphan.exists()
