"""Many small databases: what grows with their number, beside the utilities alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.bench import Bench, bench, then
from benchmarks.earlier import with_earlier
from benchmarks.table import Table
from benchmarks.timing import Case, alternate

from csf_backup_plugin.exit_codes import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.sizes import Sizes

_BASES = 2  # databases of a repository without a class
_RESTORED = "osrestore and sync"


def tables(sizes: Sizes) -> Iterator[Table]:
    """Measure repositories of each number of databases."""
    for databases in sizes.databases:
        with bench(databases - _BASES) as site:
            cases = [*with_earlier(_cases(site), sizes.before)]
            costs = alternate(cases, sizes.rounds, site.environment)
        yield Table(f"{databases:,} databases", cases, costs)


def _cases(site: Bench) -> Iterator[Case]:
    """Yield the commands; what is restored is what was backed up in the same round."""
    image, places = "backup/image", f"localhost:{site.root / 'places'}"
    dry_run = site.csf_of_all("backup", image, "-dry-run")
    yield Case("csf backup -dry-run", dry_run, prepare=site.emptied("backup"))
    yield Case("osbackup", site.osbackup("bare/image"), prepare=site.emptied("bare"))
    backup = site.csf_of_all("backup", image)
    yield Case("csf backup", backup, "osbackup", prepare=site.emptied("backup"))
    yield Case("csf verify", site.csf("verify", image), "osbackup")
    osrestore = ["osrestore", "-f", str(site.root / image)]
    yield Case("osrestore", osrestore)
    yield Case(_RESTORED, then(osrestore, "sync", "-f", site.repository), "osrestore")
    yield Case("csf restore", site.csf_of_all("restore", image, "-yes"), "osrestore", 2.0)
    directory = ["-image-dir", places]
    (site.root / "places").mkdir()
    rotate = ["csf", "admin_database_rotate", "-database", site.master, *directory, "-yes"]
    yield Case("csf rotate", rotate, "osbackup")
    status = ["csf", "admin_database_status", *directory]
    never_drilled = (ExitCode.STALE,)
    yield Case("csf status", status, "csf backup -dry-run", accepted=never_drilled)
