"""The jobs of a fleet: what they occupy, and their ids."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

import pytest
from fleets import written

from csf_backup_plugin.errors import UsageError
from csf_backup_plugin.fleet.driver.plan import hosts_of, plan
from csf_backup_plugin.fleet.driver.request import FleetRequest
from csf_backup_plugin.fleet.file import read_fleet

if TYPE_CHECKING:
    from pathlib import Path

    from csf_backup_plugin.fleet.driver.job import JobSpec

SECTIONS = {
    "lib": {
        "database": "db1:/r/lib.db",
        "image-dirs": "\n /b1/lib\n /b2/lib",
        "copy-to": "db2:/c",
        "environment": "\n A=1\n PATH=/own",
    },
    "shop": {"database": "alias:/r/shop.db", "image-dirs": "/b1/shop", "every": "6h"},
}
MACHINES = {"db1": "db1:22", "db2": "db2:22", "alias": "db1:22"}
AT = datetime.datetime(2026, 11, 30, 13, 0)


def jobs(tmp_path: Path, action: str, *given: str, slot: str | None = None) -> list[JobSpec]:
    """Return the jobs of an action."""
    fleet = read_fleet(written(tmp_path / "fleet", SECTIONS))
    request = FleetRequest(fleet, action, given, 8, None, 5.0, AT, slot)
    return plan(request, fleet.repositories, MACHINES, "/opt/csf", {"PATH": "/bin", "B": "2"})


def test_each_host_is_named_once(tmp_path: Path) -> None:
    """Targets of copies are included."""
    fleet = read_fleet(written(tmp_path / "fleet", SECTIONS))
    assert hosts_of(fleet.repositories) == ["db1", "db2", "alias"]


def test_a_rotation_takes_its_host_and_disks(tmp_path: Path) -> None:
    """A disk that two sections share is one lane, under any name."""
    lib, shop = jobs(tmp_path, "rotate")
    assert lib.lanes == ("host db1:22", "disk db1:22:/b1", "disk db1:22:/b2")
    assert shop.lanes == ("host db1:22", "disk db1:22:/b1")
    assert (lib.host, shop.host, lib.master) == ("db1", "alias", "/r/lib.db")
    assert (lib.program, lib.limit) == ("/opt/csf", 5.0)


def test_a_copy_takes_both_of_its_hosts(tmp_path: Path) -> None:
    """It also finds which set is the newest."""
    (copy,) = jobs(tmp_path, "copy")
    assert copy.lanes == (
        *("host db1:22", "host db2:22"),
        *("disk db1:22:/b1", "disk db1:22:/b2", "disk db2:22:/c"),
    )
    assert (copy.words[-1], copy.newest[-1]) == ("-json", "-json")


def test_a_job_has_the_variables_of_here_and_of_its_section(tmp_path: Path) -> None:
    """The section's variable comes first."""
    lib, shop = jobs(tmp_path, "rotate")
    assert dict(lib.environment) == {"PATH": "/own", "B": "2", "A": "1"}
    assert dict(shop.environment) == {"PATH": "/bin", "B": "2"}


def test_a_rotation_has_its_id_on_the_command_line(tmp_path: Path) -> None:
    """It is the id of the slot from -slot, or of the time of day if it is due more often."""
    lib, shop = jobs(tmp_path, "rotate")
    assert lib.words[-3:] == ("-run-id", lib.run_id, "-json")
    assert (lib.run_id[:11], shop.run_id[:20]) == ("2026-11-30-", "2026-11-30T12:00:00-")
    given = jobs(tmp_path, "rotate", "-slot", "2026-11-01", slot="2026-11-01")
    assert {one.run_id[:11] for one in given} == {"2026-11-01-"}
    verified = jobs(tmp_path, "verify")
    assert [one.name for one in verified] == ["lib db1:/b1/lib", "lib db1:/b2/lib", "shop"]
    assert all("-run-id" not in one.words for one in verified)
    assert len({one.run_id for one in (lib, shop, *given, *verified)}) == 7


def test_two_jobs_of_one_name_are_refused(tmp_path: Path) -> None:
    """The result of one would be reported for the other."""
    lib = {**SECTIONS["lib"], "copy-to": "\n db2:/c\n db2:/d"}
    other = {**SECTIONS["shop"], "copy-to": "db2:/c"}
    fleet = read_fleet(written(tmp_path / "fleet", {"lib": lib, "lib db2:/c": other}))
    request = FleetRequest(fleet, "copy", (), 8, None, 5.0, AT)
    with pytest.raises(UsageError, match=r"\[lib\] and \[lib db2:/c\] both have a job"):
        plan(request, fleet.repositories, MACHINES, "/opt/csf", {})


def test_nothing_to_do_is_no_success(tmp_path: Path) -> None:
    """A copy may have been requested, while no section has a target."""
    fleet = read_fleet(written(tmp_path / "fleet", SECTIONS)).only(["shop"])
    request = FleetRequest(fleet, "copy", (), 8, None, 5.0, AT)
    with pytest.raises(UsageError, match="There is nothing to copy"):
        plan(request, fleet.repositories, MACHINES, "/opt/csf", {})
