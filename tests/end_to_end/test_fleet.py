"""A fleet is run from one place: whatever happens to the driver, every repository gets its set."""

from __future__ import annotations

import os
import signal
from collections import Counter
from pathlib import Path

import pytest
from benchmarks.fleet_night import rows
from fleet_site import FULL, FleetSite, scenario
from waiting import wait_for

from csf_backup_plugin.exit_codes import ExitCode


@pytest.mark.remote
def test_a_night_of_a_fleet(tmp_path: Path) -> None:
    """The driver is killed, a host is gone, a disk is full, and the executor repeats a task.

    Every repository that can be backed up is backed up exactly once.
    """
    site = FleetSite(tmp_path, 20, hosts=3, full=(4,))
    night = scenario(site, 2, 2, "-only", "lib-0", "-only", "lib-1")
    codes = {one["name"]: one["exit_code"] for one in night.second.document["jobs"]}
    assert night.second.status == ExitCode.FLEET, night.second.said
    away = {f"lib-{number}" for number in range(2, 20, 3)}
    for name, code in codes.items():
        expected = ExitCode.HOST_UNREACHABLE if name in away else ExitCode.DONE
        assert code == (ExitCode.OSBACKUP_FAILED if FULL in name else expected), name
    good = {name for name, code in codes.items() if not code}
    assert site.proven() == {name: int(name in good) for name in codes}
    assert Counter(site.starts()) == dict.fromkeys(good, 1)
    assert site.twice() == []
    assert (night.third.status, night.third.document["done"]) == (0, 2)
    assert (night.made_by_third(), site.dropped()) == (0, 0)
    table = [*rows(site, night)]
    assert "| repositories with one proven set | 13 |" in table
    assert "| osbackups beside another one of the same repository | 0 |" in table


def alive(site: FleetSite) -> list[str]:
    """Return the processes whose environment or command line has the site's directory."""
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as file:
                words = file.read()
        except OSError:
            continue
        if os.fsencode(str(site.root)) in words:
            found.append(os.fsdecode(words))
    return found


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_stops_every_job_and_is_waited_for(tmp_path: Path, signum: signal.Signals) -> None:
    """Each job cleans up as after a SIGTERM of its own, and no more jobs are started."""
    site = FleetSite(tmp_path, 3)
    with site.held():
        driving = site.start("-jobs", "1", "rotate")
        wait_for(lambda: len(site.starts()) == 1 or driving.has_ended())
        driving.kill(signum)
        ended = driving.end()
    assert ended.status == 128 + signum, ended.said
    assert [one["exit_code"] for one in ended.document["jobs"]] == [143, None, None]
    assert signum.name in ended.document["error"]
    assert len(site.starts()) == 1
    assert site.proven() == {"lib-0": 0, "lib-1": 0, "lib-2": 0}
    wait_for(lambda: not alive(site))
    assert [path for top in site.images.values() for path in top.rglob("*.img*")] == []


def test_a_backup_goes_on_when_the_driver_is_killed(tmp_path: Path) -> None:
    """The backup is proven; the next driver reports that set, and makes no other."""
    site = FleetSite(tmp_path, 2)
    with site.held():
        driving = site.start("-jobs", "1", "rotate")
        wait_for(lambda: len(site.starts()) == 1 or driving.has_ended())
        driving.kill()
        assert driving.end().status == -signal.SIGKILL
        again = site.start("-jobs", "1", "rotate")
    ended = again.end()
    assert ended.status == 0, ended.said
    assert sorted(one["outcome"]["made_now"] for one in ended.document["jobs"]) == [False, True]
    assert site.proven() == {"lib-0": 1, "lib-1": 1}
    assert sorted(site.starts()) == ["lib-0", "lib-1"]


def test_two_drivers_at_once_make_one_set_of_each(tmp_path: Path) -> None:
    """The second driver waits for the repository's lock, and reports what the first one made."""
    site = FleetSite(tmp_path, 2)
    drivers = [site.start("rotate") for _ in range(2)]
    ended = [one.end() for one in drivers]
    assert [one.status for one in ended] == [0, 0], ended
    made = [job["outcome"]["made_now"] for one in ended for job in one.document["jobs"]]
    assert sorted(made) == [False, False, True, True]
    assert site.proven() == {"lib-0": 1, "lib-1": 1}
    assert site.twice() == []


def test_every_set_of_a_fleet_is_copied_verified_and_drilled(tmp_path: Path) -> None:
    """The options reach each job, and a set that is copied already is not copied again."""
    site = FleetSite(tmp_path, 1)
    (scratch := tmp_path / "scratch").mkdir()
    assert site.run("rotate").status == 0
    for words in (["verify", "-older-than", "1d"], ["drill", "-scratch-dir", str(scratch)]):
        ended = site.run(*words)
        assert (ended.status, ended.document["done"]) == (0, 1), ended.said
    assert len([*tmp_path.glob("localhost/*/*/*.drill.json")]) == 1
    for _ in range(2):
        assert site.run("copy").status == 0
        assert len([*tmp_path.glob("copies/*.receipt.json")]) == 1


def test_a_drill_warns_of_a_directory_that_is_not_filled_yet(tmp_path: Path) -> None:
    """The first rotation fills one of two directories; once none has a set, a drill fails."""
    site = FleetSite(tmp_path, 1)
    (tmp_path / "scratch").mkdir()
    (first,), second = site.images.values(), tmp_path / "second"
    second.mkdir()
    fleet = Path(site.fleet)
    fleet.write_text(fleet.read_text().replace(str(first), f"\n  {first}\n  {second}", 1))
    drill = ("drill", "-scratch-dir", str(tmp_path / "scratch"))
    assert site.run("rotate").status == 0
    ended = site.run(*drill)
    assert (ended.status, ended.document["done"]) == (0, 2), ended.said
    drilled = [job["outcome"]["drilled"] for job in ended.document["jobs"]]
    assert sorted(drilled) == [False, True]
    for receipt in tmp_path.glob("**/*.receipt.json"):
        receipt.unlink()
    assert site.run(*drill).status == ExitCode.FAULT_FOUND
