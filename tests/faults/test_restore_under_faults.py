"""Whatever osrestore does, the state of everything is reported, and a second run completes it."""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

import pytest
from scale import scaled
from ways import over_ssh

if TYPE_CHECKING:
    from pathlib import Path

    from sites import Site

FAILURES = {
    ("exit", "1"): 61,
    ("exit", "255"): 61,
    ("signal", "KILL"): 61,
    ("signal", "SEGV"): 61,
    ("signal", "TERM"): 61,
    ("prompt",): 61,
    ("hang",): 31,
}
FULL_AT = [f"{1 + 15 * point // scaled(2)}k" for point in range(scaled(2))]

# Restores some of the databases, in the image's order, and ends.
HALF = """#!/bin/sh
[ "$1" = -t ] && exec {real} "$@"
{real} -t -f "$2" | head -n {count} | while read -r name; do {real} -f "$2" "$name" "$name"; done
{end}
"""


def prepared(site: Site) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Back up, create a class; return the databases then and now."""
    assert site.backup().exit_code == 0
    saved = site.databases()
    site.create("Newer")
    return saved, site.databases()


def script(site: Site, *fault: str) -> None:
    """Script a fault for osrestore when it restores, and not when it lists the image."""
    site.sim.fault("osrestore", "slow", "1g/s")
    site.sim.fault("osrestore", *fault)


@pytest.mark.parametrize(
    "fault",
    over_ssh(
        [*FAILURES, *(("enospc", size) for size in FULL_AT)],
        ("exit", "1"),
        ("signal", "KILL"),
        ("hang",),
    ),
    ids=" ".join,
)
def test_a_fault_that_changed_nothing_leaves_everything_where_it_was(
    site: Site, fault: tuple[str, ...]
) -> None:
    """The quarantine is undone; the same command succeeds the next time."""
    saved, before = prepared(site)
    script(site, *fault)
    timeout = ("-timeout", "5") if fault == ("hang",) else ()
    result = site.restore("-yes", "-quarantine", *timeout)
    assert result.exit_code == FAILURES.get(fault, 61), result.stderr
    assert "No database was changed.\nThe extra databases are where they were." in result.stderr
    assert site.databases() == before
    again = site.restore("-yes", "-quarantine")
    assert again.exit_code == 0, again.stderr
    assert site.databases() == saved
    assert site.sim.check(site.master) == []
    assert site.sim.faults.unstruck() == []


@pytest.mark.parametrize("end", ["exit 3", "kill -9 $$"])
@pytest.mark.parametrize("count", over_ssh([1, 2, 3, 4], 2))
def test_half_a_restore_is_reported_database_by_database(
    site: Site, tmp_path: Path, count: int, end: str
) -> None:
    """The quarantine is kept, and the same command completes the restore."""
    saved, before = prepared(site)
    program = tmp_path / "half"
    real = os.path.join(site.sim.home.bin, "osrestore")
    program.write_text(HALF.format(real=shlex.quote(real), count=count, end=end))
    program.chmod(0o755)
    result = site.restore("-yes", "-quarantine", CSF_BACKUP_OSRESTORE=str(program))
    assert result.exit_code == 61, result.stderr
    assert result.stderr.count("    restored or changed: ") == count
    assert result.stderr.count("    unchanged: ") == len(saved) - count
    kept = result.stderr.partition("The extra databases are kept in ")[2].partition(".\n")[0]
    assert os.listdir(kept) == ["Newer.db"]
    again = site.restore("-yes", "-quarantine")
    assert again.exit_code == 0, again.stderr
    assert site.databases() == saved
    with open(os.path.join(kept, "Newer.db"), "rb") as file:
        assert file.read() == before[os.path.join(site.repository, "Newer.db")]


@pytest.mark.parametrize(
    "fault",
    over_ssh([("output", "1m"), ("binary",), ("slow", "1m/s")], ("output", "1m")),
    ids=" ".join,
)
def test_odd_manners_are_no_failure(site: Site, fault: tuple[str, ...]) -> None:
    """The databases on disk decide, and not what is printed."""
    saved, _ = prepared(site)
    script(site, *fault)
    result = site.restore("-yes", "-quarantine")
    assert result.exit_code == 0, result.stderr
    assert site.databases() == saved
    assert site.sim.faults.unstruck() == []


def test_an_osrestore_that_cannot_list_the_image_restores_nothing(site: Site) -> None:
    """An image that cannot be listed is not restored."""
    _, before = prepared(site)
    site.sim.fault("osrestore", "prompt")
    result = site.restore("-yes", "-quarantine")
    assert result.exit_code == 50, result.stderr
    assert site.databases() == before
