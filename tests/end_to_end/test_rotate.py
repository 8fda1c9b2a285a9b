"""Rotations as users type them: here and over ssh, by plain users, at once, and with cuts."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest
from cards import is_of_a_card
from far_site import far_site
from proxy import NEVER, Strike, Way, cut, drop, stall
from scale import scaled
from waiting import wait_for
from ways import HERE, over_ssh

from csf_backup_plugin.image import sealed_json
from sites import PLAIN, Site

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from far_site import FarSite

LOGGING = """#!/bin/sh
echo begins >> {log}
sleep 0.3
{real} "$@" || exit
echo ends >> {log}
"""
NO_LINKS = """#!/bin/sh
echo "ln: failed to create hard link: Operation not permitted" >&2
exit 1
"""


def command(site: Site, slot: str, *options: str) -> list[str]:
    """Return a rotation's command line."""
    directory = ("-image-dir", f"{site.host}:{site.images}", "-slot", slot)
    return ["csf", "admin_database_rotate", "-database", site.master, *directory, *options]


def sets(site: Site) -> dict[str, str]:
    """Return the images that have a receipt, by run id."""
    receipts = [sealed_json.decode(path.read_bytes()) for path in site.images.rglob("*.json")]
    found = {one["run_id"]: one["image"] for one in receipts}
    assert len(found) == len(receipts)
    return found


def check_promised(site: Site, *run_ids: str) -> None:
    """Check that there are the sets of these runs, and no others."""
    found = sets(site)
    assert {*found} == {*run_ids}
    paths = [path for path in site.images.rglob("*") if path.is_file()]
    files = {str(path) for path in paths if not is_of_a_card(str(path))}
    endings = ("", ".dbn", ".receipt.json")
    assert files == {f"{image}{ending}" for image in found.values() for ending in endings}


UMASK = ("sh", "-c", 'umask 077; exec "$@"', "sh")


@pytest.mark.parametrize("prefix", over_ssh([(), UMASK], ()))
def test_a_week_later_a_set_is_replaced(site: Site, prefix: tuple[str, ...]) -> None:
    """A plain user with any umask can replace last week's set."""
    for slot, run_id in (("2026-11-23", "a"), ("2026-11-24", "b"), ("2026-11-30", "c")):
        made = site.sim.run([*PLAIN, *prefix, *command(site, slot, "-run-id", run_id, "-json")])
        assert made.exit_code == 0, made.stderr
        document = json.loads(made.stdout)
    assert len(document["removed"]) == 1
    check_promised(site, "b", "c")


@HERE
def test_a_dry_run_changes_nothing_and_foretells_what_the_run_does(site: Site) -> None:
    """Not even timestamps change, whether or not the place exists already."""
    for slot in ("2026-11-23", "2026-11-30"):
        before = site.listing()
        asked = command(site, slot, "-json")
        foretold = json.loads(site.sim.run([*asked, "-dry-run"]).stdout)
        assert site.listing() == before
        done = json.loads(site.sim.run(asked).stdout)
        plans = [[(one["keep"], one["why"]) for one in plan["plan"]] for plan in (foretold, done)]
        assert plans[0] == plans[1]
        assert foretold["place"] == done["place"] == "monday"
        assert os.path.dirname(foretold["image"]) == os.path.dirname(done["image"])


@pytest.mark.ways("ssh")
def test_a_rotation_on_a_host_whose_file_system_has_no_hard_links(site: Site) -> None:
    """A receipt gets its other name by a rename."""
    link = os.path.join(site.sim.home.bin, "ln")
    with open(link, "w") as file:
        file.write(NO_LINKS)
    os.chmod(link, 0o755)
    for slot, run_id in (("2026-11-23", "a"), ("2026-11-30", "b")):
        made = site.sim.run(command(site, slot, "-run-id", run_id))
        assert made.exit_code == 0, made.stderr
    check_promised(site, "b")


@pytest.mark.parametrize("second", over_ssh(["same", "other"], "same"))
def test_two_rotations_at_once_take_turns(site: Site, second: str) -> None:
    """Only one osbackup runs at a time; two rotations with the same id make one set."""
    log, program = site.images.parent / "log", site.images.parent / "logging"
    program.write_text(LOGGING.format(log=log, real=os.path.join(site.sim.home.bin, "osbackup")))
    program.chmod(0o755)
    environment = {**site.sim.home.environment(os.environ), "CSF_BACKUP_OSBACKUP": str(program)}
    running = [
        subprocess.Popen(
            command(site, "2026-11-30", "-run-id", run_id),
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for run_id in ("same", second)
    ]
    said = [process.communicate()[0] for process in running]
    assert [process.returncode for process in running] == [0, 0], said
    assert log.read_text().split() == ["begins", "ends"] * len({"same", second})
    assert len(sets(site)) == 1
    check_promised(site, *sets(site))


@HERE
def test_a_class_that_is_created_during_a_rotation_waits_and_is_in_the_next_set(site: Site) -> None:
    """A new class is no reason for suspicion."""
    log, program = site.images.parent / "log", site.images.parent / "logging"
    program.write_text(LOGGING.format(log=log, real=os.path.join(site.sim.home.bin, "osbackup")))
    program.chmod(0o755)
    environment = {**site.sim.home.environment(os.environ), "CSF_BACKUP_OSBACKUP": str(program)}
    asked = command(site, "2026-11-23")
    with subprocess.Popen(asked, env=environment, stderr=subprocess.PIPE, text=True) as running:
        wait_for(log.exists)
        made = site.create("New")
        assert running.wait() == 0
    again = site.sim.run(command(site, "2026-11-30"))
    assert again.exit_code == 0, again.stderr
    (image,) = sets(site).values()
    with open(f"{image}.receipt.json", "rb") as file:
        assert made in sealed_json.decode(file.read())["databases"]


@pytest.fixture
def far(tmp_path: Path) -> Iterator[FarSite]:
    """Return a site on another host, behind a proxy."""
    with far_site(tmp_path) as made:
        yield made


STRIKES: dict[str, Callable[[int], Strike]] = {
    "cut": cut,
    "stalled": stall,
    "lost-back": lambda after: drop(after, Way.DOWN),
}


def prepared(site: FarSite) -> list[str]:
    """Make sets of two days; return the command that replaces one of them."""
    for slot, run_id in (("2026-11-23", "a"), ("2026-11-24", "b")):
        ended = site.struck(command(site, slot, "-run-id", run_id), NEVER)
        assert ended.status == 0, ended.said
    return command(site, "2026-11-30", "-run-id", "c")


@pytest.fixture(scope="module")
def bytes_of_a_rotation(tmp_path_factory: pytest.TempPathFactory) -> int:
    """Return how many bytes a rotation exchanges without a failure."""
    with far_site(tmp_path_factory.mktemp("rotation")) as site:
        ended = site.struck(prepared(site), NEVER)
        assert ended.status == 0, ended.said
        return site.proxy.total


@pytest.mark.remote
@pytest.mark.parametrize("kind", STRIKES if scaled(1) > 1 else ["cut"])
@pytest.mark.parametrize("part", range(max(1, scaled(1))))
def test_a_rotation_whose_network_fails_when_sets_are_removed(
    far: FarSite, bytes_of_a_rotation: int, kind: str, part: int
) -> None:
    """Every other set is complete; the next run finds what is left, and makes no further set."""
    asked = prepared(far)
    before = sets(far)
    # The removal is the last step.
    point = 0.75 + 0.25 * (part + 0.5) / max(1, scaled(1))
    ended = far.struck(asked, STRIKES[kind](int(bytes_of_a_rotation * point)))
    found = sets(far)
    assert found["b"] == before["b"]
    assert {"a", "c"} & {*found}, ended.said
    far.check_settled()
    again = far.struck(asked, NEVER)
    assert again.status == 0, again.said
    check_promised(far, "b", "c")
    far.image = sets(far)["c"]
    far.check_image()
    far.check_settled()
