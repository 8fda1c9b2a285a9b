"""The status of a fleet has a row for each section, even if its host is down."""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from rotating import DAY, MONDAY, TimedHost, resealed, rotated

from csf_backup_plugin.attempts.reading import Attempts
from csf_backup_plugin.errors import FaultFound, HostUnreachable, Interrupted, Stale
from csf_backup_plugin.fleet.file import read_fleet
from csf_backup_plugin.fleet.status import look_at_fleet, request_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager

    from conftest import Place

    from csf_backup_plugin.fleet.status import FleetStatus
    from csf_backup_plugin.hosts.protocol.host import Host

pytestmark = pytest.mark.usefixtures("tools")

HOUR = DAY / 24


def no_ledger() -> Attempts:
    """Replace the ledger by an empty one."""
    raise FileNotFoundError


@contextlib.contextmanager
def reached(name: str, at: Any = MONDAY + HOUR) -> Iterator[Host]:
    """Reach this machine by any name but far's."""
    if name == "far":
        raise HostUnreachable("far is away.", "Wait.")
    host = TimedHost(at)
    host.name = name
    yield host


class Bench:
    """A fleet file beside a place, whose first section is the place's repository.

    Args:
        place: the place.
    """

    def __init__(self, place: Place) -> None:
        self.place = place
        self.root = place.images.parent
        self.path = self.root / "fleet.ini"
        self.sections: list[str] = []
        self.section("lib", place.master)

    def section(self, name: str, master: str, *lines: str, host: str = "localhost") -> None:
        """Add a section, with the place's image directory unless another is given."""
        dirs = [] if "image-dirs" in "".join(lines) else [f"image-dirs = {self.place.images}"]
        keys = [f"database = {host}:{master}", *dirs, *lines]
        self.sections.append("\n".join([f"[{name}]", *keys, ""]))

    def look(
        self,
        *names: str,
        on: Callable[[str], AbstractContextManager[Host]] = reached,
        at_once: int = 8,
        **ages: Any,
    ) -> FleetStatus:
        """Return the fleet's status."""
        self.path.write_text("".join(self.sections))
        fleet = read_fleet(str(self.path))
        chosen = fleet.only(names)
        request = request_of(chosen, **ages)
        return look_at_fleet(fleet, chosen, request, on, no_ledger, at_once)


@pytest.fixture
def bench(place: Place) -> Bench:
    """Return a fleet whose first repository was backed up, and never drilled."""
    rotated(place)
    return Bench(place)


def test_each_section_has_a_row_and_the_worst_is_first(bench: Bench) -> None:
    """A host that is down, and a repository without a backup, are never green."""
    bench.sections[0] += "max-drill-age = none\n"
    bench.section("maps", "/databases/maps.db")
    bench.section("far", "/databases/far.db", host="far")
    found = bench.look()
    assert [(row.name, row.state) for row in found.rows] == [
        ("far", "unreached"),
        ("maps", "stale"),
        ("lib", "ok"),
    ]
    assert isinstance(found.status.problem, HostUnreachable)
    without = bench.look("maps", "lib").status.problem
    assert isinstance(without, Stale)
    assert "maps: /databases/maps.db on localhost has no proven image" in without.what
    assert bench.look("lib").status.problem is None


def test_a_fault_is_the_worst(bench: Bench) -> None:
    """Its exit code is that of the fleet, too."""
    bench.section("far", "/databases/far.db", host="far")
    (image,) = bench.place.images.glob("*/*.img")
    image.write_bytes(b"x")
    found = bench.look()
    assert [row.state for row in found.rows] == ["fault", "unreached"]
    assert isinstance(found.status.problem, FaultFound)
    assert found.status.problem.findings[0].startswith(f"lib: localhost:{image} holds 1 bytes")


def test_images_that_no_section_names_are_reported(bench: Bench) -> None:
    """If the section only was not selected, nothing is reported."""
    other = bench.root / "other.db"
    bench.sections.clear()
    bench.section("other", str(other), "max-drill-age = none")
    found = bench.look()
    assert found.status.warnings == [
        f"there are images of {bench.place.master} on localhost, which no section of "
        f"{bench.path} names"
    ]
    assert [(row.name, row.state) for row in found.rows] == [("other", "stale")]
    bench.section("lib", bench.place.master)
    assert bench.look("other").status.warnings == []
    assert [row.name for row in bench.look("other").rows] == ["other"]


def test_the_option_holds_before_the_file_and_that_before_the_promise(place: Place) -> None:
    """A difference between them is reported."""
    rotated(place, every=7 * 86400.0)
    bench = Bench(place)

    def late(*lines: str, **ages: Any) -> tuple[list[str], list[str]]:
        bench.sections.clear()
        bench.section("lib", place.master, *lines)
        (row,) = bench.look(on=lambda name: reached(name, MONDAY + 2 * DAY), **ages).rows
        assert row.health
        return [*row.health.stale], [*row.health.notes]

    never_drilled = f"no image of {place.master} was ever restored by a drill"
    assert late() == ([never_drilled], [])
    stale, notes = late("every = 24h", "max-drill-age = none")
    assert ("is 2 d old, and may be 30 h" in stale[0], len(stale)) == (True, 1)
    assert notes == ["the fleet file says 30 h; a set is promised each 7 d"]
    stale, notes = late("every = 24h", "max-age = 3d", "drill-every = 7d", "scratch-dir = /t")
    assert (stale, notes) == (
        [never_drilled],
        ["the fleet file says 3 d; a set is promised each 7 d"],
    )
    stale, notes = late("max-age = 3d", max_age=3600.0, max_drill_age=0.0)
    assert ("is 2 d old, and may be 60 min" in stale[0], len(stale)) == (True, 1)
    assert notes == [
        "-max-age says 60 min, and the fleet file 3 d",
        "-max-age says 60 min; a set is promised each 7 d",
    ]


def test_a_drill_that_is_promised_otherwise_is_reported(place: Place) -> None:
    """The rule is the same as for sets."""
    rotated(place, every=86400.0, drill_every=7 * 86400.0, scratch=str(place.images.parent))
    bench = Bench(place)
    bench.sections[0] += "every = 24h\nmax-drill-age = 20d\n"
    (row,) = bench.look().rows
    assert row.health
    assert row.health.notes == ("the fleet file says 20 d; a drill is promised each 7 d",)


def test_a_directory_that_cannot_be_read_is_a_finding_of_its_own_section(bench: Bench) -> None:
    """It is reported once."""
    gone = bench.root / "gone"
    bench.sections[0] += "max-drill-age = none\n"
    bench.section("maps", "/databases/maps.db", f"image-dirs = {gone}")
    found = bench.look()
    text = f"localhost:{gone} cannot be read: No such file or directory"
    by_name = {row.name: row.health for row in found.rows}
    assert by_name["maps"]
    assert by_name["lib"]
    assert text in by_name["maps"].stale
    assert by_name["lib"].stale == ()
    assert (found.status.unread, found.status.unread_besides) == ([text], [])
    assert found.status.problem
    assert found.status.problem.what.count(text) == 1


def test_room_is_told_of_a_sections_own_directories(bench: Bench) -> None:
    """They come from the file, since nothing was promised."""
    others = bench.root / "others"
    others.mkdir()
    bench.section("maps", "/databases/maps.db", f"image-dirs = {others}")
    by_name = {row.name: row.health for row in bench.look().rows}
    assert by_name["lib"]
    assert [*by_name["lib"].room] == [str(bench.place.images)]


def test_two_sections_of_one_repository_are_a_fault(bench: Bench) -> None:
    """A link may cause it; both have rows."""
    os.symlink(bench.place.repository, bench.root / "link")
    bench.section("again", f"{bench.root}/link/lib.db")
    found = bench.look()
    assert sorted(row.name for row in found.rows) == ["again", "lib"]
    assert isinstance(found.status.problem, FaultFound)
    assert "is the database of another section, too, by a link" in found.status.problem.what


def test_images_of_two_repositories_at_one_path_are_two_rows(bench: Bench) -> None:
    """Both have rows as long as it is unknown which is the section's own."""
    others = bench.root / "others"
    shutil.copytree(bench.place.images, others)
    for receipt in others.glob("*/*.receipt.json"):
        image = str(receipt).removesuffix(".receipt.json")
        Path(receipt).write_bytes(resealed(str(receipt), image=image, repository_id="f" * 32))
    shutil.rmtree(bench.place.repository)
    dirs = f"image-dirs = {bench.place.images}\n  {others}"
    bench.sections.clear()
    bench.section("lib", bench.place.master, dirs)
    assert [row.name for row in bench.look().rows] == ["lib", "lib"]


def test_hosts_are_asked_at_once_and_each_once(bench: Bench) -> None:
    """A host may have many repositories; there is a limit on hosts at once."""
    bench.section("maps", "/databases/maps.db")
    for number in range(4):
        bench.section(f"x{number}", f"/databases/x{number}.db", host=f"db{number}")
    asked: list[str] = []
    at_work, most = threading.Semaphore(2), threading.Barrier(2)

    @contextlib.contextmanager
    def on(name: str) -> Iterator[Host]:
        asked.append(name)
        assert at_work.acquire(blocking=False)  # never more than two
        if name in ("localhost", "db0"):
            most.wait()  # for the other host, which must be asked in parallel
        with reached(name) as host:
            yield host
        at_work.release()

    found = bench.look(on=on, at_once=2)
    assert sorted(asked) == ["db0", "db1", "db2", "db3", "localhost"]
    assert len(found.rows) == 6


def test_a_signal_ends_it(bench: Bench) -> None:
    """It is no answer of a host."""

    @contextlib.contextmanager
    def on(name: str) -> Iterator[Host]:
        yield from ()
        raise Interrupted(15, f"The status of {name}")

    with pytest.raises(Interrupted):
        bench.look(on=on)
