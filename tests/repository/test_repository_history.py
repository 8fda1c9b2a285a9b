"""Repositories over a long time: backups, copies, moves, clones and losses, against a model.

This must always hold: a backup has all databases of its repository and none of another; within a
directory of images no number comes twice; and the latest image of a repository is the one made
last, whatever the clock said.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from typing import TYPE_CHECKING, Literal
from unittest import mock

from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from receipts import made, receipt_of
from scale import scaled

from csf_backup_plugin.errors import WrongRepository
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.hosts.protocol.values import Machine
from csf_backup_plugin.image.backup_number import standing
from csf_backup_plugin.image.catalog import read_catalog
from csf_backup_plugin.image.latest import choose
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.image.wanted_repository import wanted_at
from csf_backup_plugin.operations.manifest import change_manifest
from csf_backup_plugin.operations.manifest.request import ManifestChange
from csf_backup_plugin.repository import manifest_store, new_database
from csf_backup_plugin.repository.completeness import check_complete
from csf_backup_plugin.repository.inventory import read_manifest, set_against
from csf_backup_plugin.repository.model import Repository
from doubles import Memory

if TYPE_CHECKING:
    from csf_backup_plugin.image.latest import Newest


@dataclasses.dataclass
class Known:
    """What the model knows about a repository.

    Attributes:
        databases: the paths of those that csf created in it.
        last: the image of its last backup.
        told: whether it is where it was, or somebody has said what happened.
    """

    databases: set[str]
    last: str | None = None
    told: bool = True


class Clocked(LocalHost):
    """This machine, with an id and a clock set by the test."""

    itself = Machine("a" * 32, "db1", "2026-01-01T00:00:00+00:00")

    def machine(self) -> Machine:
        """Return the values that the test has set."""
        return self.itself


class Lives(RuleBasedStateMachine):
    """Several repositories, two directories of images, and one host."""

    @initialize()
    def begin(self) -> None:
        """Make one repository with one database."""
        self._unsynced = mock.patch.object(os, "fsync")  # no power is cut here
        self._unsynced.start()
        self._home = tempfile.TemporaryDirectory()
        self._top = os.path.realpath(self._home.name)
        self._host = Clocked()
        self._count = 0
        self._known: dict[str, Known] = {}
        self._made: set[str] = set()
        os.mkdir(f"{self._top}/images")
        os.mkdir(f"{self._top}/far")
        self.another_master(where=None, suffix=".db")

    def teardown(self) -> None:
        """Leave nothing behind."""
        self._home.cleanup()
        self._unsynced.stop()

    def _new(self, start: str) -> str:
        self._count += 1
        return f"{start}{self._count}"

    def _draw(self, data: st.DataObject) -> tuple[Repository, Known]:
        master = data.draw(st.sampled_from(sorted(self._known)))
        return Repository(master), self._known[master]

    @rule(where=st.none() | st.integers(0, 3), suffix=st.sampled_from([".db", ".mdb", ""]))
    def another_master(self, where: int | None, suffix: str) -> None:
        """It has its own directory, or shares one; csf records its first class."""
        # Where a manifest was lost, nobody could tell whose the databases there are.
        masters = [one for one in sorted(self._known) if os.path.exists(f"{one}.manifest")]
        if where is None or not masters:
            directory = self._new(f"{self._top}/r")
            os.mkdir(directory)
        else:
            directory = os.path.dirname(masters[where % len(masters)])
        master = self._new(f"{directory}/m") + suffix
        with open(master, "x"):
            self._known[master] = Known({master})
        new_database.record(Repository(master), master, self._host)

    @rule(data=st.data(), kind=st.sampled_from([".db", ".mdb", "", "far"]))
    def class_is_created(self, data: st.DataObject, kind: str) -> None:
        """It may have any suffix, in the directory or elsewhere."""
        repository, known = self._draw(data)
        if kind == "far":
            path = self._new(f"{self._top}/far/c")
        else:
            path = self._new(f"{repository.directory}/c") + kind
        with open(path, "x"):
            known.databases.add(path)
        new_database.record(repository, path, self._host)

    @rule(data=st.data(), hours=st.integers(-50, 50))
    def backup_is_made(self, data: st.DataObject, hours: int) -> None:
        """The clock jumps meanwhile; an ambiguous backup is refused."""
        repository, known = self._draw(data)
        days, hour = divmod(240 + hours, 24)
        now = f"2026-01-{days + 1:02}T{hour:02}:00:00+00:00"
        self._host.itself = self._host.itself._replace(now=now)
        image = ImagePath("db1", self._new(f"{self._top}/images/i"))
        recorded = read_manifest(repository, self._host)
        catalog, machine = read_catalog(image, self._host), self._host.itself
        try:
            stands = standing(repository, recorded, catalog, machine, self._host)
            entries = self._host.list_directory(repository.directory)
            found = set_against(repository, self._host, recorded, entries, stands.adopted)
            check_complete(found)
        except WrongRepository as error:
            event("refused: " + ("both" if "both" in str(error) else "ambiguous"))
            return
        assert {*found.coverage.paths} == known.databases
        (done,) = self._host.in_turn(manifest_store.beginning(found, stands.entry(image)))
        done()
        manifest_store.record(found, self._host)
        identity = stands.identity
        receipt = made(
            image.path,
            stands.number + 1,
            id=identity.id,
            machine_id=machine.id,
            machine=machine.name,
            settled=not stands.changes,
            master=repository.master,
            databases=dict(found.coverage.databases),
            started=now,
        )
        self._host.publish(image.receipt, receipt_of(receipt))
        known.last = image.path
        self.the_latest_image_is_the_one_made_last()

    @rule()
    def machine_is_cloned(self) -> None:
        """The clone is another machine, and its repositories may be copies."""
        self._host.itself = self._host.itself._replace(id=f"{self._count:032}")
        for known in self._known.values():
            known.told, known.last = False, None

    @precondition(lambda self: len(self._known) < 6)
    @rule(data=st.data(), gone=st.booleans())
    def directory_is_copied_or_moved(self, data: st.DataObject, *, gone: bool) -> None:
        """All repositories in it go along.

        A copy may share databases elsewhere with the original.
        """
        repository, _ = self._draw(data)
        old, new = repository.directory, self._new(f"{self._top}/r")
        (shutil.move if gone else shutil.copytree)(old, new)
        for master in [one for one in self._known if os.path.dirname(one) == old]:
            known = self._known.pop(master) if gone else self._known[master]
            there = {self._moved(path, old, new) for path in known.databases}
            self._known[self._moved(master, old, new)] = Known(there, told=False)
            event("moved" if gone else "copied")

    @staticmethod
    def _moved(path: str, old: str, new: str) -> str:
        return f"{new}/{os.path.basename(path)}" if os.path.dirname(path) == old else path

    @rule(data=st.data(), way=st.sampled_from(["moved", "copied"]))
    def somebody_says_what_happened(
        self, data: st.DataObject, way: Literal["moved", "copied"]
    ) -> None:
        """A copy gives up the databases that it shares with its original."""
        repository, known = self._draw(data)
        elsewhere = {path for path in known.databases if path.startswith(f"{self._top}/far")}
        others = [one for master, one in self._known.items() if master != repository.master]
        shared = {path for path in elsewhere if any(path in one.databases for one in others)}
        if known.told or (way == "moved" and shared):
            return
        recorded = read_manifest(repository, self._host)
        if recorded is None or recorded.identity is None:
            return
        names = [os.path.basename(master) for master in self._known]
        if way == "moved" and names.count(repository.name) > 1:
            return  # it is, or has, a copy
        change = ManifestChange(rebuild=True, home=way, drop=tuple(sorted(shared)))
        change_manifest(repository, change, 0, self._host, Memory())
        event(f"told: {way}")
        known.databases -= shared
        known.told, known.last = True, None

    @rule(data=st.data())
    def manifest_is_lost(self, data: st.DataObject) -> None:
        """This happens only if the last image or the suffix shows the same databases."""
        repository, known = self._draw(data)
        suffix = os.path.splitext(repository.master)[1]
        alone = [m for m in self._known if os.path.dirname(m) == repository.directory]
        rest = {p for p in known.databases if os.path.dirname(p) != repository.directory}
        rest |= {p for p in known.databases if os.path.splitext(p)[1] != suffix}
        if len(alone) > 1 or not known.told or (rest and known.last is None):
            return
        if not os.path.exists(repository.manifest):
            return
        os.unlink(repository.manifest)
        if known.last is not None:
            image = ImagePath("db1", known.last)
            change = ManifestChange(rebuild=True, image=image, add=tuple(sorted(rest)))
            change_manifest(repository, change, 0, self._host, Memory())

    @invariant()
    def no_number_is_repeated(self) -> None:
        """This holds for repositories that may be taken for each other."""
        if not hasattr(self, "_top"):
            return
        catalog = read_catalog(ImagePath("db1", f"{self._top}/images/latest"), self._host)
        assert catalog.skipped == ()
        origins = [one.receipt.origin for one in catalog.sets]
        numbered = [(one.id, one.number) for one in origins]
        assert len(numbered) == len({*numbered})

    @rule()
    def the_latest_image_is_the_one_made_last(self) -> None:
        """Each repository is found by its manifest."""
        for master, known in self._known.items():
            if known.last is not None:
                assert self._latest(master).image.path == known.last

    def _latest(self, master: str) -> Newest:
        wanted = wanted_at(Repository(master), self._host)
        latest = ImagePath("db1", f"{self._top}/images/latest")
        (at,) = self._host.look([latest.directory])
        return choose(latest, at, wanted, self._host.itself, self._host, print)


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=scaled(40), stateful_step_count=20, deadline=None, print_blob=True
)
