"""``python tests/benchmarks/fleet_night.py`` drives a fleet through a bad night, and counts.

The night is `fleet_site.scenario`, of which the end-to-end tests have a small one. The figures of a
large one are in docs/scale.md.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks import machine
from fleet_site import FleetSite, scenario

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from fleet_site import Night

_MIB = 1 << 20


def main(words: Sequence[str]) -> None:
    """Measure a night, and print a table."""
    parser = argparse.ArgumentParser("fleet_night.py", description=main.__doc__)
    parser.add_argument("--repositories", type=int, default=200)
    parser.add_argument("--hosts", type=int, default=10)
    parser.add_argument("--full", type=int, default=4, help="repositories whose disk is full")
    parser.add_argument("--kill-at", type=int, default=25, help="backups before the kill")
    options = parser.parse_args(words)
    print(f"{machine.description()}\n", flush=True)
    with tempfile.TemporaryDirectory() as root:
        # On the first hosts, of which none is gone.
        full = tuple(number * options.hosts for number in range(options.full))
        site = FleetSite(Path(root), options.repositories, options.hosts, full)
        night = scenario(site, options.hosts - 1, options.kill_at)
        print("\n".join(rows(site, night)))
    print(f"\nLoad at the end: {machine.load()}.")


def rows(site: FleetSite, night: Night) -> Iterator[str]:
    """Yield the rows of the table."""
    figures = [*_counts(site, night)]
    for name, ended in (("second", night.second), ("third", night.third)):
        each = ended.processor / len(ended.document["jobs"])
        figures += [
            (f"{name} driver, in all", f"{ended.seconds:.0f} s"),
            ("processor time of its own", f"{ended.processor:.2f} s"),
            ("the same for each job", f"{each * 1000:.0f} ms"),
            ("memory", f"{ended.memory / _MIB:.0f} MiB"),
        ]
    yield from ("| figure | value |", "|---|---:|")
    yield from (f"| {name} | {value} |" for name, value in figures)


def _counts(site: FleetSite, night: Night) -> Iterator[tuple[str, str]]:
    sets, starts = Counter(site.proven().values()), Counter(site.starts())
    codes = Counter(one["exit_code"] for one in night.second.document["jobs"])
    yield "repositories on hosts", f"{sets.total():,} on {len(site.servers):,}"
    yield "osbackups begun when the first driver was killed", f"{night.killed:,}"
    for code, jobs in sorted(codes.items()):
        yield f"jobs of the second driver that ended with {code}", f"{jobs:,}"
    yield "repositories with one proven set", f"{sets[1]:,}"
    yield "with more than one", f"{sets.total() - sets[0] - sets[1]:,}"
    yield "osbackups beside another one of the same repository", f"{len(site.twice()):,}"
    yield "behind another one of the same run", f"{sum(n > 1 for n in starts.values()):,}"
    yield "sets that a third driver made", f"{night.made_by_third():,}"
    yield "logins of the second driver's jobs", f"{night.made:,}"
    yield "logins that an sshd dropped (MaxStartups 10:30:100)", f"{site.dropped():,}"


if __name__ == "__main__":
    main(sys.argv[1:])
