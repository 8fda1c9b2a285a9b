"""Verifying sound and damaged images, as users do it."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

from csf_backup_plugin.image import sealed_json
from sites import Site

VERIFY = "admin_database_verify"


def test_a_sound_image_is_verified_and_nothing_else_changed(site: Site) -> None:
    """It works in a directory that nobody may write to, and after a class_create."""
    assert site.backup().exit_code == 0
    site.sim.csf("class_create", "-database", site.master, "-class", "Book")
    site.images.chmod(0o555)
    before = besides_record(site)
    result = site.on_image(VERIFY)
    site.images.chmod(0o755)
    assert (result.exit_code, result.stdout) == (0, ""), result.stderr
    assert result.stderr.startswith(f"Verified {site.host}:{site.image}: ")
    assert "4 databases of" in result.stderr
    assert besides_record(site) == before


def test_the_latest_is_the_image_with_the_highest_number(site: Site) -> None:
    """Clock, names and timestamps of files do not matter."""
    for name, started, modified in (
        ("b.img", "2021-11-24T02:10:00+00:00", 2000),
        ("a.img", "2021-11-23T02:10:00+00:00", 1000),
    ):
        site.image = str(site.images / name)
        assert site.backup().exit_code == 0
        path = Path(f"{site.image}.receipt.json")
        path.write_bytes(
            sealed_json.encode({**sealed_json.decode(path.read_bytes()), "started": started})
        )
        for suffix in ("", ".dbn", ".receipt.json"):
            os.utime(site.image + suffix, (modified, modified))
    site.image = str(site.images / "latest")
    result = site.on_image(VERIFY, "-json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["image"] == str(site.images / "a.img")
    assert json.loads(result.stdout)["number"] == 2


def test_a_copy_elsewhere_is_still_a_good_image(site: Site, tmp_path: Path) -> None:
    """The outcome says under which name the image was made."""
    assert site.backup().exit_code == 0
    made = f"{site.host}:{site.image}"
    copies = shutil.copytree(site.images, tmp_path / "copies")
    shutil.rmtree(site.images)
    site.image = str(copies / "moved.img")
    for suffix in ("", ".dbn", ".receipt.json"):
        os.rename(copies / f"a.img{suffix}", site.image + suffix)
    result = site.on_image(VERIFY)
    assert result.exit_code == 0, result.stderr
    assert f"Verified {site.host}:{site.image}, made as {made}: " in result.stderr


def test_every_finding_is_named_at_once(site: Site) -> None:
    """The command reports both a flipped bit in the image and an edited list."""
    assert site.backup().exit_code == 0
    with open(site.image, "r+b") as file:
        file.seek(os.path.getsize(site.image) // 2)
        (byte,) = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 1]))
    with open(f"{site.image}.dbn", "a") as names:
        names.write("/else/New.db\n")
    before = besides_record(site)
    result = site.on_image(VERIFY, "-json")
    assert result.exit_code == 50
    findings = "\n".join(json.loads(result.stdout)["findings"])
    assert "the image's SHA-256 is" in findings
    assert "osrestore -t cannot read the image: exit 1" in findings
    assert f"the import file {site.image}.dbn was changed" in findings
    assert "not expected in the import file: /else/New.db" in findings
    assert f"-image-file {site.host}:{site.image}-again" in result.stderr
    assert besides_record(site) == before
    record = Path(f"{site.image}.verify.json")
    assert f"It is on record in {record}." in result.stderr
    assert json.loads(record.read_bytes())["findings"] == json.loads(result.stdout)["findings"]


def besides_record(site: Site) -> dict[str, tuple[int, bytes]]:
    """Return every file except the record of a verification, which root may write anywhere."""
    return {path: at for path, at in site.listing().items() if not path.endswith(".verify.json")}


def test_a_backup_cannot_be_called_latest(site: Site) -> None:
    """The name latest stands for the newest image."""
    site.image = str(site.images / "latest")
    result = site.backup()
    assert result.exit_code == 12
    assert "means the newest verified image" in result.stderr
    assert list(site.images.iterdir()) == []


def test_all_images_of_a_directory_are_verified(site: Site) -> None:
    """A flipped bit in the oldest image is found, and the next run still reports it."""
    images = [str(site.images / f"{number}.img") for number in (1, 2)]
    for site.image in images:
        assert site.backup().exit_code == 0
    with open(images[0], "r+b") as file:
        file.seek(-1, os.SEEK_END)
        (byte,) = file.read(1)
        file.seek(-1, os.SEEK_END)
        file.write(bytes([byte ^ 1]))
    command = ["csf", VERIFY, "-image-dir", f"{site.host}:{site.images}", "-older-than", "1d"]
    first = site.sim.run(command)
    assert first.exit_code == 50
    assert f"\nsound {site.host}:{images[1]}: " in first.stderr
    assert f"\n  {site.host}:{images[0]}: the image's SHA-256 is " in first.stderr
    again = site.sim.run([*command, "-json"])
    assert (again.exit_code, json.loads(again.stdout)["at_fault_on_record"]) == (50, 1)
