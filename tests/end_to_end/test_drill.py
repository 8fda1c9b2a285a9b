"""Drills as users run them: what is recorded, what stays unchanged, and what is printed."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from waiting import wait_for

from csf_backup_plugin.image import sealed_json
from csf_backup_plugin.repository import manifest

if TYPE_CHECKING:
    from csf_simulator.simulator import Result
    from sites import Site

SLOW = """#!/bin/sh
case " $* " in *" -t "*) exec {real} "$@";; esac
: > {started}
while [ ! -e {go} ]; do sleep 0.05; done
exec {real} "$@"
"""


@pytest.fixture
def scratch(site: Site) -> Path:
    """Return an empty directory on the image's host, of which a backup exists to drill."""
    assert site.backup().exit_code == 0
    made = site.images.parent / "scratch place"
    made.mkdir()
    return made


def drill(site: Site, scratch: Path, *options: str, **variables: str) -> Result:
    """Run the command."""
    arguments = ("-scratch-dir", str(scratch), *options)
    return site.on_image("admin_database_drill", *arguments, **variables)


def test_a_drill_is_recorded_and_leaves_everything_else_as_it_was(
    site: Site, scratch: Path
) -> None:
    """Repository and image keep their bytes and timestamps, and the restored copy is removed."""
    before = site.listing()
    code, out, err = drill(site, scratch)
    assert (code, out) == (0, ""), err
    assert "4 databases" in err
    assert "osverifydb found all sound" in err
    after = site.listing()
    record = sealed_json.decode(after.pop(f"{site.image}.drill.json")[1], sealed_json.DRILL)
    assert after == before
    assert list(scratch.iterdir()) == []
    made = json.loads(Path(f"{site.image}.receipt.json").read_bytes())
    assert record["image_sha256"] == made["image_sha256"]
    assert record["backup_started"] == made["started"]
    assert (record["databases"], record["bytes"]) == (4, sum(made["databases"].values()))
    assert record["osverifydb"].endswith("/osverifydb")
    assert site.on_image("admin_database_verify").exit_code == 0


def test_a_busy_repository_is_not_disturbed(site: Site, scratch: Path) -> None:
    """Transactions continue during the drill, and the repository is sound afterwards."""
    with site.sim.workload(site.master, writers=2) as workload:
        code, _, err = drill(site, scratch)
    assert code == 0, err
    assert workload.result().transactions > 0
    assert site.sim.check(site.master) == []


def test_the_next_drill_replaces_the_record_however_it_ends(site: Site, scratch: Path) -> None:
    """A drill, successful or failed, replaces the record of the drill before, and says so."""
    record = Path(f"{site.image}.drill.json")
    assert drill(site, scratch)[0] == 0
    first = record.read_bytes()
    site.sim.fault("osrestore", "exit", "3")
    code, _, err = drill(site, scratch)
    assert code == 50
    assert "osrestore failed: exit 3, and printed:" in err
    assert f"It is on record in {record}." in err
    assert record.read_bytes() != first
    assert "osrestore failed: exit 3" in json.loads(record.read_bytes())["findings"][0]
    before = record.stat().st_ino
    assert drill(site, scratch)[0] == 0
    assert record.stat().st_ino != before  # two drills in one second have the same record


def test_databases_outside_of_the_directory_keep_their_place_relative_to_it(
    site: Site, scratch: Path
) -> None:
    """Databases outside are restored beside the others, also those in nested directories."""
    inside = os.path.join(site.repository, "archive", "Old.db")
    beside = str(site.images.parent / "elsewhere" / "Far.db")
    other = os.path.dirname(site.sim.repository(classes=2))
    for number, path in enumerate((inside, beside), start=1):
        os.mkdir(os.path.dirname(path))
        os.rename(os.path.join(other, f"Class{number}.db"), path)
    listed = [name for name in os.listdir(site.repository) if name.endswith(".db")]
    with open(f"{site.master}.manifest", "wb") as file:
        file.write(manifest.encode([*listed, inside, beside]))
    site.image = str(site.images / "b.img")
    assert site.backup().exit_code == 0
    code, _, err = drill(site, scratch)
    assert code == 0, err
    assert "6 databases" in err
    assert list(scratch.iterdir()) == []


def test_osverifydb_finds_what_the_image_has_faithfully_kept(site: Site, scratch: Path) -> None:
    """If a database was damaged before the backup, the image is sound, but the drill fails."""
    broken = os.path.join(site.repository, "Class1.db")
    with open(broken, "r+b") as file:
        file.seek(700)
        file.write(b"\xff" * 20)
    site.image = str(site.images / "b.img")
    assert site.backup().exit_code == 0
    assert site.on_image("admin_database_verify").exit_code == 0
    code, out, _ = drill(site, scratch, "-json")
    (finding,) = json.loads(out)["findings"]
    assert code == 50
    assert "osverifydb " in finding
    assert "Class1.db: exit 1, and printed:" in finding
    record = json.loads(Path(f"{site.image}.drill.json").read_bytes())
    assert record["findings"] == [finding]
    assert list(scratch.iterdir()) == []


def test_since_when_a_database_is_corrupt_is_found_out(site: Site, scratch: Path) -> None:
    """Drills from the newest image on find the last one before a database was damaged."""
    good = site.image
    with open(os.path.join(site.repository, "Class1.db"), "r+b") as file:
        file.seek(700)
        file.write(b"\xff" * 20)
    for name in ("b.img", "c.img"):
        site.image = str(site.images / name)
        assert site.backup().exit_code == 0
    words = ("-image-dir", f"{site.host}:{site.images}", "-database", site.master, "-last-good")
    command = ["csf", "admin_database_drill", *words, "-scratch-dir", str(scratch)]
    code, out, err = site.sim.run([*command, "-json"])
    said = json.loads(out)
    assert (code, said["last_good"]["image"]) == (50, good), err
    assert [one["number"] for one in said["corrupt_between"]] == [1, 2]
    assert list(scratch.iterdir()) == []


def test_a_drill_of_a_damaged_image_restores_nothing(site: Site, scratch: Path) -> None:
    """A damaged image is not restored, since the drill's record would describe another image."""
    with open(site.image, "ab") as file:
        file.write(b"more")
    code, _, err = drill(site, scratch)
    assert code == 50
    assert "its receipt says" in err
    assert list(scratch.iterdir()) == []


def test_an_unproven_image_is_not_drilled(site: Site, scratch: Path) -> None:
    """An image whose osbackup left no record cannot be proven, so it is not drilled."""
    os.unlink(f"{site.image}.receipt.json")
    code, _, err = drill(site, scratch)
    assert code == 50
    assert "has no receipt" in err
    assert "Make a new backup, under another name." in err


@pytest.fixture
def slow(local_site: Site) -> dict[str, str]:
    """Return an environment whose osrestore waits for the file `go` before it restores."""
    return slowed(local_site)


def slowed(site: Site) -> dict[str, str]:
    """Return an environment whose osrestore waits for the file `go` before it restores."""
    root = site.images.parent
    program = root / "slow-osrestore"
    real = os.path.join(site.sim.home.bin, "osrestore")
    program.write_text(SLOW.format(started=root / "started", go=root / "go", real=real))
    program.chmod(0o755)
    environment = site.sim.home.environment(os.environ)
    return {**environment, "CSF_BACKUP_OSRESTORE": str(program)}


def start(site: Site, environment: dict[str, str], scratch: Path) -> subprocess.Popen[str]:
    """Start a drill; return once its osrestore has begun."""
    image = f"{site.host}:{site.image}"
    process = subprocess.Popen(
        ["csf", "admin_database_drill", "-image-file", image, "-scratch-dir", str(scratch)],
        env=environment,
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (site.images.parent / "started").exists():
        time.sleep(0.02)
    return process


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_stopped_drill_leaves_nothing(
    local_site: Site, slow: dict[str, str], signum: signal.Signals
) -> None:
    """A drill that is stopped ends its osrestore, and removes the restored copy."""
    assert local_site.backup().exit_code == 0
    scratch = local_site.images.parent / "scratch"
    scratch.mkdir()
    before = local_site.listing()
    process = start(local_site, slow, scratch)
    process.send_signal(signum)
    _, err = process.communicate()
    assert process.returncode == 128 + signum
    assert "What this run had created was removed" in err
    assert local_site.listing() == before
    assert list(scratch.iterdir()) == []


def test_the_next_drill_removes_what_a_killed_one_has_left(site: Site, scratch: Path) -> None:
    """A new drill removes what a killed one left, but waits until its osrestore has ended."""
    process = start(site, slowed(site), scratch)
    process.kill()
    process.communicate()
    left, lock = sorted(scratch.iterdir())
    assert left.name.startswith("csf-drill-a.img@")
    assert not os.path.exists(f"{site.image}.drill.json")
    code, _, err = drill(site, scratch)
    assert code == 0, err
    assert f"warning: {left} is in use, by another drill or by the osrestore of one" in err
    assert sorted(scratch.iterdir()) == [left, lock]
    (site.images.parent / "go").touch()
    wait_for(lambda: "is in use" not in drill(site, scratch).stderr)
    assert list(scratch.iterdir()) == []


def test_two_drills_of_one_image_do_not_meet(local_site: Site, slow: dict[str, str]) -> None:
    """Two drills of one image use separate directories."""
    assert local_site.backup().exit_code == 0
    scratch = local_site.images.parent / "scratch"
    scratch.mkdir()
    running = [start(local_site, slow, scratch) for _ in range(2)]
    while len(list(scratch.glob("*Z"))) < 2:
        time.sleep(0.02)
    (local_site.images.parent / "go").touch()
    errors = [process.communicate()[1] for process in running]
    assert [process.returncode for process in running] == [0, 0], errors
    assert list(scratch.iterdir()) == []
    digest = hashlib.sha256(Path(local_site.image).read_bytes()).hexdigest()
    record = Path(f"{local_site.image}.drill.json").read_bytes()
    assert sealed_json.decode(record, sealed_json.DRILL)["image_sha256"] == digest


def test_odd_names_survive_everywhere(site: Site) -> None:
    """Unusual names of repository, classes, image and scratch directory work."""
    odd = os.path.join(os.path.dirname(site.repository), "it's a $(touch x) 'r;é")
    os.rename(site.repository, odd)
    site.repository, site.master = odd, os.path.join(odd, os.path.basename(site.master))
    for name in ("a b", "$(touch x)", "-rf", "Größe", "*"):
        created = site.sim.csf("class_create", "-database", site.master, f"-class={name}")
        assert created.exit_code == 0, created.stderr
    site.image = str(site.images / "it's $(touch x); *")
    assert site.backup().exit_code == 0
    scratch = site.images.parent / "$(touch x) 's"
    scratch.mkdir()
    assert site.on_image("admin_database_verify").exit_code == 0
    code, _, err = drill(site, scratch)
    assert code == 0, err
    assert "9 databases" in err
    assert list(scratch.iterdir()) == []
    assert not list(site.images.parent.rglob("x"))


def test_a_lost_repository_can_be_drilled(site: Site, scratch: Path) -> None:
    """A drill works without the repository: that is when it matters most."""
    shutil.rmtree(site.repository)
    code, _, err = drill(site, scratch)
    assert code == 0, err
    assert not os.path.exists(site.repository)
