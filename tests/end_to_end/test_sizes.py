"""Sizes of databases that change while osbackup runs, and images that are too small."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
from conftest import OSBACKUP, OSRESTORE

if TYPE_CHECKING:
    from pathlib import Path

    from sites import Site

KILO = 1000


def utilities(directory: Path, **scripts: str) -> dict[str, str]:
    """Return an environment with scripts as utilities; the others are made of tar."""
    scripts = {"osbackup": OSBACKUP, "osrestore": OSRESTORE, "osverifydb": "true", **scripts}
    for name, script in scripts.items():
        (directory / name).write_text(script if script[0] == "#" else f"#!/bin/sh\n{script}\n")
        (directory / name).chmod(0o755)
    return {f"CSF_BACKUP_{name.upper()}": str(directory / name) for name in scripts}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("truncate -s 512", ""),
        ("", "truncate -s 512"),
        ("truncate -s 100k", "truncate -s 512"),
    ],
    ids=["shrinks", "shrinks-after", "grows-and-shrinks"],
)
def test_a_database_that_changes_around_osbackups_instant_can_be_drilled_and_restored(
    local_site: Site, tmp_path: Path, before: str, after: str
) -> None:
    """It may shrink or grow; the receipt has both sizes, and names the changed database."""
    book = os.path.join(local_site.repository, "Class1.db")
    size = os.path.getsize(book)
    own = utilities(
        tmp_path,
        osbackup=f"""{before and f"{before} {book}"}
tar -cP --verbatim-files-from -f "$5" -T "$3" || exit
{after and f"{after} {book}"}""",
    )
    made = local_site.backup("-json", **own)
    assert made.exit_code == 0, made.stderr
    with open(f"{local_site.image}.receipt.json", encoding="utf-8") as file:
        receipt = json.load(file)
    assert receipt["databases"][book] == size
    assert receipt["databases_after"][book] == os.path.getsize(book)
    assert receipt["changed"] == [book]
    told = json.loads(made.stdout)
    for key in ("databases", "databases_after", "changed"):
        assert told[key] == receipt[key]
    drilled = local_site.on_image("admin_database_drill", "-scratch-dir", str(tmp_path), **own)
    assert drilled.exit_code == 0, drilled.stderr
    restored = local_site.restore("-yes", **own)
    assert restored.exit_code == 0, restored.stderr


def test_a_database_that_is_restored_smaller_than_it_ever_was_is_a_fault(
    local_site: Site, tmp_path: Path
) -> None:
    """A compacted database is compared, too; the message says with what."""
    book = os.path.join(local_site.repository, "Class1.db")
    script = f'truncate -s 1k {book}\nexec tar -cP --verbatim-files-from -f "$5" -T "$3"'
    assert local_site.backup(**utilities(tmp_path, osbackup=script)).exit_code == 0
    cut = OSRESTORE.replace("exec tar -xP", "tar -xP") + f"truncate -s 1023 {book}\n"
    result = local_site.restore("-yes", **utilities(tmp_path, osrestore=cut))
    assert result.exit_code == 61
    assert f"{book} holds 1,023 bytes; it held " in result.stderr
    assert "when the backup began, and 1,024 when osbackup had ended" in result.stderr


def test_an_image_that_is_far_too_small_is_no_backup_unless_that_is_accepted(
    site: Site, tmp_path: Path
) -> None:
    """It fails even if osbackup and osrestore succeed.

    Holes in databases need no room in the image.
    """
    book = os.path.join(site.repository, "Class1.db")
    with open(book, "wb") as file:
        file.truncate(10**9)
    own = utilities(
        tmp_path,
        osbackup='head -c 10000 /dev/urandom > "$5"',
        osrestore='cat "$3.dbn"',
    )
    result = site.backup(**own)
    assert result.exit_code == 0, result.stderr
    site.image += "2"
    with open(book, "wb") as file:
        file.write(os.urandom(900 * KILO))
    before = site.listing()
    result = site.backup(**own)
    assert result.exit_code == 41
    assert "it has 10,000 bytes, far too few for databases that take up 9" in result.stderr
    assert "-accept-small" in result.stderr
    assert site.listing().keys() == before.keys()
    assert site.backup("-accept-small", **own).exit_code == 0
    assert site.on_image("admin_database_verify", **own).exit_code == 0
