"""Warnings about a repository that do not prevent its backup."""

from __future__ import annotations

from typing import Any

import pytest
from receipts import ID, MACHINE_ID, made

from csf_backup_plugin.image.backup_number import Standing
from csf_backup_plugin.image.catalog import ImageSet
from csf_backup_plugin.image.path import ImagePath
from csf_backup_plugin.operations.backup.notices import warnings
from csf_backup_plugin.repository import manifest
from csf_backup_plugin.repository.coverage import Coverage, Database
from csf_backup_plugin.repository.identity import Identity
from csf_backup_plugin.repository.inventory import Inventory
from csf_backup_plugin.repository.manifest import Manifest
from csf_backup_plugin.repository.model import Repository
from csf_backup_plugin.repository.neighbours import Neighbours, Other

REPOSITORY = Repository("/r/lib.db")
STANDING = Standing(Identity(ID, MACHINE_ID, "db1", "/r/lib.db"), 3, None, is_new=False, changes=())
COVERAGE = Coverage((Database("/r/lib.db", 1),), ("/r/lib.db",), ())


def told(standing: Standing = STANDING, **found: Any) -> list[str]:
    """Return the warnings about a repository with these findings."""
    fields = {"coverage": COVERAGE, "recorded": None, **found}
    return list(warnings(Inventory(REPOSITORY, "db1", **fields), standing))


def test_of_a_plain_repository_nothing_is_said() -> None:
    """A repository without a manifest causes no warning either."""
    assert told() == []


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"recorded": Manifest()}, "/r/lib.db was not in the manifest; it is backed up, and is to"),
        ({"directories": ("/r/x.db",)}, "/r/x.db has a database's name and is a directory"),
        ({"left_out": ("/r/x.DB",)}, "look like databases: /r/x.DB. If they are: csf admin_"),
        (
            {"dropped": ("/r/x.db",)},
            "not backed up, since the manifest says they were dropped: /r/x",
        ),
        (
            {"links": ("/r/x.db",)},
            "the database that it leads to; these are links: /r/x",
        ),
        (
            {"closed": {"/else": "Permission denied"}},
            "/else holds databases of this repository and",
        ),
        (
            {
                "recorded": Manifest(("lib.db",), cut_short=("/else/lo",)),
                "coverage": Coverage((), (), ()),
            },
            '(only "/else/lo" was written). If it named a database that is not listed, add',
        ),
    ],
)
def test_each_thing_is_said_in_a_sentence(found: dict[str, Any], words: str) -> None:
    """There is one sentence for each kind of warning."""
    (warning,) = told(**found)
    assert words in warning


def test_a_first_backup_tells_what_another_repository_keeps() -> None:
    """Later backups do not warn: by then there is a manifest."""
    other = Other(Repository("/r/two.db"), frozenset(["/r/two.db", "/r/x.db"]), frozenset())
    (warning,) = told(others=Neighbours((other,)))
    assert "2 databases are not backed up, since the manifest of /r/two.db lists them" in warning
    no_more = Coverage((), (), ())
    later = Manifest(backups={"/b/a": 1})
    assert told(others=Neighbours((other,)), recorded=later, coverage=no_more) == []


def test_a_first_backup_tells_what_is_not_taken_for_a_database() -> None:
    """The user has not said yet which suffixes databases have."""
    (warning,) = told(rest=("/r/Book.db", "/r/notes.txt"))
    assert "not taken for databases: /r/Book.db, /r/notes.txt. If one is: csf admin_" in warning
    no_more = Coverage((), (), ())
    assert told(rest=("/r/x",), recorded=Manifest(backups={"/b/a": 1}), coverage=no_more) == []


@pytest.mark.parametrize(
    ("is_new", "words"), [(True, "its databases are"), (False, "its id, number and databases are")]
)
def test_what_was_taken_from_a_receipt_is_reported(words: str, *, is_new: bool) -> None:
    """The warning names the image and its number."""
    source = ImageSet(ImagePath("db1", "/b/a"), made("/b/a", 7), 0.0)
    (warning,) = told(STANDING._replace(source=source, is_new=is_new))
    assert f"{words} taken from the receipt of db1:/b/a, backup 7" in warning


def test_a_move_or_a_copy_is_reported_with_the_commands_that_settle_it() -> None:
    """Each of the printed commands can be typed."""
    (warning,) = told(STANDING._replace(changes=("the path was /q and is /r",)))
    start = "csf admin_database_manifest -database /r/lib.db -host db1 -rebuild"
    assert "moved or copied: the path was /q and is /r." in warning
    assert f"If it was moved: {start} -moved\n" in warning
    assert warning.endswith(f"If it is a copy: {start} -copied")


def test_the_line_that_a_kill_left_is_shown() -> None:
    """The warning shows the line as the manifest is read."""
    torn = manifest.decode(manifest.encode(["lib.db"]) + b"12345678 /el\x1bse")
    (warning,) = told(recorded=torn, coverage=Coverage((), (), ()))
    assert '"/el\\x1bse" was written' in warning
