"""A failure or a signal in any step of the proof, whose steps run at once, loses nothing.

fsync, `osrestore -t` and SHA-256 overlap. One of them is struck at a chosen call, while the others
are wherever they are.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from scale import scaled

if TYPE_CHECKING:
    from pathlib import Path

    from csf_simulator.simulator import Result
    from sites import Site

CHUNK = 128  # bytes that are read at a time for the SHA-256

# csf, one of whose calls is struck. In osrestore, `OSRESTORE` strikes.
PROGRAM = f"""
import errno, itertools, os, signal, sys
from csf_backup_plugin.hosts.local import reading, syncing
from csf_simulator.csf.main import main
branch, stroke, at = sys.argv.pop(), sys.argv.pop(), int(sys.argv.pop())
os.environ.update(STROKE=stroke, AT=str(at), CSF=str(os.getpid()))
calls = itertools.count(1)
def strike():
    if next(calls) != at:
        return
    if stroke == "EIO":
        raise OSError(errno.EIO, os.strerror(errno.EIO))
    os.kill(os.getpid(), signal.Signals["SIG" + stroke])
if branch == "fsync":
    sync = syncing.sync
    syncing.sync = lambda path: (strike(), sync(path))[1]
elif branch == "SHA-256":
    digest, reading._CHUNK = reading.digest, {CHUNK}
    reading.digest = lambda path, progress, cancellation: digest(
        path, lambda done: (strike(), progress(done)), cancellation
    )
main()
"""
# It strikes before it lists the image, or after that.
OSRESTORE = """#!/bin/sh
strike() {{
    [ "$STROKE" != EIO ] || {{ echo "Input/output error" >&2; exit 5; }}
    kill -s "$STROKE" "$CSF"
}}
[ "$AT" != 1 ] || strike
{real} "$@"
status=$?
[ "$AT" != 2 ] || strike
exit $status
"""


def struck(site: Site, branch: str, stroke: str, at: int) -> Result:
    """Back up, with one call of a branch of the proof struck."""
    argv = [sys.executable, "-c", PROGRAM, *site.command()[1:], str(at), stroke, branch]
    wrapper = site.images.parent / "osrestore"
    unmeasured = {name: "" for name in os.environ if name.startswith("COVERAGE_")}
    utility = {"CSF_BACKUP_OSRESTORE": str(wrapper)} if branch == "osrestore -t" else {}
    return site.sim.run(argv, env={**unmeasured, **utility})


def points(total: int) -> list[int]:
    """Return the calls to strike, spread over all."""
    count = min(total, scaled(1))
    return [1 + at * total // count for at in range(count)]


@pytest.mark.timeout(300 + 20 * scaled(1))
@pytest.mark.parametrize("branch", ["fsync", "osrestore -t", "SHA-256"])
def test_a_struck_proof_is_no_backup_and_the_next_is_one(
    local_site: Site, tmp_path: Path, branch: str
) -> None:
    """After a kill, `prove` gives the image its receipt; otherwise nothing is left."""
    site = local_site
    wrapper = tmp_path / "osrestore"
    wrapper.write_text(OSRESTORE.format(real=os.path.join(site.sim.home.bin, "osrestore")))
    wrapper.chmod(0o755)
    site.image = str(site.images / "0.img")
    assert site.backup().exit_code == 0
    chunks = -(-os.path.getsize(site.image) // CHUNK)
    total = {"fsync": 2, "osrestore -t": 2, "SHA-256": chunks}[branch]
    codes = {"EIO": 41 if branch == "osrestore -t" else 1, "TERM": 143, "KILL": -9}
    ended: Counter[str] = Counter()
    for stroke, code in codes.items():
        for at in points(total):
            site.image = str(site.images / f"{stroke}{at}.img")
            before = site.listing()
            ended[f"{stroke} {_ended(site, struck(site, branch, stroke, at), code, before)}"] += 1
            site.create(f"{stroke}{at}")  # nothing holds the repository's lock any more
    print(f"{branch}: {sum(ended.values())} strokes at {total} calls; {dict(ended)}")
    assert sum(ended.values()) == len(codes) * len(points(total))


def _ended(site: Site, result: Result, expected: int, before: object) -> str:
    """Return how a struck backup ended; check that this is told truly, and the next one works."""
    if expected == -9:
        assert result.exit_code == -9, result.stderr
        assert not os.path.exists(f"{site.image}.receipt.json")
        proven = site.on_image("admin_database_prove", "-wait", "60")
        assert proven.exit_code == 0, proven.stderr
    else:
        assert result.exit_code == expected, result.stderr
        assert "What this run had created was removed" in result.stderr
        unchanged = site.listing()
        manifest = f"{site.master}.manifest"
        assert {**unchanged, manifest: 0} == {**before, manifest: 0}  # type: ignore[dict-item]
        assert site.backup().exit_code == 0
    verified = site.on_image("admin_database_verify")
    assert verified.exit_code == 0, verified.stderr
    return str(result.exit_code)
