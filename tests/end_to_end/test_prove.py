"""Proving images whose csf was killed, as users do it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cards import besides_cards
from waiting import wait_for

from sites import Site

PROVE = "admin_database_prove"


@pytest.fixture
def orphan(site: Site) -> Path:
    """Return the run record of osbackup; its image's csf was killed before the proof."""
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
    """From then on the image is a backup like any other, and can be drilled."""
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


SLOW = """#!/bin/sh
echo $$ > {started}.part; mv {started}.part {started}
head -c 5000 /dev/zero > "$5"
while [ ! -e {go} ]; do sleep 0.05; done
[ ! -s {go} ] || exit $(cat {go})
exec {real} "$@"
"""


class Killed:
    """A backup whose csf was killed while osbackup ran.

    Args:
        site: where.
        directory: for an osbackup that goes on only when it is told to.
    """

    def __init__(self, site: Site, directory: Path) -> None:
        self._go, started = directory / "go", directory / "started"
        program, real = directory / "osbackup", os.path.join(site.sim.home.bin, "osbackup")
        program.write_text(SLOW.format(started=started, go=self._go, real=real))
        program.chmod(0o755)
        self.record = Path(f"{site.image}.run")
        environment = {
            **site.sim.home.environment(os.environ),
            "CSF_BACKUP_OSBACKUP": str(program),
        }
        with subprocess.Popen(site.command(), env=environment, stderr=subprocess.DEVNULL) as csf:
            wait_for(started.exists)
            self.osbackup = int(started.read_text())
            self.group = (self.record / "pid").read_text().split()[0]
            csf.kill()

    def go_on(self, status: str = "") -> None:
        """Let osbackup do its work, or end with another exit status."""
        self._go.write_text(status)

    def wait(self) -> None:
        """Wait until osbackup's end is on record."""
        wait_for(lambda: (self.record / "status").read_text().split() != ["running"])


@pytest.fixture
def killed(site: Site, tmp_path: Path) -> Iterator[Killed]:
    """Yield a backup whose csf was killed; osbackup is ended after the test."""
    directory = tmp_path / "slow"
    directory.mkdir()
    made = Killed(site, directory)
    yield made
    made.go_on("9")


def test_a_killed_csf_costs_no_backup(site: Site, killed: Killed, tmp_path: Path) -> None:
    """osbackup runs to its end; after prove, the image can be verified and restored."""
    found = site.on_image("admin_database_verify")
    assert found.exit_code == 50
    assert f"osbackup (process group {killed.group}, started " in found.stderr
    assert f"csf {PROVE} -image-file {site.host}:{site.image}" in found.stderr
    busy = site.on_image(PROVE, "-wait", "0")
    assert busy.exit_code == 20
    assert f"Error: osbackup (process group {killed.group}, started " in busy.stderr
    environment = site.sim.home.environment(os.environ)
    command = ["csf", PROVE, "-image-file", f"{site.host}:{site.image}", "-wait", "60"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as waiting:
        assert waiting.stderr
        assert f"waiting up to 60 s for osbackup (process group {killed.group}" in (
            waiting.stderr.readline()
        )
        killed.go_on()
        said = waiting.stderr.read()
    assert waiting.returncode == 0, said
    assert ", backup 1; SHA-256 " in said
    assert besides_cards(site.images) == ["a.img", "a.img.dbn", "a.img.receipt.json"]
    for name, *options in (
        ("admin_database_verify",),
        ("admin_database_drill", "-scratch-dir", str(tmp_path)),
    ):
        result = site.on_image(name, *options)
        assert result.exit_code == 0, result.stderr
    site.create("Newer")
    result = site.restore("-yes", "-quarantine")
    assert result.exit_code == 0, result.stderr
    assert site.sim.check(site.master) == []


@pytest.mark.ways("local")
def test_an_osbackup_that_fails_without_its_csf_proves_nothing(site: Site, killed: Killed) -> None:
    """Verify, prove and a new backup to the same name report the failure."""
    killed.go_on("3")
    killed.wait()
    before = site.listing()
    for command, code in ((PROVE, 41), ("admin_database_verify", 50)):
        result = site.on_image(command, "-wait", "60") if code == 41 else site.on_image(command)
        assert result.exit_code == code, result.stderr
        assert "  osbackup failed: exit 3" in result.stderr
        assert "Make a new backup, under another name." in result.stderr
    again = site.backup("-wait", "60")
    assert again.exit_code == 10
    assert "It has no receipt, so it is not a backup: osbackup failed: exit 3" in again.stderr
    assert site.listing() == before


@pytest.mark.ways("local")
def test_an_osbackup_that_is_killed_too_proves_nothing(site: Site, killed: Killed) -> None:
    """osbackup's end is known if the guardian lives, and unknown if it was killed, too."""
    os.kill(killed.osbackup, signal.SIGKILL)
    killed.wait()
    result = site.on_image(PROVE, "-wait", "60")
    assert result.exit_code == 41, result.stderr
    assert "  osbackup failed: signal 9, and printed" in result.stderr


@pytest.mark.ways("local")
def test_a_guardian_that_is_killed_too_leaves_nothing_to_prove(site: Site, killed: Killed) -> None:
    """As long as osbackup runs, the messages say that it is running."""
    guardian = int((killed.record / "pid").read_text().split()[2])
    os.kill(guardian, signal.SIGKILL)
    assert site.on_image(PROVE, "-wait", "0").exit_code == 20
    os.kill(killed.osbackup, signal.SIGKILL)
    result = site.on_image(PROVE, "-wait", "60")
    assert result.exit_code == 41, result.stderr
    assert "osbackup ended without recording its exit status" in result.stderr
    assert "process group" not in result.stderr


@pytest.mark.ways("local")
def test_after_a_reboot_nothing_is_proven(site: Site, orphan: Path) -> None:
    """After a reboot, the recorded process number may belong to another process."""
    (orphan / "status").write_text("running\n")
    (orphan / "pid").write_text(f"{os.getpid()} another-boot {os.getpid()}\n")
    for command, code in ((PROVE, 41), ("admin_database_verify", 50)):
        result = site.on_image(command)
        assert result.exit_code == code
        assert "the machine was rebooted meanwhile" in result.stderr


@pytest.mark.ways("local")
def test_a_backup_to_the_name_of_a_killed_one_names_prove(site: Site, orphan: Path) -> None:
    """A backup, drill or restore of that image names prove, and so does a restore of latest."""
    prove = f"csf {PROVE} -image-file {site.host}:{site.image}"
    refused = site.backup()
    assert (refused.exit_code, prove in refused.stderr) == (10, True)
    drill = site.on_image("admin_database_drill", "-scratch-dir", str(site.images.parent))
    assert (drill.exit_code, prove in drill.stderr) == (50, True)
    restore = site.restore("-yes")
    assert (restore.exit_code, prove in restore.stderr) == (50, True)
    first = site.image
    site.image = str(site.images / "b.img")
    beside = site.backup()
    assert (beside.exit_code, prove in beside.stderr) == (0, True)
    os.utime(f"{first}.dbn", (2_000_000_000, 2_000_000_000))
    site.image = str(site.images / "latest")
    latest = site.restore("-yes")
    assert (latest.exit_code, prove in latest.stderr) == (50, True)
    assert prove in site.on_image("admin_database_verify").stderr


@pytest.mark.ways("local")
def test_a_receipt_for_which_there_is_no_room_changes_nothing(site: Site, orphan: Path) -> None:
    """The error is reported, and the same command succeeds once there is room."""
    before = site.listing()
    prove = ["csf", PROVE, "-image-file", f"{site.host}:{site.image}"]
    result = site.sim.run(["sh", "-c", 'ulimit -f 0; exec "$@"', "sh", *prove])
    assert result.exit_code == 1
    assert f"The receipt of {site.host}:{site.image} could not be written. File too large: " in (
        result.stderr
    )
    assert "Nothing was created or changed." in result.stderr
    assert site.listing() == before
    assert site.sim.run(prove).exit_code == 0


@pytest.mark.ways("local")
def test_a_proof_that_is_stopped_changes_nothing(site: Site, orphan: Path, tmp_path: Path) -> None:
    """A signal while the image is listed ends osrestore, and changes nothing."""
    osrestore, started = tmp_path / "osrestore", tmp_path / "started"
    osrestore.write_text(
        f"#!/bin/sh\necho $$ > {started}.part\nmv {started}.part {started}\nsleep 99\n"
    )
    osrestore.chmod(0o755)
    environment = {
        **site.sim.home.environment(os.environ),
        "CSF_BACKUP_OSRESTORE": str(osrestore),
    }
    before = site.listing()
    command = ["csf", PROVE, "-image-file", f"{site.host}:{site.image}"]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as proof:
        wait_for(started.exists)
        proof.terminate()
        _, said = proof.communicate()
    assert proof.returncode == 128 + signal.SIGTERM
    assert "was stopped by SIGTERM.\nNothing was created or changed.\n" in said
    with pytest.raises(ProcessLookupError):
        os.kill(int(started.read_text()), 0)
    assert site.listing() == before
    assert site.on_image(PROVE).exit_code == 0


@pytest.mark.ways("local")
def test_two_proofs_at_once_write_one_receipt(site: Site, orphan: Path) -> None:
    """Both succeed, and one says that there is nothing to do."""
    environment = site.sim.home.environment(os.environ)
    command = ["csf", PROVE, "-image-file", f"{site.host}:{site.image}"]
    both = [
        subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate()[1] for process in both]
    assert [process.returncode for process in both] == [0, 0], said
    assert sum("Proved " in text for text in said) == 1
    assert sum("has its receipt already" in text for text in said) == 1
    assert site.on_image("admin_database_verify").exit_code == 0


@pytest.mark.ways("local")
def test_without_a_recorded_start_the_import_files_age_tells_when_the_backup_began(
    site: Site, orphan: Path
) -> None:
    """The import file is made right before osbackup is started."""
    (orphan / "started").unlink()
    os.utime(f"{site.image}.dbn", (1_700_000_000, 1_700_000_000))
    result = site.on_image(PROVE, "-json")
    assert json.loads(result.stdout)["started"] == "2023-11-14T22:13:20+00:00"


@pytest.mark.ways("local")
@pytest.mark.parametrize(
    ("status", "problem"),
    [
        ("1\n", "osbackup failed: exit 1, and printed:\n    Closing volume #1."),
        ("running\n", "ended without recording its exit status"),
        ("", "ended without recording its exit status"),
        (None, "ended without recording its exit status"),
    ],
)
def test_an_osbackup_that_is_not_known_to_have_succeeded_proves_nothing(
    site: Site, orphan: Path, status: str | None, problem: str
) -> None:
    """The image is not proven, however sound it looks, and nothing is changed."""
    (orphan / "status").unlink()
    if status is not None:
        (orphan / "status").write_text(status)
    before = site.listing()
    result = site.on_image(PROVE)
    assert result.exit_code == 41
    assert problem in result.stderr
    assert f"osrestore -t -f {site.image} shows what is in it" in result.stderr
    assert site.listing() == before


@pytest.mark.ways("local")
def test_nothing_is_proven_while_the_repository_is_locked(site: Site, orphan: Path) -> None:
    """The osbackup that writes the image holds the lock, and may still be running."""
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
    """Without the repository nobody can hold its lock, so the image is proven."""
    shutil.rmtree(site.repository)
    assert site.on_image(PROVE).exit_code == 0
    assert not orphan.exists()
