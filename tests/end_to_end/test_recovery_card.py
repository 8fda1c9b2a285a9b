"""A recovery card, used when everything else is lost: its commands are typed as printed."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from ways import HERE

if TYPE_CHECKING:
    from csf_simulator.simulator import Result
    from sites import Site

ODD = "it's ü $(touch x).img"


def card(site: Site) -> list[str]:
    """Return the lines of the card of a site's images."""
    with open(site.images / "RESTORE.txt", encoding="utf-8") as file:
        return file.read().split("\n")


def line(site: Site, begin: str) -> str:
    """Return the first command on the card that begins with the given text."""
    return next(text.strip() for text in card(site) if text.startswith(f"    {begin}"))


def typed(site: Site, text: str) -> Result:
    """Run a line on the machine that has the disk; it must succeed. Return its output."""
    result = site.sim.run(["bash", "-c", text], env={"CSF_BACKUP_SSH": "false"})
    assert result.exit_code == 0, result.stderr
    return result


def backed_up(site: Site) -> dict[str, bytes]:
    """Make two backups, the newer one with an unusual name; return the databases in that."""
    assert site.backup().exit_code == 0
    site.create("Book")
    site.image = str(site.images / ODD)
    assert site.backup().exit_code == 0
    assert f"  image      {site.image}" in card(site)
    return site.databases()


def test_the_databases_come_back_by_objectstore_alone(site: Site) -> None:
    """Card and image are enough, without manifest, receipt and csf."""
    before = backed_up(site)
    shutil.rmtree(site.repository)
    os.unlink(f"{site.image}.receipt.json")
    checked = typed(site, line(site, "sha256sum")).stdout.split()[0]
    assert f"  SHA-256    {checked}" in card(site)
    typed(site, line(site, "mkdir"))
    listed = typed(site, line(site, "osrestore -t")).stdout
    assert listed.split("\n")[:-1] == sorted(before, key=lambda path: listed.index(path))
    typed(site, line(site, "osrestore -f"))
    assert site.databases() == before
    assert site.sim.check(site.master) == []


@HERE
def test_csf_goes_on_after_a_restore_by_hand(site: Site) -> None:
    """The last command on the card rebuilds the manifest, and then csf works as before."""
    before = backed_up(site)
    shutil.rmtree(site.repository)
    for begin in ("mkdir", "osrestore -f", "rm"):
        typed(site, line(site, begin))
    site.image = str(site.images / "next.img")
    done = site.backup()
    assert done.exit_code == 0, done.stderr
    assert ", backup 3 (" in done.stderr
    assert "manifest" not in done.stderr
    assert site.databases() == before


@HERE
def test_the_databases_come_back_by_csf_and_elsewhere(site: Site) -> None:
    """One line restores to the original place, and the other one to another directory."""
    before = backed_up(site)
    elsewhere = site.images.parent / "else where"
    elsewhere.mkdir()
    others = [text.strip() for text in card(site) if text.endswith(" TARGET")]
    typed(site, others[0].replace(" TARGET", f" '{elsewhere}'"))
    assert site.sim.check(str(elsewhere / os.path.basename(site.master))) == []
    shutil.rmtree(site.repository)
    typed(site, line(site, "mkdir"))
    typed(site, f"{line(site, 'csf')} -yes")
    assert site.databases() == before
