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
from benchmarks.memory import then_touched
from benchmarks.table import Table
from benchmarks.timing import Case, alternate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

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
_RESTORED, _IMAGE = "osrestore and fsync", "backup/image"


def tables(sizes: Sizes) -> Iterator[Table]:
    """Measure everything with the first size; with the others, only backups, which take long."""
    first, *others = sizes.mebibytes
    yield _measured(first, ", the utilities alone", _utilities, sizes)
    yield _measured(first, "", _everything, sizes)
    for mebibytes in others:
        yield _measured(mebibytes, "", _large, sizes)


def _measured(
    mebibytes: int, what: str, cases_of: Callable[[Bench], Iterable[Case]], sizes: Sizes
) -> Table:
    """Measure cases in a repository with a database of a size."""
    with bench(1, mebibytes * _MIB) as site:
        cases = [*with_earlier(cases_of(site), sizes.before)]
        costs = alternate(cases, sizes.rounds, site.environment)
    return Table(f"one database of {mebibytes:,} MiB{what}", cases, costs)


def _utilities(site: Bench) -> Iterator[Case]:
    """Yield the utilities alone, each of which gets the memory that the one before it has freed."""
    yield from (*_written(site), *_read(site), _tar(site))


def _everything(site: Bench) -> Iterator[Case]:
    """Yield what backs up, checks and restores."""
    for case in (
        *_backups(site),
        *_checks(site),
        *other_tools.cases(site.root, site.repository, site.environment),
    ):
        yield case._replace(prepare=then_touched(case.prepare, site.repository, site.root))


def _large(site: Bench) -> Iterator[Case]:
    """Yield what backs up a database that fills much of the memory."""
    yield from (*_written(site), *_backups(site))


def _written(site: Bench) -> Iterator[Case]:
    """Yield the commands that write a copy: cp, and osbackup alone."""
    copy = str(site.root / "copy")
    cp = ["cp", "-r", "--reflink=never", site.repository, copy]
    yield Case("cp", cp, prepare=site.emptied("copy"))
    yield Case("osbackup", site.osbackup("bare/image"), "cp", 1.3, site.emptied("bare"))


def _read(site: Bench) -> Iterator[Case]:
    """Yield the command that reads an image: osrestore alone."""
    osrestore = site.osrestore("bare/image", "copy")
    yield Case("osrestore", osrestore, "cp", 1.3, site.emptied("copy"))
    yield Case("osrestore -t", ["osrestore", "-t", "-f", str(site.root / "bare/image")], "cp")


def _tar(site: Bench) -> Case:
    """Return tar, into a directory that is emptied."""
    argv = ["tar", "-cPf", str(site.root / "copy" / "tar"), site.repository]
    return Case("tar", argv, "cp", prepare=site.emptied("copy"))


def _backups(site: Bench) -> Iterator[Case]:
    """Yield backups, each beside the minimum that they could do."""
    synced = "synced/image"
    osbackup = then(site.osbackup(synced), "sync", str(site.root / synced))
    yield Case(_SYNCED, osbackup, prepare=site.emptied("synced"))
    bare = site.csf_of_all("backup", "unsummed/image", "-no-checksum")
    yield Case(f"{_BACKUP} -no-checksum", bare, _SYNCED, 1.35, site.emptied("unsummed"))
    backup = site.csf_of_all("backup", _IMAGE)
    yield Case(_BACKUP, backup, _SYNCED, 1.85, site.emptied("backup"))


def _checks(site: Bench) -> Iterator[Case]:
    """Yield commands that read an image, and a restore, each beside the minimum it could do."""
    yield Case(_PASS, [sys.executable, "-I", "-c", _SHA256, str(site.root / _IMAGE)])
    yield Case("csf verify", site.csf("verify", _IMAGE), _PASS)
    yield Case("csf restore -dry-run", site.csf_of_all("restore", _IMAGE, "-dry-run"), _PASS)
    osrestore = then(site.osrestore(_IMAGE, "copy"), "sync", "-f", str(site.root / "copy"))
    yield Case(_RESTORED, osrestore, prepare=site.emptied("copy"))
    yield Case("csf restore", site.csf_of_all("restore", _IMAGE, "-yes"), _RESTORED)
