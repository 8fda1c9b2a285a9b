"""Nights of rotations by the real command, each at its own time, and what holds after each."""

from __future__ import annotations

import collections
import datetime
import hashlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from cards import is_of_a_card
from promised_sets import PLACES, are_frozen, found_sets, promised
from scale import scaled
from waiting import wait_for

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from faked_clock import FakedClock
    from promised_sets import Sets

    from csf_simulator.simulator import Result
    from sites import Site

DONE, FAULT_FOUND, WITHHELD = 0, 50, 71
FULL = {11, 40}  # NO_SPACE, or osbackup failed
KILLED = -signal.SIGKILL
_FUSE = 2
_TEMPORARY = ".csf-"
_ENDED = "ended by {}"
_LATER = datetime.timedelta(hours=1)


class Ran(NamedTuple):
    """What a run has done.

    Attributes:
        code: its exit code.
        facts: its outcome; empty if it was killed.
        made: the sets that it has made, or proven.
        gone: the sets that it has removed.
    """

    code: int
    facts: dict[str, Any]
    made: Sets
    gone: Sets


class Nights:
    """Two repositories whose masters have the same name, and two image directories for both.

    Args:
        site: the site of the first repository.
        clock: what the commands see.
        counts: how many dated sets are kept, by the form of their dates.
        dice: what decides when a run is killed.
    """

    def __init__(
        self, site: Site, clock: FakedClock, counts: Mapping[str, int], dice: random.Random
    ) -> None:
        self._sim = site.sim
        self.clock = clock
        self._counts = counts
        self._dice = dice
        self.master = site.master
        self.other = self._sim.repository(classes=1)
        self.disks = [site.images / "one", site.images / "two"]
        self.scratch = site.images.parent / "scratch"
        for path in (*self.disks, self.scratch):
            path.mkdir()
        self.out_of_order: set[str] = set()
        self.done: collections.Counter[str] = collections.Counter()
        self._lasted = 1.0
        self._others: dict[Path, tuple[int, str]] = {}

    @property
    def present(self) -> list[Path]:
        """The image directories that exist."""
        return [disk for disk in self.disks if disk.exists()]

    def sets(self, master: str | None = None) -> Sets:
        """Return the sets of a repository that can be read."""
        return found_sets(self.present, master or self.master)

    def keep_watch(self) -> None:
        """From now on, check that files of others do not change."""
        self._date_files()
        owned = {*self.sets(), *self.sets(self.other)}
        self._others = {path: _state(path) for path in self._files() if not _is_of(path, owned)}

    def at(self, moment: datetime.datetime, *command: str) -> Result:
        """Run another command at a time."""
        ended = self._sim.run(command, env=self.clock.set(moment))
        self._date_files()
        return ended

    def night(
        self,
        moment: datetime.datetime,
        *options: str,
        master: str | None = None,
        kill: bool = False,
        is_full: bool = False,
        is_back: bool = False,
    ) -> Ran:
        """Run a rotation, and check what it has done.

        Args:
            moment: when.
            options: more than usual.
            master: the repository's master database; the first one's if none is given.
            kill: whether csf is killed: every other time at a random moment, else when osbackup has
                begun, which goes on and leaves a set without a receipt.
            is_full: whether no disk takes an image.
            is_back: whether the clock is back.
        """
        before = self.sets(master)
        code, facts, said = self._run(moment, self._command(master, *options), kill=kill)
        self._date_files()
        after = self.sets(master)
        made = {path: one for path, one in after.items() if path not in before}
        gone = {path: one for path, one in before.items() if path not in after}
        if is_back:
            self.out_of_order.update(made)
        ran = Ran(code, facts, made, gone)
        self._count(ran)
        seen = {**before, **after}
        goes = {*seen} - promised(seen, self._counts, self.out_of_order)
        withheld = "-yes" not in options and _is_withheld(seen, goes)
        if code == KILLED:
            assert {*gone} <= (set() if withheld else goes), said
        elif is_full:
            # The image of the run that was killed before may exist, and be proven.
            proven = facts["left"].count("is proven now")
            assert (code in FULL, len(made), gone) == (True, proven, {}), said
        elif withheld:
            assert (code, gone) == (WITHHELD, {}), said
        else:
            assert code == (FAULT_FOUND if facts["drill_problem"] else DONE), said
            assert {*gone} == goes, said
            assert code == DONE or "Its drill failed: " in said, said
            if master is None:  # a killed run of that one may have left something
                self._check_files()
        self._check_others()
        if master is None and (scaled(1) > 1 or self.done["nights"] % 3 == 0):
            self._check_status(moment)
        return ran

    def _check_status(self, moment: datetime.datetime) -> None:
        """Check that a status is good only with a complete, drilled set that is not late."""
        tops = [word for disk in self.present for word in ("-image-dir", f"localhost:{disk}")]
        ended = self.at(moment + _LATER, "csf", "admin_database_status", *tops, "-json")
        told = [o for o in json.loads(ended.stdout)["repositories"] if o["master"] == self.master]
        sets = self.sets()
        for one in told:
            verdict = "fault" if one["faults"] else "stale" if one["stale"] else "ok"
            self.done[f"status {verdict}"] += 1
        if sets and all(not (one["faults"] or one["stale"]) for one in told):
            newest = max(sets.values(), key=lambda one: one.number)
            assert told, ended.stdout
            assert is_whole(newest.image, newest.sha256)
            assert newest.drill is not False
            ages = [one["sets"][0]["age_seconds"] for one in told]
            assert all(age <= one["max_age_seconds"] for age, one in zip(ages, told, strict=True))

    def fill_disks(self, *, once: bool) -> None:
        """Fill all disks, or check that one fails to take an image."""
        self._sim.fault("osbackup", "enospc", "4k", always=not once)

    def free_disks(self) -> None:
        """Empty all disks again."""
        self._sim.faults.clear()

    def _command(self, master: str | None, *options: str) -> list[str]:
        directories = [word for disk in self.disks for word in ("-image-dir", f"localhost:{disk}")]
        names = {"%Y-%m-%d": "-keep-dated", "%Y-%m": "-keep-monthly", "%Y": "-keep-yearly"}
        kept = [word for form, n in self._counts.items() for word in (names[form], str(n))]
        drill = ["-drill-every", "7d", "-scratch-dir", str(self.scratch)]
        of = ["-database", master or self.master]
        return ["csf", "admin_database_rotate", *of, *directories, *kept, *drill, *options, "-json"]

    def _run(
        self, moment: datetime.datetime, command: list[str], *, kill: bool
    ) -> tuple[int, dict[str, Any], str]:
        if not kill:
            began = time.monotonic()
            ended = self._sim.run(command, env=self.clock.set(moment))
            self._lasted = time.monotonic() - began
            said = f"{moment}: {ended.exit_code}\n{ended.stdout}{ended.stderr}"
            return ended.exit_code, json.loads(ended.stdout), said
        environment = {**self._sim.home.environment(os.environ), **self.clock.set(moment)}
        with subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        ) as process:
            until = time.monotonic() + self._dice.uniform(0, self._lasted)
            if self.done[_ENDED.format("kill")] % 2:
                wait_for(lambda: process.poll() is not None or time.monotonic() > until)
            else:
                known = self._records()
                wait_for(lambda: process.poll() is not None or self._records() != known)
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        return KILLED, {}, f"{moment}: killed"

    def _records(self) -> set[Path]:
        """Return the run records of all osbackups that have begun."""
        return {path for disk in self.present for path in disk.glob("*/*.run/pid")}

    def _count(self, ran: Ran) -> None:
        self.done["nights"] += 1
        self.done[_ENDED.format("kill" if ran.code == KILLED else ran.code)] += 1
        self.done["sets made"] += len(ran.made)
        self.done["sets removed"] += len(ran.gone)
        self.done["drills"] += bool(ran.facts.get("drilled"))
        for told in ran.facts.get("also_done", ()):
            self.done["leftovers proven"] += told.endswith("is proven now")
            self.done["leftovers removed"] += "was removed" in told

    def _date_files(self) -> None:
        self.clock.date_files(map(str, (*self.present, Path(self.master).parent)))

    def _files(self) -> list[Path]:
        """Return all files in the image directories and their places, except recovery cards."""
        paths = [path for disk in self.present for path in disk.rglob("*") if path.is_file()]
        return [path for path in paths if not is_of_a_card(str(path))]

    def _check_files(self) -> None:
        """Check that the places have no files but those of the existing sets."""
        whole = {*self.sets(), *self.sets(self.other)}
        for path in self._files():
            if path.parent.name in PLACES and path not in self._others:
                is_temporary = path.name.startswith(_TEMPORARY)
                assert is_temporary or _is_of(path, whole), f"{path} belongs to nothing"

    def _check_others(self) -> None:
        for path, state in self._others.items():
            if any(path.is_relative_to(disk) for disk in self.present):
                assert _state(path) == state, f"{path} was changed"

    def verify(self, moment: datetime.datetime, top: Path) -> None:
        """Verify the newest set of a directory by the command."""
        named = ("-database", self.master, "-image-file", f"localhost:{top}/latest")
        ended = self.at(moment, "csf", "admin_database_verify", *named)
        assert ended.exit_code == 0, ended.stderr
        self.done["verified"] += 1

    def restore(self, image: str) -> None:
        """Restore a set, and check everything in it."""
        copy = self.scratch / "copy"
        copy.mkdir()
        command = ["osrestore", "-f", image, os.path.dirname(self.master), str(copy)]
        ended = self._sim.run(command)
        assert ended.exit_code == 0, ended.stderr
        assert self._sim.check(str(copy / os.path.basename(self.master))) == []
        shutil.rmtree(copy)
        self.done["restored"] += 1


def is_whole(image: str, sha256: str) -> bool:
    """Tell whether an image matches its receipt."""
    return hashlib.sha256(Path(image).read_bytes()).hexdigest() == sha256


def _is_withheld(seen: Sets, goes: set[str]) -> bool:
    """Tell whether nothing is removed, for corrupt sources or too many dated sets."""
    dated = [path for path in goes if seen[path].place == "dated"]
    return are_frozen(seen) or len(dated) > _FUSE


def _is_of(path: Path, images: set[str]) -> bool:
    """Tell whether a file belongs to one of some sets; a mark is the user's."""
    return path.suffix != ".keep" and any(_stem(one) in images for one in (path, *path.parents))


def _stem(path: Path) -> str:
    name, found, _ = path.name.partition(".img")
    return str(path.parent / (name + found))


def _state(path: Path) -> tuple[int, str]:
    return path.lstat().st_mtime_ns, hashlib.sha256(path.read_bytes()).hexdigest()
