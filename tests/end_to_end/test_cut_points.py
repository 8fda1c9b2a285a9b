"""Backups and restores of another host, struck at points spread over all the bytes they exchange.

In whatever moment the network or a process fails: osbackup is started once at most, a success is a
proven backup, a failure has left nothing that it does not tell, nothing of ours goes on on the
host, and the next backup is as good as any. With CSF_TEST_SCALE=20, at 20 points of each kind.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import pytest
from far_site import FarSite, far_site, signalled
from proxy import BOTH, FAR_END, NEVER, Strike, Way, act, cut, drop, stall
from scale import scaled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.remote

AT_WORK = "at-work"  # the point at which osbackup or osrestore has begun

# What happens to the network.
STRIKES: dict[str, Callable[[int], Strike]] = {
    "cut": cut,
    "stalled": stall,
    "lost-there": lambda after: drop(after, Way.UP),
    "lost-back": lambda after: drop(after, Way.DOWN),
    "lost-both": lambda after: drop(after, *BOTH),
}


# What becomes of processes on the host: those of sshd, or what these have started.
DEEDS: dict[str, Callable[[FarSite], object]] = {
    "sessions-killed": lambda site: site.server.cut(),
    "sessions-frozen": lambda site: site.server.freeze(),
    "shells-killed": lambda site: signalled(site.login_shells(), signal.SIGKILL),
    "shells-frozen": lambda site: signalled(site.login_shells(), signal.SIGSTOP),
}


def points(count: int) -> list[float | str]:
    """Return points from 0 to 1, in the middle of equal parts, and the points of the utility."""
    parts = max(1, scaled(count))
    return [*(round((part + 0.5) / parts, 4) for part in range(parts)), AT_WORK]


def byte(point: float | str, whole: int) -> int:
    """Return the number of the byte at a point, counted to a total."""
    return FAR_END if isinstance(point, str) else int(point * whole)


# In ordinary runs the utility is at work for two kinds only: the others are slow.
CASES = [
    (kind, point)
    for point in points(1)
    for kind in STRIKES
    if point != AT_WORK or kind in ("cut", "stalled") or scaled(1) > 1
]


@pytest.fixture
def far(tmp_path: Path) -> Iterator[FarSite]:
    """Return a site on another host, behind a proxy."""
    with far_site(tmp_path) as made:
        yield made


@pytest.fixture(scope="module")
def bytes_of_a_backup(tmp_path_factory: pytest.TempPathFactory) -> int:
    """Return how many bytes are exchanged in a backup without a failure."""
    with far_site(tmp_path_factory.mktemp("backup")) as site:
        return bytes_of(site, site.command())


@pytest.fixture(scope="module")
def bytes_of_a_restore(tmp_path_factory: pytest.TempPathFactory) -> int:
    """Return how many bytes are exchanged in a restore without a failure."""
    with far_site(tmp_path_factory.mktemp("restore")) as site:
        damage(site)
        return bytes_of(site, site.restore_command(*RESTORE))


def bytes_of(site: FarSite, command: list[str]) -> int:
    """Return how many bytes a command exchanges without a failure."""
    ended = site.struck(command, NEVER)
    assert ended.status == 0, ended.said
    return site.proxy.total


@pytest.mark.parametrize(("kind", "point"), CASES)
def test_a_backup_whose_network_fails(
    far: FarSite, bytes_of_a_backup: int, kind: str, point: float | str
) -> None:
    """The backup is proven, or the message names all it has left; the next backup succeeds."""
    strike = STRIKES[kind](byte(point, bytes_of_a_backup))
    ended = far.struck(far.command(), strike, at_work=point == AT_WORK)
    far.check_backup(ended)
    far.check_next_backup()
    far.check_settled()


@pytest.mark.parametrize("deed", DEEDS)
@pytest.mark.parametrize("point", points(1))
def test_a_backup_whose_sessions_or_shells_are_struck(
    far: FarSite, bytes_of_a_backup: int, deed: str, point: float | str
) -> None:
    """The backup is proven, or the message names all that it has left."""
    strike = act(byte(point, bytes_of_a_backup), lambda: DEEDS[deed](far))
    ended = far.struck(far.command(), strike, at_work=point == AT_WORK)
    far.check_backup(ended)
    far.check_next_backup()
    far.check_settled()


def test_a_stalled_backup_goes_on_with_ssh_as_it_is(far: FarSite, bytes_of_a_backup: int) -> None:
    """A backup continues after a stall: the plugin sets time limits where the user sets none."""
    far.variables["CSF_BACKUP_SSH"] = far.server.behind(far.proxy)
    ended = far.struck(far.command(), stall(bytes_of_a_backup * 2 // 3))
    far.check_backup(ended)
    far.check_settled()


@pytest.mark.parametrize("point", points(1))
def test_a_backup_whose_csf_is_killed(
    far: FarSite, bytes_of_a_backup: int, point: float | str
) -> None:
    """Only osbackup continues, to its end; if it had begun, its image can be proven."""
    strike = act(byte(point, bytes_of_a_backup), far.kill_csf)
    ended = far.struck(far.command(), strike, at_work=point == AT_WORK)
    assert ended.status in (-signal.SIGKILL, 0)
    far.check_settled()
    assert far.starts() <= 1
    if os.path.exists(f"{far.image}.receipt.json"):
        far.check_image()
    elif os.path.exists(f"{far.image}.run"):
        proved = far.on_image("admin_database_prove")
        assert proved.exit_code == (0 if far.starts() else 41), proved.stderr
    far.check_next_backup()


RESTORE = ("-yes", "-quarantine")


def damage(site: FarSite) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Back up, damage a database, create one; return the databases before and after that."""
    made = site.sim.run([*site.command()[:-1], f"localhost:{site.image}"])
    assert made.exit_code == 0, made.stderr
    before = site.databases()
    spoilt = next(path for path in before if path != site.master)
    site.create("Newer")
    with open(spoilt, "ab") as file:
        file.write(b"spoilt")
    return before, site.databases()


@pytest.mark.parametrize(("kind", "point"), CASES)
def test_a_restore_whose_network_fails(
    far: FarSite, bytes_of_a_restore: int, kind: str, point: float | str
) -> None:
    """All databases are restored, unchanged or marked as unfinished; a repetition succeeds."""
    strike = STRIKES[kind](byte(point, bytes_of_a_restore))
    check_restore(far, strike, at_work=point == AT_WORK)


@pytest.mark.parametrize("point", points(1))
def test_a_restore_whose_sessions_are_killed(
    far: FarSite, bytes_of_a_restore: int, point: float | str
) -> None:
    """All databases are restored, unchanged or marked as unfinished; a repetition succeeds."""
    strike = act(byte(point, bytes_of_a_restore), far.server.cut)
    check_restore(far, strike, at_work=point == AT_WORK)


def check_restore(far: FarSite, strike: Strike, *, at_work: bool) -> None:
    """Check that all databases are restored, unchanged or marked unfinished; restore again."""
    before, damaged = damage(far)
    command = far.restore_command(*RESTORE)
    ended = far.struck(command, strike, at_work=at_work)
    assert far.starts() <= 1
    is_marked = os.path.exists(f"{far.master}.unfinished-restore")
    if ended.status == 0:
        assert far.databases() == before
        assert not is_marked
    else:
        assert is_marked or far.databases() in (before, damaged), ended.said
    again = far.sim.run(command)
    assert again.exit_code == 0, again.stderr
    assert far.databases() == before
    assert far.sim.check(far.master) == []
    far.check_settled()
