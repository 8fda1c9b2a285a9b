"""The manifest over a long time: appends, crashes, deletions and rebuilds, against a model."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from scale import scaled

from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.operations.manifest import change_manifest
from csf_backup_plugin.operations.manifest.request import ManifestChange
from csf_backup_plugin.repository import manifest, manifest_store, new_database
from csf_backup_plugin.repository.inventory import read_inventory
from csf_backup_plugin.repository.manifest_lines import encode_lines
from csf_backup_plugin.repository.model import Repository
from doubles import Memory

if TYPE_CHECKING:
    from pathlib import Path

NAMES = st.text("abé ", min_size=1, max_size=3).map(lambda stem: f"{stem}.db")


class Life(RuleBasedStateMachine):
    """The model: the databases on disk, and the recorded ones."""

    @initialize()
    def _begin(self) -> None:
        self._directory = tempfile.TemporaryDirectory()
        self._repository = Repository(os.path.join(self._directory.name, "lib.db"))
        self._host = LocalHost()
        self._on_disk: set[str] = set()
        self._recorded: list[str] = ["lib.db"]
        self._torn = 0
        new_database.record(self._repository, self._create("lib.db"), self._host)

    def teardown(self) -> None:
        """Leave nothing behind."""
        self._directory.cleanup()

    def _create(self, name: str) -> str:
        path = self._repository.path_of(name)
        with open(path, "w"):
            self._on_disk.add(name)
        return path

    @rule(name=NAMES)
    def class_is_created(self, name: str) -> None:
        """A class's database is on disk, and recorded."""
        new_database.record(self._repository, self._create(name), self._host)
        self._recorded.append(name)

    @rule(name=NAMES, data=st.data())
    def class_create_is_cut_off(self, name: str, data: st.DataObject) -> None:
        """A part of the append has reached the disk; it counts if only its newline is missing.

        Any other part is reported until the manifest is rebuilt.
        """
        new_database.record(self._repository, self._create(name), self._host)
        size = os.path.getsize(self._repository.manifest)
        line = encode_lines([name])
        lost = data.draw(st.integers(0, len(line)))
        os.truncate(self._repository.manifest, size - lost)
        if lost <= 1:
            self._recorded.append(name)
        elif lost < len(line):
            self._torn += 1

    @precondition(lambda self: len(self._on_disk) > 1)
    @rule(data=st.data())
    def database_is_deleted(self, data: st.DataObject) -> None:
        """A database is deleted without csf."""
        name = data.draw(st.sampled_from(sorted(self._on_disk - {"lib.db"})))
        os.unlink(self._repository.path_of(name))
        self._on_disk.remove(name)

    @rule()
    def backup_records_what_it_found(self) -> None:
        """Databases on disk that were not recorded are recorded now."""
        assert manifest_store.record(read_inventory(self._repository, self._host), self._host) == []
        self._recorded += self._on_disk

    @rule()
    def manifest_is_rebuilt(self) -> None:
        """It lists the databases on disk, and reports the differences."""
        change = ManifestChange(rebuild=True)
        rebuilt = change_manifest(self._repository, change, 0, self._host, Memory())
        added, dropped = (
            {self._repository.recorded(path) for path in paths}
            for paths in (rebuilt.added, rebuilt.dropped)
        )
        assert added == self._on_disk.difference(self._recorded)
        assert dropped == set(self._recorded) - self._on_disk
        self._recorded, self._torn = sorted(self._on_disk), 0

    @invariant()
    def the_manifest_lists_what_was_recorded(self) -> None:
        """It lists no more and no less, and is never damaged."""
        data = self._host.read(self._repository.manifest)
        assert data is not None
        found = manifest.decode(data)
        assert set(found.names) == set(self._recorded)
        assert len(found.cut_short) == self._torn


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=scaled(30), stateful_step_count=25, deadline=None)

APPENDER = """
import sys
from csf_backup_plugin.repository import new_database
from csf_backup_plugin.hosts.local.host import LocalHost
from csf_backup_plugin.repository.model import Repository
master, who = sys.argv[1:]
for number in range(25):
    new_database.record(Repository(master), f"{master[:-6]}{who}-{number}.db", LocalHost())
"""


def test_appenders_who_could_not_lock_the_repository_lose_nothing(tmp_path: Path) -> None:
    """Eight processes append at once, and each line is complete."""
    master = tmp_path / "lib.db"
    manifest_path = tmp_path / "lib.db.manifest"
    manifest_path.write_bytes(manifest.encode(["lib.db"]))
    appenders = [
        subprocess.Popen([sys.executable, "-c", APPENDER, str(master), str(who)])
        for who in range(8)
    ]
    assert [appender.wait(timeout=60) for appender in appenders] == [0] * 8
    assert len(manifest.decode(manifest_path.read_bytes()).names) == 1 + 8 * 25
