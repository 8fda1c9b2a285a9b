"""One large database: the plugin's commands beside the simulator's utilities and other tools.

The page cache is warm. borg and restic are left out where they are not installed. They read the
files as they are, as cp and tar do: of databases in use, that is no backup.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from benchmarks import other_tools
from benchmarks.bench import Bench, bench, then
from benchmarks.earlier import with_earlier
from benchmarks.table import Table
from benchmarks.timing import Case, alternate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.sizes import Sizes

_MIB = 1 << 20
_SHA256 = """
import hashlib, sys
sha256, buffer = hashlib.sha256(), bytearray(1 << 20)
with open(sys.argv[1], "rb", buffering=0) as file:
    while count := file.readinto(buffer):
        sha256.update(memoryview(buffer)[:count])
"""
_BACKUP, _SYNCED, _PASS = "csf backup", "osbackup and fsync", "SHA-256 of the image"
_RESTORED = "osrestore and fsync"


def tables(sizes: Sizes) -> Iterator[Table]:
    """Measure all tools with the first size, and what the plugin is made for with the others."""
    for number, mebibytes in enumerate(sizes.mebibytes):
        with bench(1, mebibytes * _MIB) as site:
            first = number == 0
            cases = [*_copies(site), *(_tools(site) if first else ()), *_commands(site)]
            cases = [*with_earlier(cases, sizes.before)]
            costs = alternate(cases, sizes.rounds, site.environment)
        yield Table(f"one database of {mebibytes:,} MiB", cases, costs)


def _copies(site: Bench) -> Iterator[Case]:
    """Yield what copies: cp, and the utilities alone."""
    copy = str(site.root / "copy")
    cp = ["cp", "-r", "--reflink=never", site.repository, copy]
    yield Case("cp", cp, prepare=site.emptied("copy"))
    yield Case("osbackup", site.osbackup("bare/image"), "cp", 1.3, site.emptied("bare"))
    osrestore = site.osrestore("bare/image", "copy")
    yield Case("osrestore", osrestore, "cp", 1.3, site.emptied("copy"))
    yield Case("osrestore -t", ["osrestore", "-t", "-f", str(site.root / "bare/image")], "cp")


def _tools(site: Bench) -> Iterator[Case]:
    """Yield tar and the backup tools."""
    tar = ["tar", "-cPf", str(site.root / "copy" / "tar"), site.repository]
    yield Case("tar", tar, prepare=site.emptied("copy"))
    yield from other_tools.cases(site.root, site.repository, site.environment)


def _commands(site: Bench) -> Iterator[Case]:
    """Yield the plugin's commands, each beside the least that it could do."""
    synced, image = "synced/image", "backup/image"
    osbackup = then(site.osbackup(synced), "sync", str(site.root / synced))
    yield Case(_SYNCED, osbackup, prepare=site.emptied("synced"))
    bare = site.csf_of_all("backup", "unsummed/image", "-no-checksum")
    yield Case(f"{_BACKUP} -no-checksum", bare, _SYNCED, 1.35, site.emptied("unsummed"))
    backup = site.csf_of_all("backup", image)
    yield Case(_BACKUP, backup, _SYNCED, 1.85, site.emptied("backup"))
    yield Case(_PASS, [sys.executable, "-I", "-c", _SHA256, str(site.root / image)])
    yield Case("csf verify", site.csf("verify", image), _PASS)
    yield Case("csf restore -dry-run", site.csf_of_all("restore", image, "-dry-run"), _PASS)
    osrestore = then(site.osrestore(image, "copy"), "sync", "-f", str(site.root / "copy"))
    yield Case(_RESTORED, osrestore, prepare=site.emptied("copy"))
    yield Case("csf restore", site.csf_of_all("restore", image, "-yes"), _RESTORED)
